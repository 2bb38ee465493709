/**
 * The mev agent's end of its market ring: takes bounded batches of records and hands out each transaction whole, with the
 * SOL it sent and its swaps. Notices by the sequence what the feed had no room for.
 */
import { base58Encode } from "#core/base58.ts";
import { DEX_NAMES, type DexName } from "#core/pool.ts";
import type { Address, Signature } from "#core/units.ts";
import { readU64, readWhole } from "#core/words.ts";
import { readAddress } from "#dex/bytes.ts";
import { MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND, NO_POOL } from "#memory/market-record.ts";
import type { SlotConsumer } from "#memory/slot-ring.ts";
import type { Payment } from "./payments.ts";

const SIGNATURE_BYTES = 64;

export type RingSwap = {
  readonly dex: DexName;
  readonly pool: Address;
  /** Its number in the catalogue; undefined for a pool that is not in it. */
  readonly poolIndex: number | undefined;
  readonly trader: Address;
  readonly program: Address;
  readonly instructionIndex: number;
  readonly inputSide: 0 | 1;
  readonly exact: "in" | "out";
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Zeros where liquidity is concentrated. */
  readonly reservesBefore: readonly [bigint, bigint];
};

export type RingTransaction = {
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly feePayer: Address;
  readonly feeLamports: bigint;
  /** CLOCK_MONOTONIC when the source's bytes arrived; in a replay ns since its start. */
  readonly eventNs: number;
  readonly payments: readonly Payment[];
  readonly swaps: readonly RingSwap[];
};

export type MarketVisitor = {
  readonly transaction: (transaction: RingTransaction) => void;
  /** The catalogue file changed; swaps that follow may have new pools. */
  readonly catalogue: () => void;
};

type Growing = RingTransaction & { readonly payments: Payment[]; readonly swaps: RingSwap[] };

export class SwapReader {
  events = 0;
  swaps = 0;
  /** Records that the feed dropped, as gaps in the sequence tell. */
  dropped = 0;
  slot = 0;
  readonly #consumer: SlotConsumer;
  readonly #visit: MarketVisitor;
  #sequence = 0;
  #open: Growing | undefined;
  /** When the newest record's bytes arrived, on the monotonic clock; 0 while there is none or it is a recording. */
  #newestEventNs = 0;

  constructor(consumer: SlotConsumer, visit: MarketVisitor) {
    this.#consumer = consumer;
    this.#visit = visit;
  }

  /** Reads at most `limit` records; answers how many it did. */
  doWork(limit: number): number {
    const consumer = this.#consumer;
    let done = 0;
    for (let row = consumer.peekRow(limit); row > 0; row = consumer.peekRow(limit - done)) {
      const first = consumer.peek();
      for (let i = 0; i < row; i++) this.#read(first + i * consumer.slotBytes);
      consumer.advance(row);
      done += row;
    }
    if (done > 0) consumer.release();
    return done;
  }

  /** How old the newest record is, in ms; 0 for recordings. */
  lagMs(nowNs: number): number {
    return this.#newestEventNs === 0 ? 0 : Math.max(0, Math.round((nowNs - this.#newestEventNs) / 1e6));
  }

  #read(at: number): void {
    const { f64 } = this.#consumer;
    const sequence = this.#word64(at + MARKET_RECORD.sequence);
    // A lower number is a feed that started again: nothing was lost that this count could know of.
    if (sequence > this.#sequence + 1 && this.#sequence > 0) this.dropped += sequence - this.#sequence - 1;
    this.#sequence = sequence;
    this.slot = this.#word64(at + MARKET_RECORD.slot);
    const flags = this.#word(at + MARKET_RECORD.flags);
    const replayed = (flags & MARKET_RECORD_FLAG.replayed) !== 0;
    const eventNs = f64[(at + MARKET_RECORD.eventNs) >> 3] as number;
    this.#newestEventNs = replayed ? 0 : eventNs;
    const kind = this.#word(at + MARKET_RECORD.kind);
    // What belongs to a swap is no event of its own.
    if (kind !== MARKET_RECORD_KIND.transaction && kind !== MARKET_RECORD_KIND.payment) this.events++;
    if (kind === MARKET_RECORD_KIND.catalogue) this.#visit.catalogue();
    else if (kind === MARKET_RECORD_KIND.transaction) this.#open = this.#transaction(at, eventNs);
    else if (kind === MARKET_RECORD_KIND.payment) this.#open?.payments.push(this.#payment(at));
    else if (kind === MARKET_RECORD_KIND.swap) {
      this.swaps++;
      const swap = this.#swap(at);
      if (swap !== undefined) this.#open?.swaps.push(swap);
    }
    if ((flags & MARKET_RECORD_FLAG.lastOfGroup) === 0 || this.#open === undefined) return;
    this.#visit.transaction(this.#open);
    this.#open = undefined;
  }

  #transaction(at: number, eventNs: number): Growing {
    const { u8 } = this.#consumer;
    const from = at + MARKET_RECORD.signature;
    return {
      slot: this.slot,
      index: this.#word(at + MARKET_RECORD.transactionIndex),
      signature: base58Encode(u8.subarray(from, from + SIGNATURE_BYTES)) as Signature,
      feePayer: readAddress(u8, at + MARKET_RECORD.feePayer),
      feeLamports: this.#big64(at + MARKET_RECORD.feeLamports),
      eventNs,
      payments: [],
      swaps: [],
    };
  }

  #payment(at: number): Payment {
    const { u8 } = this.#consumer;
    return {
      from: readAddress(u8, at + MARKET_RECORD.paymentFrom),
      to: readAddress(u8, at + MARKET_RECORD.paymentTo),
      lamports: this.#big64(at + MARKET_RECORD.paymentLamports),
    };
  }

  #swap(at: number): RingSwap | undefined {
    const { u8 } = this.#consumer;
    const dex = DEX_NAMES[this.#word(at + MARKET_RECORD.dex)];
    const poolIndex = this.#word(at + MARKET_RECORD.pool);
    if (dex === undefined) return undefined;
    return {
      dex,
      pool: readAddress(u8, at + MARKET_RECORD.poolAddress),
      poolIndex: poolIndex === NO_POOL ? undefined : poolIndex,
      trader: readAddress(u8, at + MARKET_RECORD.trader),
      program: readAddress(u8, at + MARKET_RECORD.program),
      instructionIndex: this.#word(at + MARKET_RECORD.instructionIndex),
      inputSide: this.#word(at + MARKET_RECORD.inputSide) === 0 ? 0 : 1,
      exact: this.#word(at + MARKET_RECORD.exactOut) === 0 ? "in" : "out",
      amountIn: this.#big64(at + MARKET_RECORD.amountIn),
      amountOut: this.#big64(at + MARKET_RECORD.amountOut),
      reservesBefore: [this.#big64(at + MARKET_RECORD.swapReserve0), this.#big64(at + MARKET_RECORD.swapReserve1)],
    };
  }

  #word(offset: number): number {
    return this.#consumer.u32[offset >> 2] as number;
  }

  #word64(offset: number): number {
    return readWhole(this.#consumer.u32, offset >> 2);
  }

  #big64(offset: number): bigint {
    return readU64(this.#consumer.u32, offset >> 2);
  }
}
