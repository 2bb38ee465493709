/** Slots of a stream made by hand, and a tracker over them, for the tests. */
import { SlotTracker, type TrackedSlot } from "./slot-tracker.ts";
import type { LiveUpdate, SlotStatus } from "./update.ts";

export type SlotUpdate = Extract<LiveUpdate, { readonly slot: number }>;
export const status = (slot: number, parent: number, name: SlotStatus): SlotUpdate => ({
  kind: "slot",
  slot,
  parent,
  status: name,
});
export const entry = (slot: number, index: number): SlotUpdate => ({
  kind: "entry",
  slot,
  index,
  transactions: index + 1,
});
const block = (slot: number, parent: number, entries: number): SlotUpdate => ({
  kind: "block",
  slot,
  parent,
  blockhash: `hash ${slot}`,
  entries,
  transactions: (entries * (entries + 1)) / 2,
});
export const built = (slot: number, parent = slot - 1, entries = 3): SlotUpdate[] => [
  status(slot, parent, "createdBank"),
  ...Array.from({ length: entries }, (_, index) => entry(slot, index)),
  status(slot, parent, "processed"),
  block(slot, parent, entries),
];

/** What a tracker says of them. */
export function track(updates: Iterable<LiveUpdate>, behindMax: number) {
  const gaps: string[] = [];
  const abandoned: number[] = [];
  const done: TrackedSlot[] = [];
  const tracker = new SlotTracker({
    entries: true,
    behindMax,
    onGap: (slot, why) => gaps.push(`${slot}: ${why}`),
    onAbandoned: (slot) => abandoned.push(slot),
    onDone: (slot) => done.push(slot),
  });
  for (const update of updates) tracker.take(update);
  return { tracker, gaps, abandoned, done };
}
