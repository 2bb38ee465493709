/** One step of a swap: from a price towards a target, with one liquidity and one fee (`libraries/swap_math.rs`). */
import { divideUp, U64_MAX } from "#dex/refusals.ts";
import { amountInBetween, amountOutBetween, priceAfterInput, priceAfterOutput } from "./amounts.ts";
import { FEE_RATE_DENOMINATOR } from "./layout.ts";
import type { ClmmBuild, ClmmRefusal } from "./refusals.ts";

export type StepOrder = {
  readonly exactIn: boolean;
  readonly zeroForOne: boolean;
  /** Else the fee is taken off the output, which only the build of 2026 knows. */
  readonly feeOnInput: boolean;
  /** Millionths of the side that pays it, the fee included. */
  readonly feeRate: bigint;
  readonly build: ClmmBuild;
};

export type SwapStep = {
  readonly sqrtPriceX64: bigint;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** On top of `amountIn`, or already taken off `amountOut`. */
  readonly feeAmount: bigint;
};

/** The step, or the name of the program's refusal. */
export function swapStep(
  price: bigint,
  target: bigint,
  liquidity: bigint,
  remaining: bigint,
  order: StepOrder,
): SwapStep | ClmmRefusal {
  const { exactIn, zeroForOne, build } = order;
  const moving = amountThatMoves(remaining, order);
  const atTarget = amountAtTarget(price, target, liquidity, order);
  if (moving > U64_MAX || (atTarget === undefined && build === "2024")) return "CalculateOverflow";
  const reached = atTarget !== undefined && moving >= atTarget;
  const priceAfter = exactIn ? priceAfterInput : priceAfterOutput;
  const next = reached ? target : priceAfter(price, liquidity, moving, zeroForOne, build);
  if (next === undefined) return "CalculateOverflow";
  if (zeroForOne ? next < target : next > target) return "RequireGteViolated";
  const amountIn = reached && exactIn ? atTarget : amountInBetween(next, price, liquidity, zeroForOne, build);
  const out = reached && !exactIn ? atTarget : amountOutBetween(next, price, liquidity, zeroForOne, build);
  if (amountIn === undefined || out === undefined) return "MaxTokenOverflow";
  const step = order.feeOnInput
    ? withFeeOnInput(next, amountIn, out, remaining, next === target, order)
    : withFeeOnOutput(next, amountIn, out, remaining, next === target, order);
  return step.feeAmount < 0n || step.feeAmount > U64_MAX ? "CalculateOverflow" : step;
}

/** What of the remaining amount moves the price: an input without its fee, or an output with the fee that follows. */
function amountThatMoves(remaining: bigint, { exactIn, feeOnInput, feeRate }: StepOrder): bigint {
  if (exactIn !== feeOnInput) return remaining;
  const left = FEE_RATE_DENOMINATOR - feeRate;
  return exactIn ? (remaining * left) / FEE_RATE_DENOMINATOR : divideUp(remaining * FEE_RATE_DENOMINATOR, left);
}

function withFeeOnInput(
  sqrtPriceX64: bigint,
  amountIn: bigint,
  out: bigint,
  remaining: bigint,
  reached: boolean,
  { exactIn, feeRate }: StepOrder,
): SwapStep {
  // Away from the target the dust of the rounding is a fee too.
  const feeAmount =
    exactIn && !reached ? remaining - amountIn : divideUp(amountIn * feeRate, FEE_RATE_DENOMINATOR - feeRate);
  return { sqrtPriceX64, amountIn, amountOut: !exactIn && out > remaining ? remaining : out, feeAmount };
}

function withFeeOnOutput(
  sqrtPriceX64: bigint,
  amountIn: bigint,
  out: bigint,
  remaining: bigint,
  reached: boolean,
  { exactIn, feeRate }: StepOrder,
): SwapStep {
  const fee = divideUp(out * feeRate, FEE_RATE_DENOMINATOR);
  // Away from the target the pool keeps the dust that the input was rounded by.
  if (exactIn) return { sqrtPriceX64, amountIn: reached ? amountIn : remaining, amountOut: out - fee, feeAmount: fee };
  const feeAmount = out - fee > remaining ? out - remaining : fee;
  return { sqrtPriceX64, amountIn, amountOut: out - feeAmount, feeAmount };
}

/** What of the named amount the way to the target takes; undefined when no u64 holds it. */
function amountAtTarget(price: bigint, target: bigint, liquidity: bigint, order: StepOrder): bigint | undefined {
  const { exactIn, zeroForOne, build } = order;
  const [named, other] = exactIn ? [amountInBetween, amountOutBetween] : [amountOutBetween, amountInBetween];
  const amount = named(price, target, liquidity, zeroForOne, build);
  if (build === "2024" || amount === undefined) return amount;
  // The build of 2026 computes both at once, and holds the target for out of reach when either is too great.
  return other(price, target, liquidity, zeroForOne, build) === undefined ? undefined : amount;
}
