/** The slot tracker in foul weather: on a stream made by hand, and on a recorded Yellowstone stream. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { readUpdate } from "#market/live/read-update.ts";
import { readRecordedStream } from "#market/live/recorded-stream.ts";
import { built, type SlotUpdate, status, track } from "#market/live/test-slots.ts";
import { disturbed, looped, undisturbed } from "./support/stream-storm.ts";

const STREAM = join(SHARED_DATA, "vixen-geyser-stream", "sample.bin.gz");
const there = existsSync(STREAM);
if (!there) console.warn(`SKIPPED: the recorded Yellowstone stream: not found at ${STREAM}`);

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
