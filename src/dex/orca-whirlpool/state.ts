/** What the accounts of a Whirlpool hold, as values; fields named as in the program. Prices are square roots, Q64.64. */
import type { Address } from "#core/units.ts";

export type RewardInfo = {
  readonly mint: Address;
  readonly vault: Address;
  /** A reward has a mint once it is set up, and then for ever. */
  readonly initialized: boolean;
  readonly emissionsPerSecondX64: bigint;
  readonly growthGlobalX64: bigint;
};

export type Whirlpool = {
  readonly whirlpoolsConfig: Address;
  readonly tickSpacing: number;
  readonly feeTierIndex: number;
  /** Millionths of the input. */
  readonly feeRate: number;
  /** Ten-thousandths of the fee. */
  readonly protocolFeeRate: number;
  readonly liquidity: bigint;
  readonly sqrtPrice: bigint;
  readonly tickCurrentIndex: number;
  readonly protocolFeeOwedA: bigint;
  readonly protocolFeeOwedB: bigint;
  readonly tokenMintA: Address;
  readonly tokenVaultA: Address;
  readonly feeGrowthGlobalA: bigint;
  readonly tokenMintB: Address;
  readonly tokenVaultB: Address;
  readonly feeGrowthGlobalB: bigint;
  readonly rewardLastUpdatedTimestamp: bigint;
  readonly rewardInfos: readonly RewardInfo[];
};

/** An initialised tick. */
export type Tick = {
  readonly liquidityNet: bigint;
  readonly liquidityGross: bigint;
  readonly feeGrowthOutsideA: bigint;
  readonly feeGrowthOutsideB: bigint;
  readonly rewardGrowthsOutside: readonly bigint[];
};

export type TickArray = {
  readonly whirlpool: Address;
  readonly startTickIndex: number;
  /** 88 places, one tick spacing apart; undefined where no tick is initialised. */
  readonly ticks: readonly (Tick | undefined)[];
};

export type AdaptiveFeeConstants = {
  readonly filterPeriod: number;
  readonly decayPeriod: number;
  readonly reductionFactor: number;
  readonly adaptiveFeeControlFactor: number;
  readonly maxVolatilityAccumulator: number;
  readonly tickGroupSize: number;
  readonly majorSwapThresholdTicks: number;
};

export type AdaptiveFeeVariables = {
  readonly lastReferenceUpdateTimestamp: bigint;
  readonly lastMajorSwapTimestamp: bigint;
  readonly volatilityReference: number;
  readonly tickGroupIndexReference: number;
  readonly volatilityAccumulator: number;
};

/** The account of a pool whose fee adapts; pools of a plain fee tier have none. */
export type Oracle = {
  readonly whirlpool: Address;
  readonly tradeEnableTimestamp: bigint;
  readonly constants: AdaptiveFeeConstants;
  readonly variables: AdaptiveFeeVariables;
};

export type FeeTier = {
  readonly whirlpoolsConfig: Address;
  readonly tickSpacing: number;
  readonly defaultFeeRate: number;
};

export type AdaptiveFeeTier = {
  readonly whirlpoolsConfig: Address;
  readonly feeTierIndex: number;
  readonly tickSpacing: number;
  readonly initializePoolAuthority: Address;
  readonly delegatedFeeAuthority: Address;
  readonly defaultBaseFeeRate: number;
  readonly constants: AdaptiveFeeConstants;
};
