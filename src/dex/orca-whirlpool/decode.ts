/**
 * The Whirlpool program's accounts as values. Foreign bytes are checked whole here; what comes out can be relied on: prices
 * and ticks inside the program's bounds and in step with each other, rates that leave something, constants that the
 * program would accept. Nothing throws: a refusal is a typed result.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { readAddress, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  ADAPTIVE_FEE_TIER,
  ADAPTIVE_FEE_TIER_BYTES,
  FEE_TIER,
  FEE_TIER_BYTES,
  ORACLE,
  ORACLE_BYTES,
  REWARD_INFO,
  REWARD_INFO_BYTES,
  REWARDS,
  WHIRLPOOL,
  WHIRLPOOL_BYTES,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import { PROTOCOL_FEE_RATE_ALL, SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_INDEX_MAX, TICK_INDEX_MIN } from "./limits.ts";
import type {
  AdaptiveFeeConstants,
  AdaptiveFeeTier,
  AdaptiveFeeVariables,
  FeeTier,
  Oracle,
  RewardInfo,
  Whirlpool,
} from "./state.ts";
import { sqrtPriceFromTickIndex, tickIndexFromSqrtPrice } from "./tick-math.ts";
import { u128At, viewOf } from "./words.ts";

export function decodeWhirlpool(data: Uint8Array): Result<Whirlpool, SandpiperError> {
  if (!isAccount(data, WHIRLPOOL_DISCRIMINATOR.whirlpool, WHIRLPOOL_BYTES))
    return refuse("a Whirlpool", `${WHIRLPOOL_BYTES} bytes with its marks`, bytesText(data));
  const view = viewOf(data);
  const sqrtPrice = u128At(view, WHIRLPOOL.sqrtPrice);
  const tickCurrentIndex = view.getInt32(WHIRLPOOL.tickCurrentIndex, true);
  const tickSpacing = view.getUint16(WHIRLPOOL.tickSpacing, true);
  const protocolFeeRate = view.getUint16(WHIRLPOOL.protocolFeeRate, true);
  if (tickSpacing === 0) return refuse("a Whirlpool", "a tick spacing above 0", "0");
  if (protocolFeeRate > PROTOCOL_FEE_RATE_ALL)
    return refuse("a Whirlpool", `a protocol fee rate up to ${PROTOCOL_FEE_RATE_ALL}`, `${protocolFeeRate}`);
  if (sqrtPrice < SQRT_PRICE_MIN || sqrtPrice > SQRT_PRICE_MAX)
    return refuse("a Whirlpool", `a price of ${SQRT_PRICE_MIN} to ${SQRT_PRICE_MAX}`, `${sqrtPrice}`);
  if (!isTickOfPrice(tickCurrentIndex, sqrtPrice))
    return refuse("a Whirlpool", `the tick of its price ${sqrtPrice}`, `${tickCurrentIndex}`);
  return ok({
    whirlpoolsConfig: readAddress(data, WHIRLPOOL.whirlpoolsConfig),
    tickSpacing,
    feeTierIndex: view.getUint16(WHIRLPOOL.feeTierIndexSeed, true),
    feeRate: view.getUint16(WHIRLPOOL.feeRate, true),
    protocolFeeRate,
    liquidity: u128At(view, WHIRLPOOL.liquidity),
    sqrtPrice,
    tickCurrentIndex,
    protocolFeeOwedA: view.getBigUint64(WHIRLPOOL.protocolFeeOwedA, true),
    protocolFeeOwedB: view.getBigUint64(WHIRLPOOL.protocolFeeOwedB, true),
    tokenMintA: readAddress(data, WHIRLPOOL.tokenMintA),
    tokenVaultA: readAddress(data, WHIRLPOOL.tokenVaultA),
    feeGrowthGlobalA: u128At(view, WHIRLPOOL.feeGrowthGlobalA),
    tokenMintB: readAddress(data, WHIRLPOOL.tokenMintB),
    tokenVaultB: readAddress(data, WHIRLPOOL.tokenVaultB),
    feeGrowthGlobalB: u128At(view, WHIRLPOOL.feeGrowthGlobalB),
    rewardLastUpdatedTimestamp: view.getBigUint64(WHIRLPOOL.rewardLastUpdatedTimestamp, true),
    rewardInfos: Array.from({ length: REWARDS }, (_, i) =>
      rewardInfoAt(data, view, WHIRLPOOL.rewardInfos + i * REWARD_INFO_BYTES),
    ),
  });
}

export function decodeOracle(data: Uint8Array): Result<Oracle, SandpiperError> {
  if (!isAccount(data, WHIRLPOOL_DISCRIMINATOR.oracle, ORACLE_BYTES))
    return refuse("a Whirlpool Oracle", `${ORACLE_BYTES} bytes with its marks`, bytesText(data));
  const view = viewOf(data);
  const constants = constantsAt(view, ORACLE.filterPeriod);
  if (!areConstants(constants))
    return refuse("a Whirlpool Oracle", "constants that the program accepts", JSON.stringify(constants));
  const variables: AdaptiveFeeVariables = {
    lastReferenceUpdateTimestamp: view.getBigUint64(ORACLE.lastReferenceUpdateTimestamp, true),
    lastMajorSwapTimestamp: view.getBigUint64(ORACLE.lastMajorSwapTimestamp, true),
    volatilityReference: view.getUint32(ORACLE.volatilityReference, true),
    tickGroupIndexReference: view.getInt32(ORACLE.tickGroupIndexReference, true),
    volatilityAccumulator: view.getUint32(ORACLE.volatilityAccumulator, true),
  };
  if (!areVariablesOf(constants, variables))
    return refuse(
      "a Whirlpool Oracle",
      `volatility up to ${constants.maxVolatilityAccumulator} and a reference among the ticks`,
      `${variables.volatilityReference}, ${variables.volatilityAccumulator}, ${variables.tickGroupIndexReference}`,
    );
  return ok({
    whirlpool: readAddress(data, ORACLE.whirlpool),
    tradeEnableTimestamp: view.getBigUint64(ORACLE.tradeEnableTimestamp, true),
    constants,
    variables,
  });
}

export function decodeFeeTier(data: Uint8Array): Result<FeeTier, SandpiperError> {
  if (!isAccount(data, WHIRLPOOL_DISCRIMINATOR.feeTier, FEE_TIER_BYTES))
    return refuse("a FeeTier", `${FEE_TIER_BYTES} bytes with its marks`, bytesText(data));
  const view = viewOf(data);
  return ok({
    whirlpoolsConfig: readAddress(data, FEE_TIER.whirlpoolsConfig),
    tickSpacing: view.getUint16(FEE_TIER.tickSpacing, true),
    defaultFeeRate: view.getUint16(FEE_TIER.defaultFeeRate, true),
  });
}

export function decodeAdaptiveFeeTier(data: Uint8Array): Result<AdaptiveFeeTier, SandpiperError> {
  if (!isAccount(data, WHIRLPOOL_DISCRIMINATOR.adaptiveFeeTier, ADAPTIVE_FEE_TIER_BYTES))
    return refuse("an AdaptiveFeeTier", `${ADAPTIVE_FEE_TIER_BYTES} bytes with its marks`, bytesText(data));
  const view = viewOf(data);
  return ok({
    whirlpoolsConfig: readAddress(data, ADAPTIVE_FEE_TIER.whirlpoolsConfig),
    feeTierIndex: view.getUint16(ADAPTIVE_FEE_TIER.feeTierIndex, true),
    tickSpacing: view.getUint16(ADAPTIVE_FEE_TIER.tickSpacing, true),
    initializePoolAuthority: readAddress(data, ADAPTIVE_FEE_TIER.initializePoolAuthority),
    delegatedFeeAuthority: readAddress(data, ADAPTIVE_FEE_TIER.delegatedFeeAuthority),
    defaultBaseFeeRate: view.getUint16(ADAPTIVE_FEE_TIER.defaultBaseFeeRate, true),
    constants: constantsAt(view, ADAPTIVE_FEE_TIER.filterPeriod),
  });
}

/** Accounts may be longer than what they hold: the program reads the start and leaves the rest. */
const isAccount = (data: Uint8Array, marks: readonly number[], bytes: number): boolean =>
  data.length >= bytes && startsWith(data, marks);

