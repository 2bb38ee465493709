/**
 * The fee rate of pools that watch their own volatility (`manager/fee_rate_manager.rs`, `state/oracle.rs`): ticks are
 * counted in groups; each group that the price leaves raises the volatility, and its square the rate. A swap therefore
 * stops at each group's edge, save where the rate cannot change.
 */
import type { SwapRefusal } from "#dex/venue.ts";
import { FEE_RATE_HARD_LIMIT, TICK_INDEX_MAX, TICK_INDEX_MIN } from "./limits.ts";
import { REFUSAL } from "./refusals.ts";
import type { AdaptiveFeeConstants, AdaptiveFeeVariables, Oracle } from "./state.ts";
import { sqrtPriceFromTickIndex, tickIndexFromSqrtPrice } from "./tick-math.ts";

const VOLATILITY_SCALE = 10_000;
const REDUCTION_ALL = 10_000;
const CONTROL_ALL = 100_000n;
const SQUARED_SCALE = CONTROL_ALL * BigInt(VOLATILITY_SCALE) * BigInt(VOLATILITY_SCALE);
/** Seconds after which the references are taken anew, come what may. */
const REFERENCE_AGE_MAX = 3_600n;

/** Where a step must stop, and whether the group's count is to be caught up with after it. */
type BoundedTarget = { readonly sqrtPrice: bigint; readonly skips: boolean };
type GroupEdge = { readonly group: number; readonly sqrtPrice: bigint };

/** The fee of one swap in progress: made by startAdaptiveFee(), moved on by the functions below, then dropped. */
export type AdaptiveFeeRun = {
  readonly constants: AdaptiveFeeConstants;
  readonly aToB: boolean;
  readonly staticFeeRate: number;
  readonly lowerEdge: GroupEdge | undefined;
  readonly upperEdge: GroupEdge | undefined;
  /** The group that the price is in. */
  group: number;
  variables: AdaptiveFeeVariables;
};

/** Counts the group that the price is in; before each step. */
export function updateVolatility(run: AdaptiveFeeRun): void {
  const distance = Math.abs(run.variables.tickGroupIndexReference - run.group);
  const volatilityAccumulator = Math.min(
    run.variables.volatilityReference + distance * VOLATILITY_SCALE,
    run.constants.maxVolatilityAccumulator,
  );
  run.variables = { ...run.variables, volatilityAccumulator };
}

export function totalFeeRate({ constants, variables, staticFeeRate }: AdaptiveFeeRun): bigint {
  const crossed = BigInt(variables.volatilityAccumulator) * BigInt(constants.tickGroupSize);
  const scaled = BigInt(constants.adaptiveFeeControlFactor) * crossed * crossed;
  const total = BigInt(staticFeeRate) + (scaled + SQUARED_SCALE - 1n) / SQUARED_SCALE;
  return total > FEE_RATE_HARD_LIMIT ? FEE_RATE_HARD_LIMIT : total;
}

/** How far the current rate holds on the way to `target`. */
export function boundTarget(run: AdaptiveFeeRun, target: bigint, liquidity: bigint): BoundedTarget {
  const { constants, lowerEdge, upperEdge, group, aToB } = run;
  if (constants.adaptiveFeeControlFactor === 0 || liquidity === 0n) return { sqrtPrice: target, skips: true };
  // Beyond the edges the volatility is at its most: only the way back in can change the rate.
  if (lowerEdge !== undefined && group < lowerEdge.group)
    return { sqrtPrice: aToB ? target : smaller(target, lowerEdge.sqrtPrice), skips: true };
  if (upperEdge !== undefined && group > upperEdge.group)
    return { sqrtPrice: aToB ? larger(target, upperEdge.sqrtPrice) : target, skips: true };
  const edge = sqrtPriceFromTickIndex(clampTick((aToB ? group : group + 1) * constants.tickGroupSize));
  return { sqrtPrice: aToB ? larger(target, edge) : smaller(target, edge), skips: false };
}

