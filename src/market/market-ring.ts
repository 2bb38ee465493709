/**
 * The feed's end of one market ring: groups of records, written whole or not at all, never waiting. A group that finds no
 * room is dropped and counted, and its sequence numbers stay used, so that a reader sees the gap; the ring then wants a
 * snapshot.
 *
 * A record's sequence counts the records of this ring and this feed run, dropped ones too.
 */
import { base58Encode } from "#core/base58.ts";
import { DEX_NAMES } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { readU64 } from "#core/words.ts";
import { addressBytes } from "#dex/bytes.ts";
import { MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND, NO_POOL, TICK_RECORD } from "#memory/market-record.ts";
import { SlotProducer } from "#memory/slot-ring.ts";
import type { MarketPosition } from "./catch-up.ts";
import type { ConcentratedState, TickChange } from "./concentrated-book.ts";
import type { Payment } from "./payments.ts";
import type { Reserves } from "./pool-book.ts";
import type { MarketSwap } from "./swaps.ts";

/** When and where a group of records happened. */
export type RecordOrigin = {
  readonly slot: bigint;
  readonly transactionIndex: number;
  readonly eventNs: number;
  /** SNAPSHOT and REPLAYED; LAST_OF_GROUP is set here. */
  readonly flags: number;
};

export type MarketRecord =
  | { readonly kind: "poolState"; readonly pool: number; readonly reserves: Reserves }
  | { readonly kind: "concentratedState"; readonly pool: number; readonly state: ConcentratedState }
  | {
      readonly kind: "ticks";
      readonly pool: number;
      /** All ticks told before are void. */
      readonly cleared: boolean;
      /** At most TICKS_PER_RECORD. */
      readonly ticks: readonly TickChange[];
    }
  | {
      readonly kind: "swap";
      readonly pool: number | undefined;
      readonly swap: MarketSwap;
      readonly signature: Uint8Array;
      /** The top-level program that it went through. */
      readonly program: Address;
    }
  | {
      readonly kind: "transaction";
      readonly signature: Uint8Array;
      readonly feePayer: Address;
      readonly feeLamports: bigint;
    }
  | ({ readonly kind: "payment" } & Payment)
  | { readonly kind: "slot"; readonly slotStartMs: number }
  | { readonly kind: "catalogue"; readonly version: number }
  | { readonly kind: "end" };

export class MarketRing {
  /** Records that found no room. */
  dropped = 0;
  written = 0;
  /** Set when something was dropped; the feed clears it when it begins a snapshot. */
  snapshotWanted = false;
  readonly #producer: SlotProducer;
  readonly #ring: () => void;
  readonly #nowNs: () => number;
  #sequence = 0;

  /** `ringDoorbell` is called after each publish; `nowNs` stamps the moment of publishing. */
  constructor(buffer: ArrayBufferLike, ringDoorbell: () => void, nowNs: () => number) {
    this.#producer = new SlotProducer(buffer);
    this.#ring = ringDoorbell;
    this.#nowNs = nowNs;
  }

  /** Slots that are free now. */
  room(): number {
    return this.#producer.capacity - this.#producer.depth();
  }

  takeSnapshotRequest(): boolean {
    return this.#producer.takeSnapshotRequest();
  }

  /** The transactions that were published last, by this feed or by one before it, the newest first; at most `max`. */
  lastTransactions(max: number): MarketPosition[] {
    const { u32, u8, capacity } = this.#producer;
    const found: MarketPosition[] = [];
    for (let back = 0; back < capacity && found.length < max; back++) {
      const at = this.#producer.published(back);
      if (u32[(at + MARKET_RECORD.kind) >> 2] !== MARKET_RECORD_KIND.transaction) continue;
      const slot = readU64(u32, (at + MARKET_RECORD.slot) >> 2);
      const from = at + MARKET_RECORD.signature;
      found.push({ slot, signature: base58Encode(u8.subarray(from, from + 64)) });
    }
    return found;
  }

  /** Publishes all records together; the last one carries LAST_OF_GROUP. False when they were dropped. */
  write(records: readonly MarketRecord[], origin: RecordOrigin): boolean {
    if (records.length === 0) return true;
    if (records.length > this.room()) {
      this.#sequence += records.length;
      this.dropped += records.length;
      this.snapshotWanted = true;
      return false;
    }
    const feedNs = this.#nowNs();
    records.forEach((record, i) => {
      const flags = origin.flags | (i === records.length - 1 ? MARKET_RECORD_FLAG.lastOfGroup : 0);
      this.#put(record, { ...origin, flags }, feedNs);
    });
    this.#producer.publish();
    this.#ring();
    this.written += records.length;
    return true;
  }

