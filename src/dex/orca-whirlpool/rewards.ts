/** Rewards of a pool as time goes by (`manager/whirlpool_manager.rs`). No swap's amounts depend on them; its accounts do. */
import { U128_MAX } from "./limits.ts";
import type { RewardInfo, Whirlpool } from "./state.ts";

type RewardPool = Pick<Whirlpool, "liquidity" | "rewardLastUpdatedTimestamp" | "rewardInfos">;

/** At a time that is not before the last update. */
export function rewardsAt(pool: RewardPool, unixSeconds: bigint): readonly RewardInfo[] {
  const { liquidity, rewardInfos } = pool;
  const seconds = unixSeconds - pool.rewardLastUpdatedTimestamp;
  if (liquidity === 0n || seconds === 0n) return rewardInfos;
  return rewardInfos.map((reward) => {
    const emitted = seconds * reward.emissionsPerSecondX64;
    // An emission that does not fit pays nothing.
    if (!reward.initialized || emitted === 0n || emitted > U128_MAX) return reward;
    return { ...reward, growthGlobalX64: (reward.growthGlobalX64 + emitted / liquidity) & U128_MAX };
  });
}
