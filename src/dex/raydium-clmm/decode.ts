/**
 * Raydium CLMM's pool, config and observation accounts as values. Foreign bytes are checked whole here; what comes out
 * can be relied on. Nothing throws: a refusal is a typed result.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  AMM_CONFIG,
  AMM_CONFIG_BYTES,
  CLMM_DISCRIMINATOR,
  DYNAMIC_FEE_INFO,
  DYNAMIC_FEE_INFO_BYTES,
  FEE_RATE_DENOMINATOR,
  OBSERVATION_STATE_2024,
  OBSERVATION_STATE_2024_BYTES,
  OBSERVATION_STATE_2026,
  OBSERVATION_STATE_2026_BYTES,
  POOL_STATE,
  POOL_STATE_BYTES,
  REWARD_COUNT,
  REWARD_INFO,
  REWARD_INFO_BYTES,
} from "./layout.ts";
import { readI32, readU16, readU32, readU128 } from "./read.ts";
import type { ClmmBuild } from "./refusals.ts";
import { SQRT_PRICE_MAX_X64, SQRT_PRICE_MIN_X64, TICK_MAX, TICK_MIN } from "./tick-math.ts";

export type ClmmReward = {
  /** False in a place that no reward was ever set up in. */
  readonly initialized: boolean;
  readonly openTime: bigint;
  readonly endTime: bigint;
  readonly lastUpdateTime: bigint;
  readonly emissionsPerSecondX64: bigint;
  readonly totalEmissioned: bigint;
  readonly growthGlobalX64: bigint;
};

/** A fee that follows volatility, since 2026. */
type ClmmDynamicFee = {
  readonly filterPeriod: number;
  readonly decayPeriod: number;
  readonly reductionFactor: number;
  readonly dynamicFeeControl: number;
  readonly maxVolatilityAccumulator: number;
  readonly tickSpacingIndexReference: number;
  readonly volatilityReference: number;
  readonly volatilityAccumulator: number;
  readonly lastUpdateTimestamp: bigint;
};

export type ClmmPoolState = {
  readonly ammConfig: Address;
  readonly mints: readonly [Address, Address];
  readonly vaults: readonly [Address, Address];
  readonly observationState: Address;
  readonly decimals: readonly [number, number];
  readonly tickSpacing: number;
  readonly liquidity: bigint;
  readonly sqrtPriceX64: bigint;
  readonly tickCurrent: number;
  readonly feeGrowthGlobalX64: readonly [bigint, bigint];
  readonly protocolFees: readonly [bigint, bigint];
  readonly fundFees: readonly [bigint, bigint];
  readonly status: number;
  readonly feeOn: number;
  readonly rewards: readonly ClmmReward[];
  /** Unix seconds; swaps begin after it. */
  readonly openTime: bigint;
  readonly dynamicFee: ClmmDynamicFee | undefined;
};

export type ClmmAmmConfig = {
  readonly index: number;
  /** Millionths of the input. */
  readonly tradeFeeRate: bigint;
  /** Millionths of the trade fee. */
  readonly protocolFeeRate: bigint;
  readonly fundFeeRate: bigint;
  readonly tickSpacing: number;
};

export type ClmmObservation = { readonly build: ClmmBuild; readonly poolId: Address };

export function decodePoolState(data: Uint8Array): Result<ClmmPoolState, SandpiperError> {
  if (data.length !== POOL_STATE_BYTES || !startsWith(data, CLMM_DISCRIMINATOR.poolState))
    return malformed("PoolState", `${POOL_STATE_BYTES} bytes with its marks`, data);
  const tickSpacing = readU16(data, POOL_STATE.tickSpacing);
  const sqrtPriceX64 = readU128(data, POOL_STATE.sqrtPriceX64);
  const tickCurrent = readI32(data, POOL_STATE.tickCurrent);
  if (tickSpacing === 0) return malformed("PoolState", "a tick spacing above 0", data);
  if (sqrtPriceX64 < SQRT_PRICE_MIN_X64 || sqrtPriceX64 > SQRT_PRICE_MAX_X64)
    return malformed("PoolState", "a price between its bounds", data);
  if (tickCurrent < TICK_MIN - 1 || tickCurrent > TICK_MAX) return malformed("PoolState", "a tick in bounds", data);
  return ok({
    ammConfig: readAddress(data, POOL_STATE.ammConfig),
    mints: [readAddress(data, POOL_STATE.tokenMint0), readAddress(data, POOL_STATE.tokenMint1)],
    vaults: [readAddress(data, POOL_STATE.tokenVault0), readAddress(data, POOL_STATE.tokenVault1)],
    observationState: readAddress(data, POOL_STATE.observationKey),
    decimals: [data[POOL_STATE.mintDecimals0] as number, data[POOL_STATE.mintDecimals1] as number],
    tickSpacing,
    liquidity: readU128(data, POOL_STATE.liquidity),
    sqrtPriceX64,
    tickCurrent,
    feeGrowthGlobalX64: [
      readU128(data, POOL_STATE.feeGrowthGlobal0X64),
      readU128(data, POOL_STATE.feeGrowthGlobal1X64),
    ],
    protocolFees: [readU64(data, POOL_STATE.protocolFeesToken0), readU64(data, POOL_STATE.protocolFeesToken1)],
    fundFees: [readU64(data, POOL_STATE.fundFeesToken0), readU64(data, POOL_STATE.fundFeesToken1)],
    status: data[POOL_STATE.status] as number,
    feeOn: data[POOL_STATE.feeOn] as number,
    rewards: Array.from({ length: REWARD_COUNT }, (_, i) =>
      rewardAt(data, POOL_STATE.rewardInfos + i * REWARD_INFO_BYTES),
    ),
    openTime: readU64(data, POOL_STATE.openTime),
    dynamicFee: dynamicFeeAt(data, POOL_STATE.dynamicFeeInfo),
  });
}

