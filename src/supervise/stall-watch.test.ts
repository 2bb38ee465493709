import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LOOK_EVERY_MS, NO_STALLS, StallWatch } from "./stall-watch.ts";

const LIMIT_MS = 60;

/** Looks every LOOK_EVERY_MS at a process that beats at the times given; answers what was found, and when. */
function watchBeats(beatsAtMs: readonly number[], untilMs: number, looksAtMs?: readonly number[]) {
  const watch = new StallWatch(LIMIT_MS);
  watch.restart(0);
  const found: { kind: string; atMs: number; lengthMs?: number }[] = [];
  const times =
    looksAtMs ?? Array.from({ length: Math.floor(untilMs / LOOK_EVERY_MS) + 1 }, (_, i) => i * LOOK_EVERY_MS);
  for (const atMs of times) {
    const beats = beatsAtMs.filter((at) => at <= atMs).length;
    const seen = watch.look(beats, true, atMs);
    if (seen !== undefined) found.push({ ...seen, atMs });
  }
  return { watch, found };
}

const every = (ms: number, untilMs: number) => Array.from({ length: Math.floor(untilMs / ms) }, (_, i) => (i + 1) * ms);

describe("StallWatch", () => {
  test("a process that beats every 20 ms never stalls", () => {
    const { watch, found } = watchBeats(every(20, 10_000), 10_000);
    expect(found).toEqual([]);
    expect(watch.figures).toEqual(NO_STALLS);
  });

  test("a stall at any instant is seen within 100 ms, once, and its length is told when it ends", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 2_000 }), fc.integer({ min: 120, max: 5_000 }), (beganAtMs, lengthMs) => {
        const endMs = beganAtMs + lengthMs;
        const beats = [...every(20, beganAtMs), ...every(20, 1_000).map((at) => endMs + at)];
        const { watch, found } = watchBeats(beats, endMs + 1_000);
        expect(found.map(({ kind }) => kind)).toEqual(["stalled", "goesOn"]);
        expect(found[0]?.atMs).toBeGreaterThanOrEqual(beganAtMs);
        expect((found[0]?.atMs ?? 0) - beganAtMs).toBeLessThanOrEqual(100);
        // From its last beat to the next one, to a look.
        expect(Math.abs(watch.figures.totalMs - (lengthMs + 20))).toBeLessThanOrEqual(20 + LOOK_EVERY_MS);
        expect(watch.figures.longestMs).toBe(watch.figures.totalMs);
      }),
    );
  });

  test("a pause of the watcher is not a stall of the process, nor is a step of the clock", () => {
    // The process beat until 105 ms, then both stood still until 900 ms, and both went on.
    const beats = [...every(20, 105), ...every(20, 500).map((at) => 900 + at)];
    const looks = [0, 15, 30, 45, 60, 75, 90, 105, 900, 930, 945, 960, 975, 990, 1005];
    expect(watchBeats(beats, 0, looks).found).toEqual([]);
    const stepped = [0, 15, 30, 45, 3_600_000, 3_600_015, 15, 30, 45];
    expect(watchBeats([1, 20, 40, 3_600_010], 0, stepped).found).toEqual([]);
  });

  test("a process that does not serve yet, or no more, is silent without a stall", () => {
    const watch = new StallWatch(LIMIT_MS);
    watch.restart(0);
    for (let atMs = 0; atMs < 1_000; atMs += LOOK_EVERY_MS) expect(watch.look(7, false, atMs)).toBeUndefined();
    expect(watch.silentMs).toBeGreaterThan(900);
    expect(watch.figures.count).toBe(0);
  });

  test("a new life begins without the silence of the old one, and keeps the figures", () => {
    const watch = new StallWatch(LIMIT_MS);
    watch.restart(0);
    for (let atMs = 0; atMs < 500; atMs += LOOK_EVERY_MS) watch.look(1, true, atMs);
    expect(watch.figures.count).toBe(1);
    watch.restart(10_000);
    expect(watch.silentMs).toBe(0);
    expect(watch.look(1, true, 10_015)).toBeUndefined();
    expect(watch.figures.count).toBe(1);
  });
});
