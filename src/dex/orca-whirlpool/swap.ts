/**
 * A whole swap on one pool, tick by tick, as the program's `manager/swap_manager.rs` computes it: amounts, fees, rewards,
 * the ticks that are crossed, or its refusal. Amounts here are the curve's: transfer fees are the venue's business.
 */
import type { SwapRefusal } from "#dex/venue.ts";
import {
  type AdaptiveFeeRun,
  advanceGroup,
  advanceGroupAfterSkip,
  boundTarget,
  markMajorSwap,
  startAdaptiveFee,
  totalFeeRate,
  updateVolatility,
} from "./adaptive-fee.ts";
import { TICK_ARRAY_TICKS } from "./layout.ts";
import { PROTOCOL_FEE_RATE_ALL, SQRT_PRICE_MAX, SQRT_PRICE_MIN, SWAP_STEPS_MAX, U64_MAX, U128_MAX } from "./limits.ts";
import { REFUSAL } from "./refusals.ts";
import { rewardsAt } from "./rewards.ts";
import type { AdaptiveFeeVariables, Oracle, RewardInfo, Tick, Whirlpool } from "./state.ts";
import { computeSwapStep } from "./swap-step.ts";
import { type NextTick, nextInitializedTick, type TickRange, tickAt } from "./tick-arrays.ts";
import { sqrtPriceFromTickIndex, tickIndexFromSqrtPrice } from "./tick-math.ts";

/** What a swap reads of a pool. */
export type SwapPool = Pick<
  Whirlpool,
  | "tickSpacing"
  | "feeRate"
  | "protocolFeeRate"
  | "liquidity"
  | "sqrtPrice"
  | "tickCurrentIndex"
  | "feeGrowthGlobalA"
  | "feeGrowthGlobalB"
  | "rewardLastUpdatedTimestamp"
  | "rewardInfos"
>;

export type CurveOrder = {
  readonly amount: bigint;
  /** 0n: as far as the arrays go, and an exact output in full or not at all. */
  readonly sqrtPriceLimit: bigint;
  readonly exactIn: boolean;
  readonly aToB: boolean;
  readonly unixSeconds: bigint;
};

/** A tick as it is after being crossed, by its place in the sequence of arrays. */
export type CrossedTick = { readonly arrayIndex: number; readonly offset: number; readonly tick: Tick };

export type CurveFill = {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly lpFee: bigint;
  readonly protocolFee: bigint;
  readonly liquidity: bigint;
  readonly tickCurrentIndex: number;
  readonly sqrtPrice: bigint;
  /** Of the side that came in. */
  readonly feeGrowthGlobal: bigint;
  readonly rewardInfos: readonly RewardInfo[];
  readonly crossed: readonly CrossedTick[];
  readonly adaptiveFee: AdaptiveFeeVariables | undefined;
};

/** The swap so far. */
type Progress = {
  amountRemaining: bigint;
  amountCalculated: bigint;
  feeSum: bigint;
  protocolFee: bigint;
  feeGrowthGlobal: bigint;
  liquidity: bigint;
  sqrtPrice: bigint;
  tickIndex: number;
  arrayIndex: number;
  stepsLeft: number;
  readonly crossed: CrossedTick[];
};

/** What does not change while it runs. */
type Context = {
  readonly pool: SwapPool;
  readonly sequence: readonly TickRange[];
  readonly order: CurveOrder;
  readonly feeRate: bigint;
  readonly protocolFeeRate: bigint;
  readonly adaptive: AdaptiveFeeRun | undefined;
  readonly rewardInfos: readonly RewardInfo[];
};