/** Exactly at a tick's price a swap downwards leaves the tick below. */
function isTickOfPrice(tick: number, sqrtPrice: bigint): boolean {
  const floor = tickIndexFromSqrtPrice(sqrtPrice);
  return tick === floor || (tick === floor - 1 && sqrtPriceFromTickIndex(floor) === sqrtPrice);
}

function rewardInfoAt(data: Uint8Array, view: DataView, at: number): RewardInfo {
  const mint = readAddress(data, at + REWARD_INFO.mint);
  return {
    mint,
    vault: readAddress(data, at + REWARD_INFO.vault),
    // No mint is 32 zeros, which as an address is the system program's.
    initialized: mint !== SYSTEM_PROGRAM,
    emissionsPerSecondX64: u128At(view, at + REWARD_INFO.emissionsPerSecondX64),
    growthGlobalX64: u128At(view, at + REWARD_INFO.growthGlobalX64),
  };
}

function constantsAt(view: DataView, at: number): AdaptiveFeeConstants {
  return {
    filterPeriod: view.getUint16(at, true),
    decayPeriod: view.getUint16(at + 2, true),
    reductionFactor: view.getUint16(at + 4, true),
    adaptiveFeeControlFactor: view.getUint32(at + 6, true),
    maxVolatilityAccumulator: view.getUint32(at + 10, true),
    tickGroupSize: view.getUint16(at + 14, true),
    majorSwapThresholdTicks: view.getUint16(at + 16, true),
  };
}

/** As the program checks them when they are set, save what depends on the pool. */
function areConstants(constants: AdaptiveFeeConstants): boolean {
  return (
    constants.filterPeriod > 0 &&
    constants.decayPeriod > constants.filterPeriod &&
    constants.adaptiveFeeControlFactor < 100_000 &&
    constants.reductionFactor < 10_000 &&
    constants.tickGroupSize > 0 &&
    constants.majorSwapThresholdTicks > 0 &&
    constants.maxVolatilityAccumulator * constants.tickGroupSize <= 0xffff_ffff
  );
}

function areVariablesOf(constants: AdaptiveFeeConstants, variables: AdaptiveFeeVariables): boolean {
  const { maxVolatilityAccumulator, tickGroupSize } = constants;
  const group = variables.tickGroupIndexReference;
  return (
    variables.volatilityReference <= maxVolatilityAccumulator &&
    variables.volatilityAccumulator <= maxVolatilityAccumulator &&
    group >= Math.floor((TICK_INDEX_MIN - 1) / tickGroupSize) &&
    group <= Math.floor(TICK_INDEX_MAX / tickGroupSize)
  );
}

const bytesText = (data: Uint8Array): string =>
  `${data.length} bytes starting ${Buffer.from(data.subarray(0, 8)).toString("hex")}`;

function refuse(what: string, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.account, `Cannot decode ${what}: ${want}, was ${was}`));
}
