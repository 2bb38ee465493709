/**
 * Exact quotes of a concentrated pool over its ticks, in the program's own steps (dex/raydium-clmm/swap-step.ts): what
 * `swap_v2` would pay out or take in, without the books (fee growth, rewards) that no amount depends on. Refuses, as
 * undefined, where the program would, and where a swap would cross more than an instruction can name.
 */
import type { ConcentratedFacts } from "#core/pool.ts";
import { TICK_ARRAY_TICKS } from "#dex/raydium-clmm/layout.ts";
import { type StepOrder, swapStep } from "#dex/raydium-clmm/swap-step.ts";
import { arrayOf, inPoolBitmap } from "#dex/raydium-clmm/tick-map.ts";
import { SQRT_PRICE_MAX_X64, SQRT_PRICE_MIN_X64, sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { type ConcentratedPool, CROSSINGS_MAX } from "./concentrated-pool.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** A concentrated pool as a hop sees it. */
export type ConcentratedHop = {
  readonly state: ConcentratedPool;
  readonly facts: ConcentratedFacts;
  /** Tick arrays that the swap's instruction has room for. */
  readonly tickArraysMax: number;
  /** Millionths of the input. */
  readonly feeRate: bigint;
};

export type ConcentratedFill = {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Numbers of the tick arrays at both ends of the walk; the first one is the current tick's. */
  readonly firstArray: number;
  readonly lastArray: number;
};

type Tally = { remaining: bigint; calculated: bigint; price: bigint; liquidity: bigint };

export function fillConcentrated(
  hop: ConcentratedHop,
  inputSide: 0 | 1,
  amount: bigint,
  mode: "exact-in" | "exact-out",
): ConcentratedFill | undefined {
  const { state, facts, tickArraysMax, feeRate } = hop;
  const { tickSpacing, build } = facts;
  const zeroForOne = inputSide === 0;
  const exactIn = mode === "exact-in";
  if (amount <= 0n || amount > U64_MAX || !state.whole) return undefined;
  const order: StepOrder = { exactIn, zeroForOne, feeOnInput: true, feeRate, build };
  const tally = { remaining: amount, calculated: 0n, price: state.sqrtPriceX64, liquidity: state.exactLiquidity };
  const firstArray = arrayOf(state.tickCurrent, tickSpacing);
  let place = firstPlace(state, zeroForOne);
  let lastArray = firstArray;
  for (let steps = 0; tally.remaining > 0n; steps++) {
    if (place < 0 || place >= state.tickCount || steps > CROSSINGS_MAX) return undefined;
    const tick = state.ticks[place] as number;
    lastArray = arrayOf(tick, tickSpacing);
    const crossed = stepTo(tally, tick, order);
    if (crossed === undefined) return undefined;
    if (crossed) {
      const net = state.nets[place] as bigint;
      tally.liquidity += zeroForOne ? -net : net;
      if (tally.liquidity < 0n) return undefined;
      place += zeroForOne ? -1 : 1;
    }
  }
  if (arraysBetween(facts, firstArray, lastArray) > tickArraysMax) return undefined;
  const [amountIn, amountOut] = exactIn ? [amount, tally.calculated] : [tally.calculated, amount];
  return amountIn === 0n || amountOut === 0n ? undefined : { amountIn, amountOut, firstArray, lastArray };
}

/** Tick arrays and bitmaps that a swap over this way names. */
export function walkedArrays(facts: ConcentratedFacts, { firstArray, lastArray }: ConcentratedFill): number {
  const inPool = inPoolBitmap(firstArray) && inPoolBitmap(lastArray);
  return arraysBetween(facts, firstArray, lastArray) + (inPool ? 0 : 1);
}

/** How many tick arrays exist from one number to another, both included. */
function arraysBetween({ tickArrays, tickSpacing }: ConcentratedFacts, first: number, last: number): number {
  const span = TICK_ARRAY_TICKS * tickSpacing;
  const [low, high] = [Math.min(first, last) * span, Math.max(first, last) * span];
  let count = 0;
  for (const { firstTick } of tickArrays) if (firstTick >= low && firstTick <= high) count++;
  return count;
}

function firstPlace({ ticks, tickCount, tickCurrent }: ConcentratedPool, zeroForOne: boolean): number {
  let above = 0;
  let high = tickCount;
  while (above < high) {
    const middle = (above + high) >>> 1;
    if ((ticks[middle] as number) <= tickCurrent) above = middle + 1;
    else high = middle;
  }
  return zeroForOne ? above - 1 : above;
}

/** One step towards a tick; whether its price was reached, or undefined where the program refuses. */
function stepTo(tally: Tally, tick: number, order: StepOrder): boolean | undefined {
  const { exactIn, zeroForOne } = order;
  const limit = zeroForOne ? SQRT_PRICE_MIN_X64 + 1n : SQRT_PRICE_MAX_X64 - 1n;
  const tickPrice = sqrtPriceAtTick(tick);
  // At the ends of all prices the swap would stop half filled, which the program refuses.
  if (zeroForOne ? tickPrice < limit : tickPrice > limit) return undefined;
  const step = swapStep(tally.price, tickPrice, tally.liquidity, tally.remaining, order);
  if (typeof step === "string") return undefined;
  const paid = step.amountIn + step.feeAmount;
  tally.price = step.sqrtPriceX64;
  tally.remaining -= exactIn ? paid : step.amountOut;
  tally.calculated += exactIn ? step.amountOut : paid;
  if (tally.remaining < 0n || tally.calculated > U64_MAX) return undefined;
  return step.sqrtPriceX64 === tickPrice;
}
