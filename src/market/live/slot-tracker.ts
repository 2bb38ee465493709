/**
 * Which slots were seen, how they hang together and what is missing of them. Taking the same update twice, late or in
 * another order changes nothing, so any number of streams, repeats and resumptions end in the same state.
 *
 * A slot is complete when its block's summary came and, where entries are followed, every entry that it counts. Slots
 * are let go in order: as soon as they are complete and final, at the latest `behindMax` slots behind the newest; one
 * that is not complete by then is a gap, told once. A dead slot, or one that lost to a fork that became final, is told
 * as abandoned: nothing that it held has happened.
 */
import type { LiveUpdate, SlotStatus } from "./update.ts";
import { SLOT_STATUSES } from "./update.ts";

export type TrackedSlot = {
  readonly slot: number;
  parent: number | undefined;
  /** A bit for each of SLOT_STATUSES. */
  statuses: number;
  entries: number;
  transactions: number;
  block: { readonly blockhash: string; readonly entries: number; readonly transactions: number } | undefined;
  abandoned: boolean;
};

export type SlotTrackerOptions = {
  /** Whether the stream carries entries, so that a block's can be counted. */
  readonly entries: boolean;
  /** Slots that may wait behind the newest; default 64. */
  readonly behindMax?: number;
  /** Something of this slot is missing. Called once per slot. */
  readonly onGap: (slot: number, why: string) => void;
  readonly onAbandoned?: (slot: number) => void;
  /** The slot as it is for ever. */
  readonly onDone?: (slot: Readonly<TrackedSlot>) => void;
};

const BEHIND_MAX = 64;
/** A slot this far ahead of the newest is a lie or another cluster. */
const AHEAD_MAX = 1_000_000;
const bit = (status: SlotStatus): number => 1 << SLOT_STATUSES.indexOf(status);
const [FINALIZED, DEAD] = [bit("finalized"), bit("dead")];
/** What a slot's statuses say of its ancestors: each of the three commitments holds for them too, and the lower ones. */
function impliedBy(statuses: number): number {
  if ((statuses & FINALIZED) !== 0) return bit("processed") | bit("confirmed") | FINALIZED;
  if ((statuses & bit("confirmed")) !== 0) return bit("processed") | bit("confirmed");
  return statuses & bit("processed");
}

type Slot = TrackedSlot & { readonly seen: Set<number> };

export class SlotTracker {
  readonly counters = { updates: 0, late: 0, refused: 0, gaps: 0, abandoned: 0, done: 0 };
  readonly #options: SlotTrackerOptions;
  readonly #behindMax: number;
  readonly #slots = new Map<number, Slot>();
  #newest = 0;
  /** The newest slot that is known to be final. */
  #final = 0;
  /** The next slot to be let go; undefined before the first update. */
  #next: number | undefined;
  /** The stream joined in the middle of this slot: what came before was never promised. */
  #joined = 0;

  constructor(options: SlotTrackerOptions) {
    this.#options = options;
    this.#behindMax = options.behindMax ?? BEHIND_MAX;
  }

  get newestSlot(): number {
    return this.#newest;
  }

  /** Where a stream that broke has to go on so that nothing is missing; 0 when there is nothing to go on from. */
  resumeSlot(): number {
    for (let slot = this.#next ?? 0; slot > 0 && slot <= this.#newest; slot++) {
      const known = this.#slots.get(slot);
      if (slot !== this.#joined && (known === undefined || !this.#isComplete(known))) return slot;
    }
    return this.#newest;
  }

  take(update: LiveUpdate): void {
    if (update.kind !== "slot" && update.kind !== "entry" && update.kind !== "block") return;
    this.counters.updates++;
    if (this.#next !== undefined && update.slot < this.#next) {
      this.counters.late++;
      return;
    }
    if (this.#newest > 0 && update.slot > this.#newest + AHEAD_MAX) {
      this.counters.refused++;
      return;
    }
    if (this.#next === undefined) this.#next = this.#joined = update.slot;
    this.#newest = Math.max(this.#newest, update.slot);
    const slot = this.#slot(update.slot);
    const { statuses, parent } = slot;
    if (update.kind === "slot") {
      slot.parent ??= update.parent;
      this.#takeStatus(slot, update.status);
    } else if (update.kind === "entry") {
      if (!slot.seen.has(update.index)) {
        slot.seen.add(update.index);
        slot.entries++;
        slot.transactions += update.transactions;
      }
    } else {
      const { blockhash, entries, transactions } = update;
      slot.parent ??= update.parent;
      slot.block ??= { blockhash, entries, transactions };
    }
    if (slot.statuses !== statuses || slot.parent !== parent) this.#relate();
    this.#letGo();
  }

  /** Tells what is still missing of all slots up to the newest, and lets them go: the stream has ended. */
  end(): void {
    while (this.#next !== undefined && this.#next <= this.#newest) this.#release(this.#next);
  }

  #slot(number: number): Slot {
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = {
        slot: number,
        parent: undefined,
        statuses: 0,
        entries: 0,
        transactions: 0,
        block: undefined,
        abandoned: false,
        seen: new Set(),
      };
      this.#slots.set(number, slot);
    }
    return slot;
  }

  #takeStatus(slot: Slot, status: SlotStatus): void {
    slot.statuses |= bit(status) | impliedBy(bit(status));
    if (status === "finalized") this.#final = Math.max(this.#final, slot.slot);
    if (status === "dead") this.#abandon(slot);
  }