export function swapOnCurve(
  pool: SwapPool,
  sequence: readonly TickRange[],
  order: CurveOrder,
  oracle: Oracle | undefined,
): CurveFill | SwapRefusal {
  const { aToB, exactIn, amount, unixSeconds } = order;
  const limit = order.sqrtPriceLimit === 0n ? (aToB ? SQRT_PRICE_MIN : SQRT_PRICE_MAX) : order.sqrtPriceLimit;
  if (limit < SQRT_PRICE_MIN || limit > SQRT_PRICE_MAX) return REFUSAL.sqrtPriceOutOfBounds;
  if (aToB ? limit >= pool.sqrtPrice : limit <= pool.sqrtPrice) return REFUSAL.invalidSqrtPriceLimitDirection;
  if (amount === 0n) return REFUSAL.zeroTradableAmount;
  if (unixSeconds < pool.rewardLastUpdatedTimestamp) return REFUSAL.invalidTimestamp;
  const adaptive =
    oracle === undefined ? undefined : startAdaptiveFee(oracle, pool.feeRate, pool.tickCurrentIndex, aToB, unixSeconds);
  if (adaptive !== undefined && "custom" in adaptive) return adaptive;

  const context: Context = {
    pool,
    sequence,
    order,
    feeRate: BigInt(pool.feeRate),
    protocolFeeRate: BigInt(pool.protocolFeeRate),
    adaptive,
    rewardInfos: rewardsAt(pool, unixSeconds),
  };
  const swap = start(pool, order);
  while (swap.amountRemaining > 0n && swap.sqrtPrice !== limit) {
    const next = nextInitializedTick(sequence, swap.tickIndex, pool.tickSpacing, aToB, swap.arrayIndex);
    if ("custom" in next) return next;
    const refusal = swapToTick(context, swap, next, limit);
    if (refusal !== undefined) return refusal;
  }
  if (swap.amountRemaining > 0n && !exactIn && order.sqrtPriceLimit === 0n) return REFUSAL.partialFill;
  if (adaptive !== undefined) markMajorSwap(adaptive, pool.sqrtPrice, swap.sqrtPrice, unixSeconds);
  return fillOf(context, swap);
}

function start(pool: SwapPool, { amount, aToB }: CurveOrder): Progress {
  return {
    amountRemaining: amount,
    amountCalculated: 0n,
    feeSum: 0n,
    protocolFee: 0n,
    feeGrowthGlobal: aToB ? pool.feeGrowthGlobalA : pool.feeGrowthGlobalB,
    liquidity: pool.liquidity,
    sqrtPrice: pool.sqrtPrice,
    tickIndex: pool.tickCurrentIndex,
    arrayIndex: 0,
    stepsLeft: SWAP_STEPS_MAX,
    crossed: [],
  };
}

function fillOf({ order, adaptive, rewardInfos }: Context, swap: Progress): CurveFill {
  const fixed = order.amount - swap.amountRemaining;
  return {
    amountIn: order.exactIn ? fixed : swap.amountCalculated,
    amountOut: order.exactIn ? swap.amountCalculated : fixed,
    lpFee: swap.feeSum - swap.protocolFee,
    protocolFee: swap.protocolFee,
    liquidity: swap.liquidity,
    tickCurrentIndex: swap.tickIndex,
    sqrtPrice: swap.sqrtPrice,
    feeGrowthGlobal: swap.feeGrowthGlobal,
    rewardInfos,
    crossed: swap.crossed,
    adaptiveFee: adaptive?.variables,
  };
}

/** Steps until the next tick, the limit, or the end of the amount: one step unless the fee adapts on the way. */
function swapToTick(context: Context, swap: Progress, next: NextTick, limit: bigint): SwapRefusal | undefined {
  const { adaptive, order } = context;
  const { aToB, exactIn } = order;
  const nextTickPrice = sqrtPriceFromTickIndex(next.tickIndex);
  const limitIsNearer = aToB ? limit > nextTickPrice : limit < nextTickPrice;
  const target = limitIsNearer ? limit : nextTickPrice;
  do {
    if (swap.stepsLeft-- === 0) return REFUSAL.computeBudgetExceeded;
    if (adaptive !== undefined) updateVolatility(adaptive);
    const bound = adaptive === undefined ? undefined : boundTarget(adaptive, target, swap.liquidity);
    const step = computeSwapStep(
      swap.amountRemaining,
      adaptive === undefined ? context.feeRate : totalFeeRate(adaptive),
      swap.liquidity,
      swap.sqrtPrice,
      bound === undefined ? target : bound.sqrtPrice,
      exactIn,
      aToB,
    );
    if ("custom" in step) return step;
    const refusal = settle(context, swap, step.amountIn, step.amountOut, step.feeAmount);
    if (refusal !== undefined) return refusal;

    if (step.nextSqrtPrice === nextTickPrice) {
      const overflow = cross(context, swap, next);
      if (overflow !== undefined) return overflow;
    } else if (step.nextSqrtPrice !== swap.sqrtPrice) {
      swap.tickIndex = tickIndexFromSqrtPrice(step.nextSqrtPrice);
    }
    swap.sqrtPrice = step.nextSqrtPrice;
    if (adaptive !== undefined)
      if (bound?.skips) advanceGroupAfterSkip(adaptive, swap.sqrtPrice, nextTickPrice, next.tickIndex);
      else advanceGroup(adaptive);
  } while (swap.amountRemaining !== 0n && swap.sqrtPrice !== target);
  return undefined;
}

