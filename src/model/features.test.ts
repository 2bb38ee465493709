import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  createFeatureInput,
  createFeatureRow,
  FEATURES,
  type FeatureInput,
  fillFeatures,
  setTipFeatures,
} from "./features.ts";

const ANY: FeatureInput = {
  grossLamports: 10_000_000,
  inputLamports: 2_000_000_000,
  hops: 3,
  inputShareMax: 0.125,
  feeBpsSum: 75,
  reserveMinLamports: 1_000_000_000_000,
  eventAgeMs: 1.5,
  slotProgress: 0.25,
  recentTipMedianLamports: 100_000,
  recentLandedShare: 0.5,
  recentOutbidShare: 0.25,
};

const rowOf = (input: FeatureInput, tipLamports: number): Float32Array => {
  const row = createFeatureRow().fill(Number.NaN);
  fillFeatures(row, input);
  setTipFeatures(row, tipLamports, input);
  return row;
};

/** What the list names, by name: the value of a feature cannot hide behind its place. */
const named = (row: Float32Array) => Object.fromEntries(FEATURES.map((feature, i) => [feature.name, row[i]]));

describe("fillFeatures() and setTipFeatures()", () => {
  test("put each value in the place of its name", () => {
    expect(named(rowOf(ANY, 1_000_000))).toEqual({
      gross_log10: 7,
      input_log10: Math.fround(Math.log10(2e9)),
      margin_bps: 50,
      hops: 3,
      input_share_max: 0.125,
      fee_bps_sum: 75,
      reserve_min_log10: 12,
      event_age_ms: 1.5,
      slot_progress: 0.25,
      recent_tip_log10: 5,
      recent_landed_share: 0.5,
      recent_outbid_share: 0.25,
      tip_log10: 6,
      tip_share: Math.fround(0.1),
      tip_over_recent_log10: 1,
    });
  });

  test("setTipFeatures() rewrites the tipped features and no other", () => {
    const before = rowOf(ANY, 10_000);
    const after = before.slice();
    setTipFeatures(after, 3_000_000, ANY);
    FEATURES.forEach((feature, i) => {
      if (feature.tipped) expect(after[i]).toBeGreaterThan(before[i] as number);
      else expect(after[i]).toBe(before[i] as number);
    });
  });

  test("fillFeatures() leaves nothing of an earlier opportunity's tip", () => {
    const row = rowOf(ANY, 1_000_000);
    fillFeatures(row, ANY);
    FEATURES.forEach((feature, i) => {
      if (feature.tipped) expect(row[i]).toBe(0);
    });
  });

  test("an agent that has seen nothing yet gives a neutral row", () => {
    const row = named(rowOf({ ...createFeatureInput(), grossLamports: 1_000 }, 500));
    expect(row["tip_over_recent_log10"]).toBe(0);
    expect(row["recent_tip_log10"]).toBe(0);
    expect(row["tip_share"]).toBe(0.5);
  });

  test("every value lies in the range its feature names, whatever comes in", () => {
    const wild = fc.oneof(
      fc.double(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, 1e300),
    );
    const input = fc.record(Object.fromEntries(Object.keys(ANY).map((key) => [key, wild])));
    fc.assert(
      fc.property(input, wild, (values, tipLamports) => {
        const row = rowOf(values as FeatureInput, tipLamports);
        FEATURES.forEach((feature, i) => {
          expect(row[i]).toBeGreaterThanOrEqual(feature.low);
          expect(row[i]).toBeLessThanOrEqual(feature.high);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test("names are unique and the tipped features stand last", () => {
    expect(new Set(FEATURES.map((feature) => feature.name)).size).toBe(FEATURES.length);
    const firstTipped = FEATURES.findIndex((feature) => feature.tipped);
    expect(FEATURES.every((feature, i) => feature.tipped === i >= firstTipped)).toBe(true);
  });
});