  /** Carries on what statuses say of ancestors and forks, whatever the order in which they and the parents came. */
  #relate(): void {
    for (const from of [...this.#slots.keys()].sort((a, b) => b - a)) {
      const slot = this.#slots.get(from) as Slot;
      const parent = slot.parent === undefined ? undefined : this.#slots.get(slot.parent);
      if (parent !== undefined && parent.slot < slot.slot) parent.statuses |= impliedBy(slot.statuses);
    }
    const final = this.#slots.get(this.#final);
    if (final !== undefined) this.#abandonForks(final);
  }

  /** Every slot below a final one that is not among its ancestors lost its fork. */
  #abandonForks(final: Slot): void {
    const chain = new Set<number>();
    let at: Slot | undefined = final;
    for (
      ;
      at !== undefined && !chain.has(at.slot);
      at = at.parent === undefined ? undefined : this.#slots.get(at.parent)
    )
      chain.add(at.slot);
    // Below the last known ancestor nothing can be said yet.
    const known = Math.min(...chain);
    for (const slot of this.#slots.values())
      if (slot.slot < final.slot && slot.slot > known && !chain.has(slot.slot)) this.#abandon(slot);
  }

  #abandon(slot: Slot): void {
    if (slot.abandoned) return;
    slot.abandoned = true;
    this.counters.abandoned++;
    this.#options.onAbandoned?.(slot.slot);
  }

  #isComplete(slot: Slot): boolean {
    if ((slot.statuses & DEAD) !== 0) return true;
    if (slot.block === undefined) return slot.abandoned;
    return !this.#options.entries || slot.entries >= slot.block.entries;
  }

  #letGo(): void {
    while (this.#next !== undefined) {
      const slot = this.#slots.get(this.#next);
      const behind = this.#newest - this.#next;
      const settled = slot !== undefined && (slot.statuses & FINALIZED) !== 0 && this.#isComplete(slot);
      // Half of the room is left to stragglers, so that what the last word on a slot is does not hang on the order.
      if (behind < this.#behindMax / 2 || (!settled && behind < this.#behindMax)) return;
      this.#release(this.#next);
    }
  }

  #release(number: number): void {
    const slot = this.#slots.get(number);
    this.#slots.delete(number);
    this.#next = number + 1;
    if (slot === undefined) {
      // No leader, or lost: a later slot whose parent lies below it says that it was skipped.
      if (!this.#wasSkipped(number))
        this.#gap(number, "nothing of it came, and no later slot says that it was skipped");
      return;
    }
    if (!this.#isComplete(slot)) {
      const { block, entries } = slot;
      const joined = number === this.#joined ? ", the stream joined in it" : "";
      this.#gap(
        number,
        block === undefined
          ? `the block's summary is missing${joined}`
          : `${entries} of ${block.entries} entries came${joined}`,
      );
    }
    this.counters.done++;
    this.#options.onDone?.(slot);
  }

  #wasSkipped(number: number): boolean {
    for (const { slot, parent } of this.#slots.values())
      if (slot > number && parent !== undefined && parent < number) return true;
    return false;
  }

  #gap(slot: number, why: string): void {
    this.counters.gaps++;
    this.#options.onGap(slot, why);
  }
}