/** On to the next group, after a step. */
export function advanceGroup(run: AdaptiveFeeRun): void {
  run.group += run.aToB ? -1 : 1;
}

/** The same after a step that may have crossed many groups at once. */
export function advanceGroupAfterSkip(
  run: AdaptiveFeeRun,
  sqrtPrice: bigint,
  nextTickSqrtPrice: bigint,
  nextTickIndex: number,
): void {
  const size = run.constants.tickGroupSize;
  const atTick = sqrtPrice === nextTickSqrtPrice;
  const tick = atTick ? nextTickIndex : tickIndexFromSqrtPrice(sqrtPrice);
  const onEdge = tick % size === 0 && (atTick || sqrtPrice === sqrtPriceFromTickIndex(tick));
  const last = onEdge && !run.aToB ? tick / size - 1 : Math.floor(tick / size);
  if (run.aToB ? last < run.group : last > run.group) {
    run.group = last;
    updateVolatility(run);
  }
  advanceGroup(run);
}

/** A swap that moved the price far enough holds the references for longer. */
export function markMajorSwap(run: AdaptiveFeeRun, before: bigint, after: bigint, unixSeconds: bigint): void {
  const factor = sqrtPriceFromTickIndex(run.constants.majorSwapThresholdTicks);
  if (larger(before, after) >= (smaller(before, after) * factor) >> 64n)
    run.variables = { ...run.variables, lastMajorSwapTimestamp: unixSeconds };
}

export function startAdaptiveFee(
  oracle: Oracle,
  staticFeeRate: number,
  tickCurrentIndex: number,
  aToB: boolean,
  unixSeconds: bigint,
): AdaptiveFeeRun | SwapRefusal {
  const { constants } = oracle;
  const size = constants.tickGroupSize;
  const group = Math.floor(tickCurrentIndex / size);
  const variables = updateReference(oracle.variables, constants, group, unixSeconds);
  if (variables === undefined) return REFUSAL.invalidTimestamp;
  const reach = Math.ceil((constants.maxVolatilityAccumulator - variables.volatilityReference) / VOLATILITY_SCALE);
  const lower = variables.tickGroupIndexReference - reach;
  const upper = variables.tickGroupIndexReference + reach;
  return {
    constants,
    aToB,
    staticFeeRate,
    lowerEdge:
      lower * size > TICK_INDEX_MIN
        ? { group: lower, sqrtPrice: sqrtPriceFromTickIndex(clampTick(lower * size)) }
        : undefined,
    upperEdge:
      (upper + 1) * size < TICK_INDEX_MAX
        ? { group: upper, sqrtPrice: sqrtPriceFromTickIndex(clampTick((upper + 1) * size)) }
        : undefined,
    group,
    variables,
  };
}

/** Undefined when the clock runs backwards. */
function updateReference(
  variables: AdaptiveFeeVariables,
  constants: AdaptiveFeeConstants,
  group: number,
  unixSeconds: bigint,
): AdaptiveFeeVariables | undefined {
  const latest = larger(variables.lastReferenceUpdateTimestamp, variables.lastMajorSwapTimestamp);
  if (unixSeconds < latest) return undefined;
  const anew = (volatilityReference: number): AdaptiveFeeVariables => ({
    ...variables,
    tickGroupIndexReference: group,
    volatilityReference,
    lastReferenceUpdateTimestamp: unixSeconds,
  });
  if (unixSeconds - variables.lastReferenceUpdateTimestamp > REFERENCE_AGE_MAX) return anew(0);
  const elapsed = unixSeconds - latest;
  if (elapsed < BigInt(constants.filterPeriod)) return variables;
  if (elapsed >= BigInt(constants.decayPeriod)) return anew(0);
  // At most 2^32 · 10^4: exact in a float.
  return anew(Math.floor((variables.volatilityAccumulator * constants.reductionFactor) / REDUCTION_ALL));
}

const clampTick = (tick: number): number => Math.min(Math.max(tick, TICK_INDEX_MIN), TICK_INDEX_MAX);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
