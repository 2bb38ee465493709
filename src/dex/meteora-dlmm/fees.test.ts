import { describe, expect, test } from "bun:test";
import type { StaticParameters } from "./decode.ts";
import { baseFeeRate, feeInside, feeOnTop, protocolFee, referencesAt, totalFeeRate, volatilityAt } from "./fees.ts";

const PARAMETERS: StaticParameters = {
  baseFactor: 8_000,
  filterPeriod: 30,
  decayPeriod: 600,
  reductionFactor: 5_000,
  variableFeeControl: 40_000,
  maxVolatilityAccumulator: 350_000,
  minBinId: -1_000,
  maxBinId: 1_000,
  protocolShare: 500,
  baseFeePowerFactor: 0,
  functionType: 0,
  collectFeeMode: 0,
};
const VARIABLE = {
  volatilityAccumulator: 90_000,
  volatilityReference: 1_000,
  indexReference: 5,
  lastUpdateTimestamp: 1_000n,
};

describe("referencesAt()", () => {
  test.each([
    ["keeps both within the filter period", 1_029n, 5, 1_000],
    ["keeps both before a clock that went back", 900n, 5, 1_000],
    ["decays from the filter period on", 1_030n, 7, 45_000],
    ["decays to the last second of the decay period", 1_599n, 7, 45_000],
    ["forgets from the decay period on", 1_600n, 7, 0],
  ])("%s", (_, now, indexReference, volatilityReference) => {
    expect(referencesAt(now, VARIABLE, PARAMETERS, 7)).toMatchObject({ indexReference, volatilityReference });
  });

  test("gives none where a u32 or an i64 overflows", () => {
    const wild = { ...VARIABLE, volatilityAccumulator: 900_000 };
    expect(referencesAt(1_030n, wild, { ...PARAMETERS, reductionFactor: 10_000 }, 7)).toBeUndefined();
    expect(referencesAt(2n ** 62n, { ...VARIABLE, lastUpdateTimestamp: -(2n ** 63n) }, PARAMETERS, 7)).toBeUndefined();
  });
});

test.each([
  [0, 0, 20_000_000n],
  [0, 10_000, 22_500_000n],
  [0, 10_001, 22_500_501n],
  [0, 350_000, 100_000_000n],
  [1, 0, 100_000_000n],
])("totalFeeRate() with power %i at volatility %i is %s billionths", (power, volatility, rate) => {
  const parameters = { ...PARAMETERS, baseFeePowerFactor: power };
  expect(totalFeeRate(baseFeeRate(parameters, 250), volatility, parameters, 250)).toBe(rate);
});

test("volatilityAt() counts bins from the reference up to the maximum", () => {
  expect(volatilityAt(3, 5, 1_000, 350_000)).toBe(21_000);
  expect(volatilityAt(90, 5, 1_000, 350_000)).toBe(350_000);
});

test("feeInside() and feeOnTop() round up", () => {
  expect(feeInside(1_000n, 20_000_000n)).toBe(20n);
  expect(feeInside(1_001n, 20_000_000n)).toBe(21n);
  expect(feeOnTop(980n, 20_000_000n)).toBe(20n);
  expect(feeOnTop(981n, 20_000_000n)).toBe(21n);
});

test.each([
  ["the pair's share of makers' fees", 1_000n, 70n, 70n, 50n],
  ["half of limit orders' fees, rounded up", 1_001n, 0n, 70n, 501n],
  ["both, split by what they took in", 1_000n, 35n, 70n, 275n],
  ["all of a fee that reached nobody", 1n, 0n, 0n, 1n],
  ["nothing of nothing", 0n, 35n, 70n, 0n],
])("protocolFee() is %s", (_, fee, makerIn, totalIn, protocol) => {
  expect(protocolFee(fee, 500, makerIn, totalIn)).toBe(protocol);
});

test("protocolFee() is none where the share exceeds the fee", () => {
  expect(protocolFee(1_000n, 10_001, 7n, 7n)).toBe(1_000n);
  expect(protocolFee(1_000n, 20_000, 7n, 7n)).toBeUndefined();
});
