/** Slots, forks and gaps on streams made by hand; test/market-storm.test.ts has the recorded one and foul weather. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { built, entry, type SlotUpdate, status, track } from "./test-slots.ts";
import type { LiveUpdate } from "./update.ts";

describe("SlotTracker", () => {
  test("lets complete slots go in order and tells no gap, also over a skipped slot", () => {
    const { tracker, gaps, done } = track([built(10), built(11), built(13, 11), built(14)].flat(), 8);
    tracker.end();
    expect(gaps).toEqual([]);
    expect(done.map(({ slot, entries, parent }) => [slot, entries, parent])).toEqual([
      [10, 3, 9],
      [11, 3, 10],
      [13, 3, 11],
      [14, 3, 13],
    ]);
  });

  test("tells a lost entry, a lost summary and a slot that is missing whole", () => {
    const updates = [built(10), built(11), built(12), built(13), built(15)].flat();
    const lost = updates.filter(
      (update) =>
        !(update.kind === "entry" && update.slot === 11 && update.index === 1) &&
        !(update.kind === "block" && update.slot === 12),
    );
    const { tracker, gaps } = track(lost, 8);
    tracker.end();
    expect(gaps).toEqual([
      "11: 2 of 3 entries came",
      "12: the block's summary is missing",
      "14: nothing of it came, and no later slot says that it was skipped",
    ]);
  });

  test("a finalized slot makes its ancestors final and abandons the fork beside them", () => {
    const updates = [built(10), built(11), built(12, 10), built(13, 12), [status(13, 12, "finalized")]].flat();
    const { tracker, abandoned, done } = track(updates, 8);
    expect(abandoned).toEqual([11]);
    tracker.end();
    expect(done.map(({ slot, abandoned: lost }) => [slot, lost])).toEqual([
      [10, false],
      [11, true],
      [12, false],
      [13, false],
    ]);
  });

  test("a dead slot is abandoned at once, once, and is no gap", () => {
    const updates = [built(10), [entry(11, 0), status(11, 10, "dead"), status(11, 10, "dead")], built(12, 10)].flat();
    const { tracker, abandoned, gaps } = track(updates, 8);
    tracker.end();
    expect(abandoned).toEqual([11]);
    expect(gaps).toEqual([]);
  });

  test("resumeSlot() is the first slot that is not complete", () => {
    const { tracker } = track([...built(10), ...built(11), entry(12, 0), ...built(13)], 8);
    expect(tracker.resumeSlot()).toBe(12);
  });

  test("refuses a slot far beyond the newest and stays bounded", () => {
    const { tracker } = track([...built(10), entry(10_000_000, 0), ...built(11)], 8);
    expect(tracker.counters.refused).toBe(1);
    expect(tracker.newestSlot).toBe(11);
  });

  test("repeats and any order inside its room end in the same state", () => {
    const updates = [built(10), built(11), built(12, 10), built(13, 12), [status(13, 12, "finalized")]].flat();
    const [first, ...rest] = updates as [SlotUpdate, ...SlotUpdate[]];
    const ended = (order: readonly LiveUpdate[]) => {
      const { tracker, done, gaps, abandoned } = track(order, 64);
      tracker.end();
      return JSON.stringify([done, gaps, abandoned]);
    };
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...rest.keys()], { minLength: rest.length }),
        fc.array(fc.nat(rest.length - 1)),
        (order, again) => {
          const shuffled = [...order, ...again].map((place) => rest[place] as SlotUpdate);
          expect(ended([first, ...shuffled])).toBe(ended(updates));
        },
      ),
    );
  });
});
