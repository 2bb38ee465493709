import { expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { U128_MAX } from "./limits.ts";
import { rewardsAt } from "./rewards.ts";

const reward = (growthGlobalX64: bigint, emissionsPerSecondX64: bigint, initialized = true) => ({
  mint: "mint" as Address,
  vault: "vault" as Address,
  initialized,
  emissionsPerSecondX64,
  growthGlobalX64,
});
const growthOf = (rewards: readonly { readonly growthGlobalX64: bigint }[]) =>
  rewards.map(({ growthGlobalX64 }) => growthGlobalX64);

test("rewardsAt() adds what was emitted per unit of liquidity, rounded down, and counts round at 128 bits", () => {
  const rewardInfos = [reward(5n, 100n), reward(U128_MAX, 100n), reward(7n, 100n, false)];
  const pool = { liquidity: 300n, rewardLastUpdatedTimestamp: 10n, rewardInfos };
  expect(growthOf(rewardsAt(pool, 20n))).toEqual([8n, 2n, 7n]);
});

test("rewardsAt() pays nothing for an emission that does not fit", () => {
  const pool = { liquidity: 1n, rewardLastUpdatedTimestamp: 0n, rewardInfos: [reward(5n, U128_MAX)] };
  expect(growthOf(rewardsAt(pool, 2n))).toEqual([5n]);
});

test("rewardsAt() leaves rewards as they are without liquidity or time", () => {
  const rewardInfos = [reward(5n, 100n)];
  expect(rewardsAt({ liquidity: 0n, rewardLastUpdatedTimestamp: 0n, rewardInfos }, 9n)).toBe(rewardInfos);
  expect(rewardsAt({ liquidity: 1n, rewardLastUpdatedTimestamp: 9n, rewardInfos }, 9n)).toBe(rewardInfos);
});
