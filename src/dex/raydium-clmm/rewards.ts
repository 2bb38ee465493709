/** Rewards that liquidity earns by the second: a swap first brings them up to the clock (`PoolState::update_reward_infos`). */
import { U64_MAX } from "#dex/refusals.ts";
import { U128_MAX } from "./amounts.ts";
import type { ClmmReward } from "./decode.ts";
import type { ClmmBuild, ClmmRefusal } from "./refusals.ts";

/** The rewards as of `now`, unix seconds; the build of 2024 refuses what does not fit, the one of 2026 lets it wrap. */
export function advanceRewards(
  rewards: readonly ClmmReward[],
  liquidity: bigint,
  now: bigint,
  build: ClmmBuild,
): readonly ClmmReward[] | ClmmRefusal {
  if (rewards.every((reward) => !reward.initialized)) return rewards;
  const advanced: ClmmReward[] = [];
  for (const reward of rewards) {
    const next = isRunning(reward, now, build) ? advanceReward(reward, liquidity, now, build) : reward;
    if (typeof next === "string") return next;
    advanced.push(next);
  }
  return advanced;
}

const isRunning = (reward: ClmmReward, now: bigint, build: ClmmBuild): boolean =>
  reward.initialized && now > reward.openTime && (build === "2024" || reward.totalEmissioned !== U64_MAX);

function advanceReward(reward: ClmmReward, liquidity: bigint, now: bigint, build: ClmmBuild): ClmmReward | ClmmRefusal {
  const lastUpdateTime = now < reward.endTime ? now : reward.endTime;
  if (liquidity === 0n) return { ...reward, lastUpdateTime };
  const seconds = lastUpdateTime - reward.lastUpdateTime;
  if (build === "2024") {
    if (seconds < 0n) return "RequireGteViolated";
    const growthGlobalX64 = reward.growthGlobalX64 + (seconds * reward.emissionsPerSecondX64) / liquidity;
    const totalEmissioned = reward.totalEmissioned + emissioned(seconds, reward);
    if (growthGlobalX64 > U128_MAX || totalEmissioned > U64_MAX) return "CalculateOverflow";
    return { ...reward, lastUpdateTime, growthGlobalX64, totalEmissioned };
  }
  if (seconds <= 0n) return reward;
  const left = U64_MAX - reward.totalEmissioned;
  const wanted = orZero(emissioned(seconds, reward));
  const growth =
    wanted <= left ? orZero((seconds * reward.emissionsPerSecondX64) / liquidity) : orZero((left << 64n) / liquidity);
  return {
    ...reward,
    lastUpdateTime,
    growthGlobalX64: BigInt.asUintN(128, reward.growthGlobalX64 + growth),
    totalEmissioned: wanted <= left ? reward.totalEmissioned + wanted : U64_MAX,
  };
}

const emissioned = (seconds: bigint, reward: ClmmReward): bigint =>
  (seconds * reward.emissionsPerSecondX64 + U64_MAX) >> 64n;

/** The build of 2026 takes what no u128 holds for nothing. */
const orZero = (amount: bigint): bigint => (amount > U128_MAX ? 0n : amount);
