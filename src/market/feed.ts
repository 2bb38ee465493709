/**
 * The feed: one market source in, one ring per agent out. Pool states go to the arbitrage ring (the last of each
 * transaction's carries LAST_OF_GROUP), swaps to the mev ring, slots to both. It never waits for a reader: what finds no
 * room is dropped and counted, and the arbitrage ring gets a whole snapshot as soon as there is room again.
 */
import { base58Decode } from "#core/base58.ts";
import { type Address, SIGNATURE_FEE_LAMPORTS } from "#core/units.ts";
import { MARKET_RECORD_FLAG, TICKS_PER_RECORD } from "#memory/market-record.ts";
import type { PoolCatalogueBook } from "./catalogue.ts";
import type { TickChange } from "./concentrated-book.ts";
import type { MarketRecord, MarketRing, RecordOrigin } from "./market-ring.ts";
import { paymentsOf } from "./payments.ts";
import { PoolBook } from "./pool-book.ts";
import type { AccountWrite, MarketEvent } from "./source.ts";
import { decodeSwaps, type MarketSwap } from "./swaps.ts";
import type { MarketInstruction, MarketTransaction } from "./transaction.ts";

/** A snapshot of many pools goes out in pieces of about this many records, so that it fits beside what happens meanwhile. */
const SNAPSHOT_PIECE_RECORDS = 1_024;

export type FeedOptions = {
  readonly arbitrage: MarketRing;
  readonly mev: MarketRing;
  readonly catalogue: PoolCatalogueBook;
  /** Signs for the vaults of CP-Swap (dex/addresses.ts derives it). */
  readonly cpmmAuthority: Address;
  /** The market's own time: which pools are open. */
  readonly unixSeconds: () => number;
  /** Records say that they come from a recording. */
  readonly replayed: boolean;
  /** Sees every swap that was decoded, after its records went out. */
  readonly onSwap?: (swap: MarketSwap, event: MarketEvent & { kind: "transaction" }) => void;
};

export type FeedCounters = {
  transactions: number;
  failed: number;
  swaps: number;
  /** Swap instructions whose logs or accounts could not be read. */
  unreadableSwaps: number;
  snapshots: number;
  /** Times the source missed something, and slots whose events turned out never to have happened. */
  gaps: number;
  deadSlots: number;
};