/** Books a step's amounts, and its fee between protocol and liquidity. */
function settle(
  { order, protocolFeeRate }: Context,
  swap: Progress,
  amountIn: bigint,
  amountOut: bigint,
  feeAmount: bigint,
): SwapRefusal | undefined {
  if (order.exactIn) {
    swap.amountRemaining -= amountIn + feeAmount;
    swap.amountCalculated += amountOut;
    if (feeAmount < 0n) return REFUSAL.amountRemainingOverflow;
  } else {
    swap.amountRemaining -= amountOut;
    swap.amountCalculated += amountIn + feeAmount;
  }
  if (swap.amountRemaining < 0n) return REFUSAL.amountRemainingOverflow;
  swap.feeSum += feeAmount;
  if (swap.amountCalculated > U64_MAX || swap.feeSum > U64_MAX) return REFUSAL.amountCalcOverflow;

  const protocolPart = (feeAmount * protocolFeeRate) / PROTOCOL_FEE_RATE_ALL;
  swap.protocolFee += protocolPart;
  // Growth counts round and round a u128: only differences of it mean anything.
  if (swap.liquidity > 0n)
    swap.feeGrowthGlobal = (swap.feeGrowthGlobal + ((feeAmount - protocolPart) << 64n) / swap.liquidity) & U128_MAX;
  return undefined;
}

/** Takes the liquidity that begins or ends at the tick reached, if it is initialised, and moves past it. */
function cross(context: Context, swap: Progress, next: NextTick): SwapRefusal | undefined {
  const { pool, sequence, order } = context;
  // The search found the tick in this array.
  const array = sequence[next.arrayIndex] as TickRange;
  const offset = Math.floor((next.tickIndex - array.startTickIndex) / pool.tickSpacing);
  const tick = tickAt(array, next.tickIndex, pool.tickSpacing);
  if (tick !== undefined) {
    const delta = order.aToB ? BigInt.asIntN(128, -tick.liquidityNet) : tick.liquidityNet;
    const liquidity = swap.liquidity + delta;
    if (liquidity < 0n) return REFUSAL.liquidityUnderflow;
    if (liquidity > U128_MAX) return REFUSAL.liquidityOverflow;
    swap.liquidity = liquidity;
    swap.crossed.push({ arrayIndex: next.arrayIndex, offset, tick: crossedTick(context, swap, tick) });
  }
  swap.arrayIndex = offset === (order.aToB ? 0 : TICK_ARRAY_TICKS - 1) ? next.arrayIndex + 1 : next.arrayIndex;
  // Downwards the search includes the tick it starts from: past this one is one below.
  swap.tickIndex = order.aToB ? next.tickIndex - 1 : next.tickIndex;
  return undefined;
}

/** What has grown outside of a tick is, from its other side, the rest of all that has grown. */
function crossedTick({ pool, order, rewardInfos }: Context, swap: Progress, tick: Tick): Tick {
  const globalA = order.aToB ? swap.feeGrowthGlobal : pool.feeGrowthGlobalA;
  const globalB = order.aToB ? pool.feeGrowthGlobalB : swap.feeGrowthGlobal;
  return {
    liquidityNet: tick.liquidityNet,
    liquidityGross: tick.liquidityGross,
    feeGrowthOutsideA: BigInt.asUintN(128, globalA - tick.feeGrowthOutsideA),
    feeGrowthOutsideB: BigInt.asUintN(128, globalB - tick.feeGrowthOutsideB),
    rewardGrowthsOutside: tick.rewardGrowthsOutside.map((outside, i) => {
      const reward = rewardInfos[i];
      return reward?.initialized ? BigInt.asUintN(128, reward.growthGlobalX64 - outside) : outside;
    }),
  };
}
