/**
 * One step of a swap: from a price towards a target at one liquidity and one fee rate, as the program's
 * `math/swap_math.rs` and `math/token_math.rs` compute it, with the refusals of their integer widths. Amounts in are
 * rounded up, amounts out down.
 */
import type { SwapRefusal } from "#dex/venue.ts";
import { FEE_RATE_ALL, SQRT_PRICE_MAX, SQRT_PRICE_MIN, U64_MAX, U128_MAX } from "./limits.ts";
import { REFUSAL } from "./refusals.ts";

export type SwapStep = {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly nextSqrtPrice: bigint;
  readonly feeAmount: bigint;
};

const Q64_MASK = U64_MAX;
/** From here on, 64 more bits do not fit a u256. */
const U192_END = 1n << 192n;

export function computeSwapStep(
  amountRemaining: bigint,
  feeRate: bigint,
  liquidity: bigint,
  sqrtPrice: bigint,
  target: bigint,
  exactIn: boolean,
  aToB: boolean,
): SwapStep | SwapRefusal {
  // The fixed side is the one whose amount the trader gave: A when A comes in exactly or goes out exactly.
  const fixedIsA = exactIn === aToB;
  const toTarget = fixedIsA
    ? deltaA(sqrtPrice, target, liquidity, exactIn)
    : deltaB(sqrtPrice, target, liquidity, exactIn);
  if (toTarget === undefined) return REFUSAL.multiplicationOverflow;

  const usable = exactIn ? (amountRemaining * (FEE_RATE_ALL - feeRate)) / FEE_RATE_ALL : amountRemaining;
  // What exceeds a u64 exceeds every amount, and the price stops short of the target.
  const reaches = toTarget <= usable;
  const next = reaches
    ? target
    : fixedIsA
      ? nextSqrtPriceFromA(sqrtPrice, liquidity, usable, exactIn)
      : nextSqrtPriceFromB(sqrtPrice, liquidity, usable, exactIn);
  if (typeof next !== "bigint") return next;
  const isMaxSwap = next === target;

  const unfixed = fixedIsA
    ? checkedDeltaB(sqrtPrice, next, liquidity, !exactIn)
    : checkedDeltaA(sqrtPrice, next, liquidity, !exactIn);
  if (typeof unfixed !== "bigint") return unfixed;
  const fixed =
    isMaxSwap && toTarget <= U64_MAX
      ? toTarget
      : fixedIsA
        ? checkedDeltaA(sqrtPrice, next, liquidity, exactIn)
        : checkedDeltaB(sqrtPrice, next, liquidity, exactIn);
  if (typeof fixed !== "bigint") return fixed;

  const amountIn = exactIn ? fixed : unfixed;
  const paid = exactIn ? unfixed : fixed;
  const amountOut = !exactIn && paid > amountRemaining ? amountRemaining : paid;
  // Short of the target, all that is left of an exact input is fee.
  const feeAmount =
    exactIn && !isMaxSwap ? amountRemaining - amountIn : ceilDivide(amountIn * feeRate, FEE_RATE_ALL - feeRate);
  if (feeAmount > U64_MAX) return REFUSAL.numberCast;
  return { amountIn, amountOut, nextSqrtPrice: next, feeAmount };
}

/** liquidity · (1/√p₀ − 1/√p₁); undefined when the numerator exceeds a u256. */
function deltaA(price0: bigint, price1: bigint, liquidity: bigint, roundUp: boolean): bigint | undefined {
  const product = liquidity * (price0 > price1 ? price0 - price1 : price1 - price0);
  if (product >= U192_END) return undefined;
  const numerator = product << 64n;
  const denominator = price0 * price1;
  return roundUp ? ceilDivide(numerator, denominator) : numerator / denominator;
}

/** liquidity · (√p₀ − √p₁). */
function deltaB(price0: bigint, price1: bigint, liquidity: bigint, roundUp: boolean): bigint {
  const product = liquidity * (price0 > price1 ? price0 - price1 : price1 - price0);
  const whole = product >> 64n;
  return roundUp && (product & Q64_MASK) !== 0n ? whole + 1n : whole;
}

function checkedDeltaA(price0: bigint, price1: bigint, liquidity: bigint, roundUp: boolean): bigint | SwapRefusal {
  const delta = deltaA(price0, price1, liquidity, roundUp);
  if (delta === undefined) return REFUSAL.multiplicationOverflow;
  if (delta <= U64_MAX) return delta;
  return delta > U128_MAX ? REFUSAL.numberDownCast : REFUSAL.tokenMaxExceeded;
}

function checkedDeltaB(price0: bigint, price1: bigint, liquidity: bigint, roundUp: boolean): bigint | SwapRefusal {
  const delta = deltaB(price0, price1, liquidity, roundUp);
  if (delta <= U64_MAX) return delta;
  // Either the product itself exceeds a u128, or only rounding up went one too far.
  const product = liquidity * (price0 > price1 ? price0 - price1 : price1 - price0);
  return product > U128_MAX ? REFUSAL.multiplicationShiftRightOverflow : REFUSAL.multiplicationOverflow;
}

/** The price after `amount` of A came in or went out, rounded up: never more in, never less out than asked. */
function nextSqrtPriceFromA(
  sqrtPrice: bigint,
  liquidity: bigint,
  amount: bigint,
  comesIn: boolean,
): bigint | SwapRefusal {
  if (amount === 0n) return sqrtPrice;
  const product = sqrtPrice * amount;
  const numerator = liquidity * sqrtPrice;
  if (numerator >= U192_END) return REFUSAL.multiplicationOverflow;
  const liquidityX64 = liquidity << 64n;
  if (!comesIn && liquidityX64 <= product) return REFUSAL.divideByZero;
  const price = ceilDivide(numerator << 64n, comesIn ? liquidityX64 + product : liquidityX64 - product);
  if (price > U128_MAX) return REFUSAL.numberDownCast;
  if (price < SQRT_PRICE_MIN) return REFUSAL.tokenMinSubceeded;
  return price > SQRT_PRICE_MAX ? REFUSAL.tokenMaxExceeded : price;
}

/** The price after `amount` of B came in or went out, rounded down. */
function nextSqrtPriceFromB(
  sqrtPrice: bigint,
  liquidity: bigint,
  amount: bigint,
  comesIn: boolean,
): bigint | SwapRefusal {
  if (liquidity === 0n) return REFUSAL.divideByZero;
  const amountX64 = amount << 64n;
  const next = comesIn ? sqrtPrice + amountX64 / liquidity : sqrtPrice - ceilDivide(amountX64, liquidity);
  return next < 0n || next > U128_MAX ? REFUSAL.sqrtPriceOutOfBounds : next;
}

const ceilDivide = (numerator: bigint, denominator: bigint): bigint => (numerator + denominator - 1n) / denominator;