export class Feed {
  readonly counters: FeedCounters = {
    transactions: 0,
    failed: 0,
    swaps: 0,
    unreadableSwaps: 0,
    snapshots: 0,
    gaps: 0,
    deadSlots: 0,
  };
  readonly book: PoolBook;
  readonly #options: FeedOptions;
  readonly #flags: number;
  #slot = 0n;
  #lastEventNs = 0;
  /** Pools that the running snapshot has still to tell, or undefined when none is running. */
  #snapshotLeft: number[] | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.book = new PoolBook(options.catalogue, options.cpmmAuthority, options.unixSeconds);
    this.#flags = options.replayed ? MARKET_RECORD_FLAG.replayed : 0;
  }

  /** The sink of a market source. */
  readonly handle = (event: MarketEvent): void => {
    this.#lastEventNs = event.arrivedNs;
    switch (event.kind) {
      case "snapshot":
        this.#slot = event.slot;
        this.book.clear();
        this.book.apply(event.accounts);
        this.#announcePools();
        this.#options.arbitrage.snapshotWanted = true;
        break;
      case "writes":
        this.#slot = event.slot;
        this.#writeStates(event.accounts);
        break;
      case "gap":
        this.counters.gaps++;
        break;
      case "dead":
        this.counters.deadSlots++;
        break;
      case "slot":
        this.#slot = event.slot;
        this.#toBoth([{ kind: "slot", slotStartMs: event.slotStartMs }]);
        break;
      case "transaction":
        this.#transaction(event);
        break;
      case "end":
        this.#toBoth([{ kind: "end" }]);
        break;
    }
    this.serveSnapshots();
  };

  /** Pools that are listed. */
  get pools(): number {
    return this.#options.catalogue.pools.length;
  }

  /** What went wrong so far, by name: all zeros in good times. */
  troubles(): Readonly<Record<string, number>> {
    return {
      ...this.book.counters,
      unreadableSwaps: this.counters.unreadableSwaps,
      gaps: this.counters.gaps,
      deadSlots: this.counters.deadSlots,
      arbitrageDropped: this.#options.arbitrage.dropped,
      mevDropped: this.#options.mev.dropped,
    };
  }

  /** Begins or goes on with a snapshot when a reader asked for one or lost something. Call it now and then. */
  serveSnapshots(): void {
    const ring = this.#options.arbitrage;
    // The mev agent keeps no state of pools: its requests are answered by what happens next.
    this.#options.mev.takeSnapshotRequest();
    if (ring.takeSnapshotRequest() || ring.snapshotWanted) {
      ring.snapshotWanted = false;
      this.#snapshotLeft = this.book.known();
      this.counters.snapshots++;
    }
    while (this.#snapshotLeft !== undefined) {
      const records: MarketRecord[] = [];
      let told = 0;
      while (told < this.#snapshotLeft.length && records.length < SNAPSHOT_PIECE_RECORDS)
        records.push(...this.#whole(this.#snapshotLeft[told++] as number));
      if (records.length > ring.room()) return;
      for (const pool of this.#snapshotLeft.slice(0, told)) this.book.concentrated.takeChanges(pool);
      const flags = this.#flags | MARKET_RECORD_FLAG.snapshot;
      ring.write(records, { ...this.#origin(0), flags });
      const left = this.#snapshotLeft.slice(told);
      this.#snapshotLeft = left.length === 0 ? undefined : left;
    }
  }

  #transaction(event: MarketEvent & { kind: "transaction" }): void {
    const { transaction, accounts } = event;
    this.counters.transactions++;
    if (transaction.failed) this.counters.failed++;
    this.#slot = transaction.slot;
    const origin = this.#origin(transaction.indexInSlot);
    const touched = new Set(this.book.apply(accounts));
    const { swaps, unreadable } = decodeSwaps(transaction);
    this.counters.swaps += swaps.length;
    this.counters.unreadableSwaps += unreadable;
    for (const swap of swaps) {
      const pool = swap.dex === "raydium-amm-v4" ? this.book.applyAmmV4Swap(swap, transaction) : undefined;
      if (pool !== undefined) touched.add(pool);
    }
    this.#announcePools();
    this.#options.arbitrage.write(this.#states([...touched]), origin);
    this.#writeMev(transaction, swaps, origin);
    for (const swap of swaps) this.#options.onSwap?.(swap, event);
  }

  #writeStates(accounts: readonly AccountWrite[]): void {
    const touched = this.book.apply(accounts);
    this.#announcePools();
    this.#options.arbitrage.write(this.#states(touched), this.#origin(0));
  }

  /** One group for whoever watches what others do: the transaction, the SOL it sent, its swaps. */
  #writeMev(transaction: MarketTransaction, swaps: readonly MarketSwap[], origin: RecordOrigin): void {
    const payments = transaction.failed ? [] : paymentsOf(transaction);
    if (swaps.length === 0 && payments.length === 0) return;
    const { feePayer, instructions, feeLamports = SIGNATURE_FEE_LAMPORTS } = transaction;
    const signature = base58Decode(transaction.signature);
    this.#options.mev.write(
      [
        { kind: "transaction", signature, feePayer, feeLamports },
        ...payments.map((payment) => ({ kind: "payment" as const, ...payment })),
        ...swaps.map((swap) => ({
          kind: "swap" as const,
          pool: this.#options.catalogue.find(swap.pool)?.index,
          swap,
          signature,
          program: topLevelProgram(instructions, swap.instructionIndex),
        })),
      ],
      origin,
    );
  }

  /** Readers look into the catalogue file before they meet a new number. */
  #announcePools(): void {
    const { catalogue } = this.#options;
    if (catalogue.save()) this.#toBoth([{ kind: "catalogue", version: catalogue.version }]);
  }

  #toBoth(records: readonly MarketRecord[]): void {
    const origin = this.#origin(0);
    this.#options.arbitrage.write(records, origin);
    this.#options.mev.write(records, origin);
  }

  /** What changed in these pools. */
  #states(pools: readonly number[]): MarketRecord[] {
    return pools.flatMap((pool) =>
      this.#state(pool, () => {
        const { ticks, first } = this.book.concentrated.takeChanges(pool);
        return tickRecords(pool, ticks, first);
      }),
    );
  }

  /** All that is known of a pool. */
  #whole(pool: number): MarketRecord[] {
    return this.#state(pool, () => tickRecords(pool, this.book.concentrated.allTicks(pool), true));
  }

  #state(pool: number, ticks: () => MarketRecord[]): MarketRecord[] {
    const state = this.book.concentrated.state(pool);
    if (state !== undefined) return [...ticks(), { kind: "concentratedState", pool, state }];
    const reserves = this.book.reserves(pool);
    return reserves === undefined ? [] : [{ kind: "poolState", pool, reserves }];
  }

  #origin(transactionIndex: number): RecordOrigin {
    return { slot: this.#slot, transactionIndex, eventNs: this.#lastEventNs, flags: this.#flags };
  }
}

/** Ticks by threes; `cleared` voids all that were told before, even when there are none now. */
function tickRecords(pool: number, changes: readonly TickChange[], cleared: boolean): MarketRecord[] {
  const records: MarketRecord[] = [];
  for (let i = 0; i < changes.length || (cleared && i === 0); i += TICKS_PER_RECORD)
    records.push({ kind: "ticks", pool, cleared: cleared && i === 0, ticks: changes.slice(i, i + TICKS_PER_RECORD) });
  return records;
}

function topLevelProgram(instructions: MarketTransaction["instructions"], index: number): Address {
  let at = index;
  while (at > 0 && instructions[at]?.depth !== 1) at--;
  return (instructions[at] as MarketInstruction).program;
}