function rewardAt(data: Uint8Array, at: number): ClmmReward {
  return {
    initialized: readAddress(data, at + REWARD_INFO.tokenMint) !== SYSTEM_PROGRAM,
    openTime: readU64(data, at + REWARD_INFO.openTime),
    endTime: readU64(data, at + REWARD_INFO.endTime),
    lastUpdateTime: readU64(data, at + REWARD_INFO.lastUpdateTime),
    emissionsPerSecondX64: readU128(data, at + REWARD_INFO.emissionsPerSecondX64),
    totalEmissioned: readU64(data, at + REWARD_INFO.rewardTotalEmissioned),
    growthGlobalX64: readU128(data, at + REWARD_INFO.rewardGrowthGlobalX64),
  };
}

function dynamicFeeAt(data: Uint8Array, at: number): ClmmDynamicFee | undefined {
  if (data.subarray(at, at + DYNAMIC_FEE_INFO_BYTES).every((byte) => byte === 0)) return undefined;
  return {
    filterPeriod: readU16(data, at + DYNAMIC_FEE_INFO.filterPeriod),
    decayPeriod: readU16(data, at + DYNAMIC_FEE_INFO.decayPeriod),
    reductionFactor: readU16(data, at + DYNAMIC_FEE_INFO.reductionFactor),
    dynamicFeeControl: readU32(data, at + DYNAMIC_FEE_INFO.dynamicFeeControl),
    maxVolatilityAccumulator: readU32(data, at + DYNAMIC_FEE_INFO.maxVolatilityAccumulator),
    tickSpacingIndexReference: readI32(data, at + DYNAMIC_FEE_INFO.tickSpacingIndexReference),
    volatilityReference: readU32(data, at + DYNAMIC_FEE_INFO.volatilityReference),
    volatilityAccumulator: readU32(data, at + DYNAMIC_FEE_INFO.volatilityAccumulator),
    lastUpdateTimestamp: readU64(data, at + DYNAMIC_FEE_INFO.lastUpdateTimestamp),
  };
}

export function decodeAmmConfig(data: Uint8Array): Result<ClmmAmmConfig, SandpiperError> {
  if (data.length !== AMM_CONFIG_BYTES || !startsWith(data, CLMM_DISCRIMINATOR.ammConfig))
    return malformed("AmmConfig", `${AMM_CONFIG_BYTES} bytes with its marks`, data);
  const tradeFeeRate = BigInt(readU32(data, AMM_CONFIG.tradeFeeRate));
  const protocolFeeRate = BigInt(readU32(data, AMM_CONFIG.protocolFeeRate));
  const fundFeeRate = BigInt(readU32(data, AMM_CONFIG.fundFeeRate));
  if (tradeFeeRate >= FEE_RATE_DENOMINATOR || protocolFeeRate + fundFeeRate > FEE_RATE_DENOMINATOR)
    return malformed("AmmConfig", "rates that leave something", data);
  return ok({
    index: readU16(data, AMM_CONFIG.index),
    tradeFeeRate,
    protocolFeeRate,
    fundFeeRate,
    tickSpacing: readU16(data, AMM_CONFIG.tickSpacing),
  });
}

/** Whose observations these are. The two builds store them differently, and each refuses the other's account. */
export function decodeObservation(data: Uint8Array): Result<ClmmObservation, SandpiperError> {
  const old = data.length === OBSERVATION_STATE_2024_BYTES;
  if ((!old && data.length !== OBSERVATION_STATE_2026_BYTES) || !startsWith(data, CLMM_DISCRIMINATOR.observationState))
    return malformed("ObservationState", `${OBSERVATION_STATE_2026_BYTES} bytes with its marks`, data);
  const poolId = readAddress(data, old ? OBSERVATION_STATE_2024.poolId : OBSERVATION_STATE_2026.poolId);
  return ok({ build: old ? "2024" : "2026", poolId });
}

/** A refusal to read bytes as an account of this program. */
export function malformed(what: string, want: string, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  const text = `Cannot decode a CLMM ${what}: ${want}, was ${data.length} bytes starting ${start}`;
  return err(new SandpiperError(DEX_ERROR.account, text));
}
