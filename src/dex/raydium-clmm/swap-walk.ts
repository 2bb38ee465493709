/**
 * The walk of a swap over the ticks (`swap_internal`): step by step to the next initialized tick until the named amount
 * is used up or the price is at its bound. Static fees, no limit orders; both builds that state.ts names.
 */
import { U64_MAX } from "#dex/refusals.ts";
import { growthOf, U128_MAX } from "./amounts.ts";
import type { ClmmReward } from "./decode.ts";
import type { ClmmTick } from "./decode-ticks.ts";
import { FEE_RATE_DENOMINATOR } from "./layout.ts";
import type { ClmmRefusal } from "./refusals.ts";
import { type ClmmState, withSide } from "./state.ts";
import { type StepOrder, type SwapStep, swapStep } from "./swap-step.ts";
import { nextTick, startWalk } from "./tick-map.ts";
import { SQRT_PRICE_MAX_X64, SQRT_PRICE_MIN_X64, sqrtPriceAtTick, tickAtSqrtPrice } from "./tick-math.ts";

/** No transaction has the compute units for as many; past it the runtime ends the program. */
const STEPS_MAX = 1_024;

/** What the walk comes to. Mutable while it goes. */
export type WalkTally = {
  /** Of the named amount: still to be used. */
  remaining: bigint;
  /** Of the other token: come together. */
  calculated: bigint;
  sqrtPriceX64: bigint;
  tick: number;
  liquidity: bigint;
  /** Of the side that fees are taken in, as the two after it. */
  feeGrowthX64: bigint;
  protocolFee: bigint;
  fundFee: bigint;
  /** The ticks as they are after they were crossed. */
  readonly crossed: ClmmTick[];
};

/** Walks from the pool's price; `rewards` are up to the clock. A refusal comes by its name. */
export function walkSwap(
  state: ClmmState,
  rewards: readonly ClmmReward[],
  amount: bigint,
  order: StepOrder,
): WalkTally | ClmmRefusal {
  const { zeroForOne } = order;
  const limit = limitOf(zeroForOne);
  const walk = startWalk(state.ticks, state.tickCurrent, zeroForOne);
  if (typeof walk === "string") return walk;
  const tally = startTally(state, amount, feeSideOf(state, zeroForOne ? 0 : 1));
  for (let steps = 0; tally.remaining !== 0n && tally.sqrtPriceX64 !== limit; steps++) {
    if (steps === STEPS_MAX) return "ComputationalBudgetExceeded";
    const tick = nextTick(state.ticks, walk, tally.tick);
    if (typeof tick === "string") return tick;
    const refusal = stepTo(state, tally, tick, limit, rewards, order);
    if (refusal !== undefined) return refusal;
  }
  return tally;
}

/** The last price that a swap without a limit of its own may come to. */
const limitOf = (zeroForOne: boolean): bigint => (zeroForOne ? SQRT_PRICE_MIN_X64 + 1n : SQRT_PRICE_MAX_X64 - 1n);

/** Whether the pool's price has no way left in that direction. */
export const isAtLimit = (state: ClmmState, zeroForOne: boolean): boolean =>
  zeroForOne ? state.sqrtPriceX64 <= limitOf(true) : state.sqrtPriceX64 >= limitOf(false);

/** The side that a swap pays its fee in. */
export const feeSideOf = (state: ClmmState, input: 0 | 1): 0 | 1 => state.facts.feeSide ?? input;

function startTally(state: ClmmState, amount: bigint, feeSide: 0 | 1): WalkTally {
  return {
    remaining: amount,
    calculated: 0n,
    sqrtPriceX64: state.sqrtPriceX64,
    tick: state.tickCurrent,
    liquidity: state.liquidity,
    feeGrowthX64: state.feeGrowthGlobalX64[feeSide],
    protocolFee: 0n,
    fundFee: 0n,
    crossed: [],
  };
}