  #put(record: MarketRecord, origin: RecordOrigin, feedNs: number): void {
    const producer = this.#producer;
    const at = producer.claim();
    const { u32, f64 } = producer;
    const put64 = (offset: number, value: bigint) => {
      u32[(at + offset) >> 2] = Number(value & 0xffff_ffffn);
      u32[(at + offset + 4) >> 2] = Number((value >> 32n) & 0xffff_ffffn);
    };
    u32[(at + MARKET_RECORD.kind) >> 2] = MARKET_RECORD_KIND[record.kind];
    u32[(at + MARKET_RECORD.flags) >> 2] = origin.flags;
    put64(MARKET_RECORD.sequence, BigInt(++this.#sequence));
    put64(MARKET_RECORD.slot, origin.slot);
    f64[(at + MARKET_RECORD.eventNs) >> 3] = origin.eventNs;
    f64[(at + MARKET_RECORD.feedNs) >> 3] = feedNs;
    u32[(at + MARKET_RECORD.pool) >> 2] = poolWord(record);
    u32[(at + MARKET_RECORD.transactionIndex) >> 2] = origin.transactionIndex;
    if (record.kind === "poolState") {
      put64(MARKET_RECORD.reserve0, record.reserves[0]);
      put64(MARKET_RECORD.reserve1, record.reserves[1]);
    } else if (record.kind === "concentratedState") {
      put128(u32, (at + MARKET_RECORD.sqrtPrice) >> 2, record.state.sqrtPriceX64);
      put128(u32, (at + MARKET_RECORD.liquidity) >> 2, record.state.liquidity);
      producer.i32[(at + MARKET_RECORD.tickCurrent) >> 2] = record.state.tickCurrent;
    } else if (record.kind === "ticks") this.#putTicks(at, record.cleared, record.ticks);
    else if (record.kind === "slot") put64(MARKET_RECORD.slotStartMs, BigInt(record.slotStartMs));
    else if (record.kind === "transaction") {
      put64(MARKET_RECORD.feeLamports, record.feeLamports);
      this.#putAddress(at + MARKET_RECORD.feePayer, record.feePayer);
      producer.u8.set(record.signature.subarray(0, 64), at + MARKET_RECORD.signature);
    } else if (record.kind === "payment") {
      put64(MARKET_RECORD.paymentLamports, record.lamports);
      this.#putAddress(at + MARKET_RECORD.paymentFrom, record.from);
      this.#putAddress(at + MARKET_RECORD.paymentTo, record.to);
    } else if (record.kind === "swap") {
      this.#putSwap(at, record.swap, record.signature, put64);
      this.#putAddress(at + MARKET_RECORD.program, record.program);
    }
    producer.advance();
  }

  #putTicks(at: number, cleared: boolean, ticks: readonly TickChange[]): void {
    const { u32, i32 } = this.#producer;
    u32[(at + MARKET_RECORD.tickCount) >> 2] = ticks.length;
    u32[(at + MARKET_RECORD.ticksCleared) >> 2] = cleared ? 1 : 0;
    ticks.forEach(({ index, liquidityNet }, i) => {
      const word = (at + MARKET_RECORD.ticks + i * TICK_RECORD.bytes) >> 2;
      i32[word] = index;
      u32[word + TICK_RECORD.initialized / 4] = liquidityNet === undefined ? 0 : 1;
      put128(u32, word + TICK_RECORD.liquidityNet / 4, liquidityNet ?? 0n);
    });
  }

  #putSwap(at: number, swap: MarketSwap, signature: Uint8Array, put64: (offset: number, value: bigint) => void): void {
    const { u32, u8 } = this.#producer;
    put64(MARKET_RECORD.amountIn, swap.amountIn);
    put64(MARKET_RECORD.amountOut, swap.amountOut);
    u32[(at + MARKET_RECORD.instructionIndex) >> 2] = swap.instructionIndex;
    u32[(at + MARKET_RECORD.inputSide) >> 2] = swap.inputSide;
    put64(MARKET_RECORD.swapReserve0, swap.reservesBefore[0]);
    put64(MARKET_RECORD.swapReserve1, swap.reservesBefore[1]);
    this.#putAddress(at + MARKET_RECORD.poolAddress, swap.pool);
    this.#putAddress(at + MARKET_RECORD.trader, swap.trader);
    u8.set(signature.subarray(0, 64), at + MARKET_RECORD.signature);
    u32[(at + MARKET_RECORD.dex) >> 2] = DEX_NAMES.indexOf(swap.dex);
    u32[(at + MARKET_RECORD.exactOut) >> 2] = swap.kind === "base-out" ? 1 : 0;
  }

  #putAddress(at: number, address: Address): void {
    this.#producer.u8.set(addressBytes(address).subarray(0, 32), at);
  }
}

/** Four words, low first; two's complement below zero. */
function put128(u32: Uint32Array, word: number, value: bigint): void {
  for (let i = 0; i < 4; i++) u32[word + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
}

function poolWord(record: MarketRecord): number {
  switch (record.kind) {
    case "poolState":
    case "concentratedState":
    case "ticks":
      return record.pool;
    case "swap":
      return record.pool ?? NO_POOL;
    case "catalogue":
      return record.version;
    case "slot":
    case "end":
    case "transaction":
    case "payment":
      return NO_POOL;
  }
}
