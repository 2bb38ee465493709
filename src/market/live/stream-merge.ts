/**
 * Several streams of one market as one: what arrives first wins, what was there already is dropped, and no account goes
 * back to an older state, whichever stream tells of it. Slots that die or lose their fork are told when something of
 * them had been let through.
 */
import type { MarketPosition } from "#market/catch-up.ts";
import type { AccountWrite, MarketEvent } from "#market/source.ts";
import { SlotTracker } from "./slot-tracker.ts";
import { END_OF_SLOT, type StreamEvent, TransactionGroups } from "./transaction-groups.ts";
import type { LiveUpdate } from "./update.ts";

/** Slots for which signatures and account states are remembered. */
const REMEMBERED_SLOTS = 512;
const PLACES_PER_SLOT = END_OF_SLOT + 1;

export type StreamMergeOptions = {
  /** What a feed before this one told. */
  readonly passed?: readonly MarketPosition[];
  readonly sink: (event: MarketEvent) => void;
  readonly wallMs: () => number;
};

/** How one stream stands beside the others. */
export type StreamGauge = {
  readonly name: string;
  /** Transactions and slot starts that it was first with, and those that another had told already. */
  first: number;
  repeated: number;
  newestSlot: number;
  /** When it last said anything; undefined before. */
  heardNs: number | undefined;
  readonly groups: TransactionGroups;
};

export class StreamMerge {
  readonly counters = { repeatedTransactions: 0, staleWrites: 0, gaps: 0, deadSlots: 0 };
  readonly gauges: StreamGauge[] = [];
  readonly #options: StreamMergeOptions;
  readonly #tracker: SlotTracker;
  /** By signature: the slot, and whether account writes came with it. */
  readonly #seen = new Map<string, { readonly slot: number; written: boolean }>();
  /** The newest place (slot and index) that each account's state is known of. */
  readonly #places = new Map<string, number>();
  readonly #touchedSlots = new Set<number>();
  #startedSlot = 0;
  #prunedSlot = 0;
  #arrivedNs = 0;

  constructor(options: StreamMergeOptions) {
    this.#options = options;
    for (const { signature, slot } of options.passed ?? [])
      this.#seen.set(signature, { slot: Number(slot), written: true });
    this.#tracker = new SlotTracker({
      entries: false,
      onGap: (slot, why) => {
        this.counters.gaps++;
        this.#emit({ kind: "gap", slot: BigInt(slot), why });
      },
      onAbandoned: (slot) => {
        if (!this.#touchedSlots.delete(slot)) return;
        this.counters.deadSlots++;
        this.#emit({ kind: "dead", slot: BigInt(slot) });
      },
    });
  }

  get newestSlot(): number {
    return this.#tracker.newestSlot;
  }

  /** Slots that a stream is behind the newest one. */
  slotsBehind({ newestSlot }: StreamGauge): number {
    return newestSlot === 0 ? 0 : Math.max(0, this.newestSlot - newestSlot);
  }

  /** Where a stream puts its updates, and what it calls when it broke. */
  stream(name: string): { readonly take: (update: LiveUpdate, arrivedNs: number) => void; readonly broke: () => void } {
    const groups = new TransactionGroups((event) => this.#event(event, gauge));
    const gauge: StreamGauge = { name, first: 0, repeated: 0, newestSlot: 0, heardNs: undefined, groups };
    this.gauges.push(gauge);
    return {
      take: (update, arrivedNs) => {
        this.#arrivedNs = arrivedNs;
        gauge.heardNs = arrivedNs;
        if (update.kind === "slot") this.#slot(update, gauge);
        groups.take(update);
        this.#tracker.take(update);
      },
      broke: () => groups.clear(),
    };
  }

  /** Accounts that were read from a node: they count where no stream has told of a later place. */
  put(slot: number, accounts: readonly AccountWrite[], arrivedNs: number): void {
    this.#arrivedNs = arrivedNs;
    this.#write(slot, 0, accounts);
  }

  /** A snapshot says how all accounts are: what was known before counts no more. */
  restart(): void {
    this.#places.clear();
    this.#touchedSlots.clear();
  }

  #slot(update: LiveUpdate & { kind: "slot" }, gauge: StreamGauge): void {
    gauge.newestSlot = Math.max(gauge.newestSlot, update.slot);
    if (update.status === "dead" || update.status === "finalized" || update.slot <= this.#startedSlot) return;
    this.#startedSlot = update.slot;
    gauge.first++;
    this.#prune(update.slot);
    this.#emit({ kind: "slot", slot: BigInt(update.slot), slotStartMs: this.#options.wallMs() });
  }

  #event(event: StreamEvent, gauge: StreamGauge): void {
    if (event.kind === "writes") {
      this.#write(event.slot, event.index, event.accounts);
      return;
    }
    const { transaction, accounts } = event;
    const slot = Number(transaction.slot);
    const seen = this.#seen.get(transaction.signature);
    if (seen === undefined) {
      gauge.first++;
      this.#seen.set(transaction.signature, { slot, written: accounts.length > 0 });
      const fresh = this.#fresh(slot, transaction.indexInSlot, accounts);
      this.#emit({ kind: "transaction", transaction, accounts: fresh });
      return;
    }
    gauge.repeated++;
    this.counters.repeatedTransactions++;
    // The first to tell of it had no accounts to tell.
    if (seen.written || accounts.length === 0) return;
    seen.written = true;
    this.#write(slot, transaction.indexInSlot, accounts);
  }

  #write(slot: number, index: number, accounts: readonly AccountWrite[]): void {
    const fresh = this.#fresh(slot, index, accounts);
    if (fresh.length > 0) this.#emit({ kind: "writes", slot: BigInt(slot), accounts: fresh });
  }

  /** Those of the accounts whose state is not known from a later place. */
  #fresh(slot: number, index: number, accounts: readonly AccountWrite[]): readonly AccountWrite[] {
    const place = slot * PLACES_PER_SLOT + Math.min(index, END_OF_SLOT);
    const fresh = accounts.filter(({ address }) => (this.#places.get(address) ?? -1) <= place);
    this.counters.staleWrites += accounts.length - fresh.length;
    for (const { address } of fresh) this.#places.set(address, place);
    if (fresh.length > 0) this.#touchedSlots.add(slot);
    return fresh;
  }

  /** Forgets what is too old to come again. */
  #prune(slot: number): void {
    if (slot < this.#prunedSlot + REMEMBERED_SLOTS / 2) return;
    this.#prunedSlot = slot;
    const oldest = slot - REMEMBERED_SLOTS;
    for (const [signature, seen] of this.#seen) if (seen.slot < oldest) this.#seen.delete(signature);
    for (const [address, place] of this.#places) if (place < oldest * PLACES_PER_SLOT) this.#places.delete(address);
    for (const touched of this.#touchedSlots) if (touched < oldest) this.#touchedSlots.delete(touched);
  }

  #emit(event: Untimed<MarketEvent>): void {
    this.#options.sink({ ...event, arrivedNs: this.#arrivedNs } as MarketEvent);
  }
}

type Untimed<Event> = Event extends MarketEvent ? Omit<Event, "arrivedNs"> : never;
