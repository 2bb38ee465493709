/** One step of a swap: from a price towards a target, with one liquidity and one fee (`libraries/swap_math.rs`). */
import { divideUp, U64_MAX } from "#dex/refusals.ts";
import { amountInBetween, amountOutBetween, priceAfterInput, priceAfterOutput } from "./amounts.ts";
import { FEE_RATE_DENOMINATOR } from "./layout.ts";
import type { ClmmBuild, ClmmRefusal } from "./refusals.ts";

export type StepOrder = {
  readonly exactIn: boolean;
  readonly zeroForOne: boolean;
  /** Millionths of the input. */
  readonly feeRate: bigint;
  readonly build: ClmmBuild;
};

export type SwapStep = {
  readonly sqrtPriceX64: bigint;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** On top of `amountIn`. */
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
  const { exactIn, zeroForOne, feeRate, build } = order;
  const lessFee = exactIn ? (remaining * (FEE_RATE_DENOMINATOR - feeRate)) / FEE_RATE_DENOMINATOR : remaining;
  const atTarget = amountAtTarget(price, target, liquidity, order);
  if (atTarget === undefined && build === "2024") return "CalculateOverflow";
  const reached = atTarget !== undefined && lessFee >= atTarget;
  const priceAfter = exactIn ? priceAfterInput : priceAfterOutput;
  const next = reached ? target : priceAfter(price, liquidity, lessFee, zeroForOne, build);
  if (next === undefined) return "CalculateOverflow";
  if (zeroForOne ? next < target : next > target) return "RequireGteViolated";
  const amountIn = reached && exactIn ? atTarget : amountInBetween(next, price, liquidity, zeroForOne, build);
  const out = reached && !exactIn ? atTarget : amountOutBetween(next, price, liquidity, zeroForOne, build);
  if (amountIn === undefined || out === undefined) return "MaxTokenOverflow";
  // Away from the target the dust of the rounding is a fee too.
  const feeAmount = exactIn && next !== target ? remaining - amountIn : feeOnTop(amountIn, feeRate);
  if (feeAmount < 0n || feeAmount > U64_MAX) return "CalculateOverflow";
  return { sqrtPriceX64: next, amountIn, amountOut: !exactIn && out > remaining ? remaining : out, feeAmount };
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

const feeOnTop = (amountIn: bigint, feeRate: bigint): bigint =>
  divideUp(amountIn * feeRate, FEE_RATE_DENOMINATOR - feeRate);
