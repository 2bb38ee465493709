/** Slots, forks and gaps: on streams made by hand, and on a recorded one in fair and in foul weather. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { seededRandom } from "#core/random.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { disturbed, looped, undisturbed } from "../../../test/support/stream-storm.ts";
import { readUpdate } from "./read-update.ts";
import { readRecordedStream } from "./recorded-stream.ts";
import { SlotTracker, type TrackedSlot } from "./slot-tracker.ts";
import type { LiveUpdate, SlotStatus } from "./update.ts";

const STREAM = join(SHARED_DATA, "vixen-geyser-stream", "sample.bin.gz");
const there = existsSync(STREAM);
if (!there) console.warn(`SKIPPED: the recorded Yellowstone stream: not found at ${STREAM}`);

type SlotUpdate = Extract<LiveUpdate, { readonly slot: number }>;
const status = (slot: number, parent: number, name: SlotStatus): SlotUpdate => ({
  kind: "slot",
  slot,
  parent,
  status: name,
});
const entry = (slot: number, index: number): SlotUpdate => ({ kind: "entry", slot, index, transactions: index + 1 });
const block = (slot: number, parent: number, entries: number): SlotUpdate => ({
  kind: "block",
  slot,
  parent,
  blockhash: `hash ${slot}`,
  entries,
  transactions: (entries * (entries + 1)) / 2,
});
const built = (slot: number, parent = slot - 1, entries = 3): SlotUpdate[] => [
  status(slot, parent, "createdBank"),
  ...Array.from({ length: entries }, (_, index) => entry(slot, index)),
  status(slot, parent, "processed"),
  block(slot, parent, entries),
];

function track(updates: Iterable<LiveUpdate>, behindMax = 8) {
  const gaps: string[] = [];
  const abandoned: number[] = [];
  const done: TrackedSlot[] = [];
  const tracker = new SlotTracker({
    entries: true,
    behindMax,
    onGap: (slot, _to, why) => gaps.push(`${slot}: ${why}`),
    onAbandoned: (slot) => abandoned.push(slot),
    onDone: (slot) => done.push(slot),
  });
  for (const update of updates) tracker.take(update);
  return { tracker, gaps, abandoned, done };
}

describe("SlotTracker", () => {
  test("lets complete slots go in order and tells no gap, also over a skipped slot", () => {
    const { tracker, gaps, done } = track([built(10), built(11), built(13, 11), built(14)].flat());
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
    const { tracker, gaps } = track(lost);
    tracker.end();
    expect(gaps).toEqual([
      "11: 2 of 3 entries came",
      "12: the block's summary is missing",
      "14: nothing of it came, and no later slot says that it was skipped",
    ]);
  });

  test("a finalized slot makes its ancestors final and abandons the fork beside them", () => {
    const updates = [built(10), built(11), built(12, 10), built(13, 12), [status(13, 12, "finalized")]].flat();
    const { tracker, abandoned, done } = track(updates);
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
    const { tracker, abandoned, gaps } = track(updates);
    tracker.end();
    expect(abandoned).toEqual([11]);
    expect(gaps).toEqual([]);
  });

  test("resumeSlot() is the first slot that is not complete", () => {
    const { tracker } = track([...built(10), ...built(11), entry(12, 0), ...built(13)]);
    expect(tracker.resumeSlot()).toBe(12);
  });

  test("refuses a slot far beyond the newest and stays bounded", () => {
    const { tracker } = track([...built(10), entry(10_000_000, 0), ...built(11)]);
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

/** Slots with a skip and, if wanted, a fork here and there, in the order of their making. */
function made(slots: number, forks = true): SlotUpdate[] {
  const updates: SlotUpdate[] = [];
  let parent = 99;
  for (let slot = 100; slot < 100 + slots; slot++) {
    if (slot % 17 === 0) continue;
    const fork = forks && slot % 13 === 0;
    updates.push(...built(slot, parent, 4 + (slot % 5)));
    if (!fork) parent = slot;
    const final = slot - 31;
    if (final >= 100 && final % 17 !== 0 && (!forks || final % 13 !== 0))
      updates.push(status(final, final - 1, "finalized"));
  }
  return updates;
}

describe("SlotTracker in a storm", () => {
  const weather = { disconnect: 0.002, duplicate: 0.02, reorder: 0.02 };

  for (const seed of ["a", "b", "c"]) {
    test(`ends where the undisturbed run ends when streams resume (${seed})`, () => {
      const fair = undisturbed(made(400));
      const foul = disturbed(made(400), { ...weather, random: seededRandom(seed), forgets: 0 });
      expect(foul.disconnects).toBeGreaterThan(0);
      expect(foul.digest).toBe(fair.digest);
      expect(foul.gaps).toEqual([...fair.gaps]);
    });

    test(`leaves no gap untold when the server forgets (${seed})`, () => {
      // A fork that was lost whole looks like a slot that was skipped, and nothing of it has happened.
      const foul = disturbed(made(400, false), { ...weather, random: seededRandom(seed), forgets: 1 });
      expect(foul.lostSlots.size).toBeGreaterThan(0);
      expect(foul.untold).toEqual([]);
    });
  }
});

describe.skipIf(!there)("the recorded Yellowstone stream", () => {
  const updates = there ? readRecordedStream(STREAM).map(readUpdate) : [];
  const of = (kind: string) => updates.filter((update) => update?.kind === kind);
  const slots = () => updates.filter((update) => update !== undefined && update.kind !== "ping") as SlotUpdate[];

  test("holds 40,186 messages: 39,840 entries, 295 slot statuses, 50 blocks, one ping", () => {
    expect(updates).toHaveLength(40_186);
    expect([of("entry").length, of("slot").length, of("block").length, of("ping").length]).toEqual([
      39_840, 295, 50, 1,
    ]);
  });

  test("is 50 slots in one chain, each with as many entries and transactions as its block says", () => {
    const { tracker, gaps, done, abandoned } = track(slots(), 64);
    tracker.end();
    expect(done.map(({ slot }) => slot)).toEqual(Array.from({ length: 50 }, (_, i) => 398_202_772 + i));
    expect(done.every(({ slot, parent }) => parent === slot - 1)).toBe(true);
    expect(abandoned).toEqual([]);
    expect(gaps).toEqual(["398202772: 57 of 503 entries came, the stream joined in it"]);
    for (const { entries, transactions, block: summary } of done.slice(1))
      expect({ entries, transactions }).toEqual({
        entries: summary?.entries ?? -1,
        transactions: summary?.transactions ?? -1,
      });
    expect(done.reduce((sum, { entries }) => sum + entries, 0)).toBe(39_840);
  });

  test("looped in a storm ends in the state of the undisturbed run", () => {
    const fair = undisturbed(looped(slots(), 2));
    const foul = disturbed(looped(slots(), 2), {
      random: seededRandom("vixen"),
      disconnect: 0.0003,
      duplicate: 0.02,
      reorder: 0.02,
      forgets: 0,
    });
    expect(foul.disconnects).toBeGreaterThan(5);
    expect(foul.digest).toBe(fair.digest);
    expect(foul.gaps).toEqual([...fair.gaps]);
  }, 60_000);
});