/** One step towards a tick, over it when its price is reached. */
function stepTo(
  state: ClmmState,
  tally: WalkTally,
  tick: ClmmTick,
  limit: bigint,
  rewards: readonly ClmmReward[],
  order: StepOrder,
): ClmmRefusal | undefined {
  const { zeroForOne } = order;
  const tickPrice = sqrtPriceAtTick(tick.index);
  const target = (zeroForOne ? tickPrice < limit : tickPrice > limit) ? limit : tickPrice;
  if (zeroForOne) {
    if (tally.tick < tick.index || tally.sqrtPriceX64 < tickPrice) return "RequireGteViolated";
  } else {
    if (tick.index <= tally.tick) return "RequireGtViolated";
    if (tickPrice < tally.sqrtPriceX64) return "RequireGteViolated";
  }
  const start = tally.sqrtPriceX64;
  const step = swapStep(start, target, tally.liquidity, tally.remaining, order);
  if (typeof step === "string") return step;
  const refusal = takeStep(state, tally, step, order);
  if (refusal !== undefined) return refusal;
  if (step.sqrtPriceX64 === tickPrice) return cross(state, tally, tick, rewards, order);
  if (step.sqrtPriceX64 === start) return undefined;
  if (step.sqrtPriceX64 < SQRT_PRICE_MIN_X64 || step.sqrtPriceX64 >= SQRT_PRICE_MAX_X64) return "SqrtPriceX64";
  tally.tick = tickAtSqrtPrice(step.sqrtPriceX64);
  return undefined;
}

/** Books the amounts of a step and shares its fee out. */
function takeStep(state: ClmmState, tally: WalkTally, step: SwapStep, order: StepOrder): ClmmRefusal | undefined {
  const { exactIn, feeOnInput, build } = order;
  const paid = feeOnInput ? step.amountIn + step.feeAmount : step.amountIn;
  tally.sqrtPriceX64 = step.sqrtPriceX64;
  tally.remaining -= exactIn ? paid : step.amountOut;
  tally.calculated += exactIn ? step.amountOut : paid;
  if (tally.remaining < 0n || tally.calculated > U64_MAX) return "CalculateOverflow";
  const protocolFee = (step.feeAmount * state.facts.protocolFeeRate) / FEE_RATE_DENOMINATOR;
  const fundFee = (step.feeAmount * state.facts.fundFeeRate) / FEE_RATE_DENOMINATOR;
  tally.protocolFee += protocolFee;
  tally.fundFee += fundFee;
  if (tally.liquidity === 0n) return undefined;
  const delta = growthOf(step.feeAmount - protocolFee - fundFee, tally.liquidity);
  const growth = tally.feeGrowthX64 + delta;
  if (delta > U128_MAX || (build === "2024" && growth > U128_MAX)) return "CalculateOverflow";
  tally.feeGrowthX64 = BigInt.asUintN(128, growth);
  return undefined;
}

/** Turns the growths of a tick inside out, and takes its liquidity in or out. */
function cross(
  state: ClmmState,
  tally: WalkTally,
  tick: ClmmTick,
  rewards: readonly ClmmReward[],
  order: StepOrder,
): ClmmRefusal | undefined {
  const { zeroForOne } = order;
  const [growth0, growth1] = withSide(
    state.feeGrowthGlobalX64,
    feeSideOf(state, zeroForOne ? 0 : 1),
    tally.feeGrowthX64,
  );
  const [outside0, outside1] = tick.feeGrowthOutsideX64;
  const turned = [growth0 - outside0, growth1 - outside1];
  for (const [i, reward] of rewards.entries())
    turned.push(reward.initialized ? reward.growthGlobalX64 - outsideOf(tick, i) : outsideOf(tick, i));
  if (order.build === "2024" && turned.some((growth) => growth < 0n)) return "CalculateOverflow";
  const [fee0, fee1, ...rewardGrowths] = turned.map((growth) => BigInt.asUintN(128, growth));
  tally.crossed.push({
    ...tick,
    feeGrowthOutsideX64: [fee0 as bigint, fee1 as bigint],
    rewardGrowthsOutsideX64: rewardGrowths as [bigint, bigint, bigint],
  });
  tally.tick = zeroForOne ? tick.index - 1 : tick.index;
  const change = zeroForOne ? -tick.liquidityNet : tick.liquidityNet;
  tally.liquidity += change;
  return tally.liquidity < 0n || tally.liquidity > U128_MAX ? "CalculateOverflow" : undefined;
}

const outsideOf = (tick: ClmmTick, reward: number): bigint => tick.rewardGrowthsOutsideX64[reward] as bigint;
