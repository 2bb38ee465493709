/**
 * A bad network between a recorded Yellowstone stream and the slot tracker, out of a seed: connections that break with
 * messages under way, messages that come twice, messages that overtake one another. The server keeps what it sent and
 * goes on from the slot that it is asked for, as Yellowstone's from_slot does, or, where the storm says so, does not.
 */
import { createHash } from "node:crypto";
import type { Random } from "#core/random.ts";
import { SlotTracker, type TrackedSlot } from "#market/live/slot-tracker.ts";
import type { LiveUpdate } from "#market/live/update.ts";

type SlotUpdate = Extract<LiveUpdate, { readonly slot: number }>;

export type Storm = {
  readonly random: Random;
  /** Chances per message. */
  readonly disconnect: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Chance that a broken stream cannot go on where it broke, but only with what comes next. */
  readonly forgets: number;
};

export type StormReport = {
  readonly digest: string;
  readonly counts: SlotTracker["counters"];
  readonly gaps: readonly { readonly slot: number; readonly why: string }[];
  readonly delivered: number;
  readonly disconnects: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Slots of which an entry or the summary was lost for good. */
  readonly lostSlots: ReadonlySet<number>;
  /** Of them those that no gap tells of, though the run went beyond them and they lost no fork. */
  readonly untold: readonly number[];
};

/** Most messages that are under way when a connection breaks, and that one can overtake. */
const UNDER_WAY_MAX = 200;
const OVERTAKES_MAX = 64;

/** The file's updates, pass after pass: each pass begins at the slot after the last one's end, so that the chain goes on. */
export function* looped(updates: readonly SlotUpdate[], passes: number): Generator<SlotUpdate> {
  const slots = updates.filter(({ kind }) => kind === "block").map(({ slot }) => slot);
  const length = Math.max(...slots) - Math.min(...slots) + 1;
  for (let pass = 0; pass < passes; pass++) for (const update of updates) yield shifted(update, pass * length);
}

function shifted(update: SlotUpdate, by: number): SlotUpdate {
  const slot = update.slot + by;
  if (update.kind === "slot") return { ...update, slot, parent: update.parent && update.parent + by };
  return update.kind === "block" ? { ...update, slot, parent: update.parent + by } : { ...update, slot };
}

/** Everything in order, once. */
export function undisturbed(updates: Iterable<SlotUpdate>): StormReport {
  const run = new Run();
  for (const update of updates) run.deliver(update);
  return run.report();
}

export function disturbed(updates: Iterable<SlotUpdate>, storm: Storm): StormReport {
  const { random } = storm;
  const run = new Run();
  /** What the server can send again. */
  const kept: SlotUpdate[] = [];
  let held: { readonly update: SlotUpdate; due: number }[] = [];
  let first = true;
  const pass = (update: SlotUpdate) => {
    // The first message says where the stream joined: it has nothing to be late behind.
    if (!first && random.unit() < storm.reorder) {
      held.push({ update, due: random.between(1, OVERTAKES_MAX) });
      run.reordered++;
    } else run.deliver(update);
    first = false;
    if (random.unit() < storm.duplicate) {
      run.deliver(update);
      run.duplicates++;
    }
    for (const one of held) one.due--;
    for (const { update: late } of held.filter(({ due }) => due <= 0)) run.deliver(late);
    held = held.filter(({ due }) => due > 0);
  };
  let losing = 0;
  let resumes = false;
  for (const update of updates) {
    kept.push(update);
    if (kept.length > 400_000) kept.splice(0, 200_000);
    if (losing > 0) {
      losing--;
      if (!resumes) run.lose(update);
      if (losing === 0 && resumes) for (const again of kept.filter(from(run.tracker.resumeSlot()))) pass(again);
      continue;
    }
    if (!first && random.unit() < storm.disconnect) {
      run.disconnects++;
      losing = random.between(1, UNDER_WAY_MAX);
      resumes = random.unit() >= storm.forgets;
      if (!resumes) {
        kept.length = 0;
        for (const { update: late } of held) run.deliver(late);
        run.lose(update);
      }
      held = [];
      continue;
    }
    pass(update);
  }
  if (losing > 0 && resumes) for (const again of kept.filter(from(run.tracker.resumeSlot()))) run.deliver(again);
  for (const { update } of held) run.deliver(update);
  return run.report();
}

const from = (slot: number) => (update: SlotUpdate) => update.slot >= slot;

class Run {
  delivered = 0;
  disconnects = 0;
  duplicates = 0;
  reordered = 0;
  readonly lostSlots = new Set<number>();
  readonly tracker: SlotTracker;
  readonly #hash = createHash("sha256");
  readonly #abandoned = new Set<number>();
  readonly #gaps: { readonly slot: number; readonly why: string }[] = [];

  constructor() {
    this.tracker = new SlotTracker({
      entries: true,
      onGap: (slot, why) => this.#gaps.push({ slot, why }),
      onAbandoned: (slot) => this.#abandoned.add(slot),
      onDone: (slot) => this.#hash.update(`${stateOf(slot)}\n`),
    });
  }

  deliver(update: SlotUpdate): void {
    this.delivered++;
    this.tracker.take(update);
  }

  /** A lost status may follow from another slot's; a lost entry or summary can only be told as a gap. */
  lose(update: SlotUpdate): void {
    if (update.kind !== "slot") this.lostSlots.add(update.slot);
  }

  report(): StormReport {
    this.tracker.end();
    const { delivered, disconnects, duplicates, reordered, lostSlots } = this;
    const digest = this.#hash.digest("hex");
    const told = new Set([...this.#gaps.map(({ slot }) => slot), ...this.#abandoned]);
    const untold = [...lostSlots].filter((slot) => slot <= this.tracker.newestSlot && !told.has(slot));
    const counts = this.tracker.counters;
    return { digest, counts, gaps: this.#gaps, delivered, disconnects, duplicates, reordered, lostSlots, untold };
  }
}

/** All that is known of a slot in the end. */
const stateOf = ({ slot, parent, statuses, entries, transactions, block, abandoned }: TrackedSlot): string =>
  [
    slot,
    parent,
    statuses,
    entries,
    transactions,
    block?.blockhash,
    block?.entries,
    block?.transactions,
    abandoned,
  ].join();
