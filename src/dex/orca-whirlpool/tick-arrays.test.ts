import { describe, expect, test } from "bun:test";
import { REFUSAL } from "./refusals.ts";
import type { Tick } from "./state.ts";
import { isStartTick, nextInitializedTick, startTickIndexes, tickAt, tickSequence } from "./tick-arrays.ts";

const TICK: Tick = {
  liquidityNet: 1n,
  liquidityGross: 1n,
  feeGrowthOutsideA: 0n,
  feeGrowthOutsideB: 0n,
  rewardGrowthsOutside: [],
};
/** An array of spacing 64 with ticks at these places. */
const array = (startTickIndex: number, ...places: number[]) => ({
  startTickIndex,
  ticks: Array.from({ length: 88 }, (_, i) => (places.includes(i) ? TICK : undefined)),
});

describe("startTickIndexes()", () => {
  test.each([
    ["down from the middle of an array", -32_101, true, [-33_792, -39_424, -45_056]],
    ["up from the middle of an array", -32_101, false, [-33_792, -28_160, -22_528]],
    ["down from the last spacing of an array", 5_631, true, [0, -5_632, -11_264]],
    ["up from the last spacing of an array, one array on", 5_568, false, [5_632, 11_264, 16_896]],
    ["up from just before it", 5_567, false, [0, 5_632, 11_264]],
    ["down where the ticks end", -443_636, true, [-444_928]],
    ["up where the ticks end", 443_500, false, [439_296]],
  ])("names the arrays %s", (_, tick, aToB, starts) => {
    expect(startTickIndexes(tick, 64, aToB)).toEqual(starts);
  });

  test("names the two halves of a full-range pool", () => {
    expect(startTickIndexes(5, 32_896, true)).toEqual([0, -2_894_848]);
    expect(startTickIndexes(5, 32_896, false)).toEqual([0]);
  });
});

test("isStartTick() knows the one start below the lowest tick", () => {
  expect([-444_928, -450_560, -444_864, 0, 64, 439_296, 444_928].map((tick) => isStartTick(tick, 64))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
    false,
  ]);
});

describe("nextInitializedTick()", () => {
  const up = [array(0, 3, 87), array(5_632, 0), array(11_264)];

  test("finds a tick downwards from itself and upwards after itself", () => {
    expect(nextInitializedTick([array(0, 3)], 192, 64, true, 0)).toEqual({ arrayIndex: 0, tickIndex: 192 });
    expect(nextInitializedTick(up, 191, 64, false, 0)).toEqual({ arrayIndex: 0, tickIndex: 192 });
    expect(nextInitializedTick(up, 192, 64, false, 0)).toEqual({ arrayIndex: 0, tickIndex: 5_568 });
  });

  test("goes on in the next array", () => {
    expect(nextInitializedTick(up, 5_568, 64, false, 1)).toEqual({ arrayIndex: 1, tickIndex: 5_632 });
    expect(nextInitializedTick([array(0), array(-5_632, 9)], 100, 64, true, 0)).toEqual({
      arrayIndex: 1,
      tickIndex: -5_056,
    });
  });

  test("stops where the last array ends", () => {
    expect(nextInitializedTick(up, 5_632, 64, false, 1)).toEqual({ arrayIndex: 2, tickIndex: 16_895 });
    expect(nextInitializedTick([array(0)], 100, 64, true, 0)).toEqual({ arrayIndex: 0, tickIndex: 0 });
  });

  test("stops where all ticks end", () => {
    expect(nextInitializedTick([array(-444_928)], -443_000, 64, true, 0)).toEqual({
      arrayIndex: 0,
      tickIndex: -443_636,
    });
    expect(nextInitializedTick([array(439_296)], 443_000, 64, false, 0)).toEqual({ arrayIndex: 0, tickIndex: 443_636 });
  });

  test("refuses as the program does", () => {
    expect(nextInitializedTick(up, 100, 64, true, 1)).toBe(REFUSAL.invalidTickArraySequence);
    expect(nextInitializedTick(up, 16_895, 64, false, 3)).toBe(REFUSAL.tickArraySequenceInvalidIndex);
  });
});

test("tickAt() answers only where a tick can be", () => {
  const ticks = array(0, 3);
  expect([tickAt(ticks, 192, 64), tickAt(ticks, 193, 64), tickAt(ticks, 256, 64), tickAt(ticks, 5_632, 64)]).toEqual([
    TICK,
    undefined,
    undefined,
    undefined,
  ]);
});

test("tickSequence() counts an array that is missing as empty", () => {
  const sequence = tickSequence(new Map([[0, array(0, 3)]]), 100, 64, false);
  expect(sequence.map(({ startTickIndex, ticks }) => [startTickIndex, ticks.filter(Boolean).length])).toEqual([
    [0, 1],
    [5_632, 0],
    [11_264, 0],
  ]);
});
