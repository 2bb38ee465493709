import { describe, expect, test } from "bun:test";
import type { ClmmReward } from "./decode.ts";
import type { ClmmBuild, ClmmRefusal } from "./refusals.ts";
import { advanceRewards } from "./rewards.ts";

const U64_MAX = 2n ** 64n - 1n;
const REWARD: ClmmReward = {
  initialized: true,
  openTime: 100n,
  endTime: 200n,
  lastUpdateTime: 110n,
  emissionsPerSecondX64: 3n << 63n,
  totalEmissioned: 7n,
  growthGlobalX64: 11n,
};
const advance = (reward: Partial<ClmmReward>, now: bigint, build: ClmmBuild, liquidity = 4n) => {
  const rewards = advanceRewards([{ ...REWARD, ...reward }], liquidity, now, build);
  return typeof rewards === "string" ? rewards : rewards[0];
};

describe.each<ClmmBuild>(["2024", "2026"])("advanceRewards() of build %s", (build) => {
  test("counts the seconds since the last time, what is given out rounded up", () => {
    expect(advance({}, 113n, build)).toMatchObject({
      lastUpdateTime: 113n,
      totalEmissioned: 7n + 5n,
      growthGlobalX64: 11n + (3n * (3n << 63n)) / 4n,
    });
  });

  test("stops at the end", () => {
    expect(advance({}, 999n, build)).toMatchObject({ lastUpdateTime: 200n, totalEmissioned: 7n + 135n });
  });

  test("moves only the clock while there is no liquidity", () => {
    expect(advance({}, 113n, build, 0n)).toEqual({ ...REWARD, lastUpdateTime: 113n });
  });

  test.each<[string, Partial<ClmmReward>, bigint]>([
    ["that was never set up", { initialized: false }, 150n],
    ["before it opens", {}, 100n],
  ])("leaves a reward alone %s", (_, reward, now) => {
    expect(advance(reward, now, build)).toEqual({ ...REWARD, ...reward });
  });
});

test.each<[string, Partial<ClmmReward>, ClmmRefusal, Partial<ClmmReward>]>([
  ["a clock that runs back", { lastUpdateTime: 150n }, "RequireGteViolated", { lastUpdateTime: 150n }],
  [
    "more given out than a u64 holds",
    { totalEmissioned: U64_MAX - 1n },
    "CalculateOverflow",
    { totalEmissioned: U64_MAX },
  ],
  [
    "a growth that wraps",
    { growthGlobalX64: 2n ** 128n - 1n },
    "CalculateOverflow",
    { growthGlobalX64: (3n * (3n << 63n)) / 4n - 1n },
  ],
])("advanceRewards() refuses %s in build 2024 only", (_, reward, refusal, after) => {
  const now = reward.lastUpdateTime === undefined ? 113n : 140n;
  expect(advance(reward, now, "2024")).toBe(refusal);
  expect(advance(reward, now, "2026")).toMatchObject(after);
});
