/**
 * Amounts of the two tokens between two prices, and the price that an amount leads to, in the program's roundings
 * (`libraries/liquidity_math.rs`, `sqrt_price_math.rs`). Undefined where the program's integers do not hold the answer.
 */
import { divideUp, U64_MAX } from "#dex/refusals.ts";
import type { ClmmBuild } from "./refusals.ts";

const U64_RANGE = 1n << 64n;
export const U128_MAX = (1n << 128n) - 1n;
const U256_MAX = (1n << 256n) - 1n;

/** What the pool takes in while the price moves between two prices, in either order; rounded up. */
export function amountInBetween(
  a: bigint,
  b: bigint,
  liquidity: bigint,
  zeroForOne: boolean,
  build: ClmmBuild,
): bigint | undefined {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (zeroForOne) return amount0(low, high, liquidity, true, build);
  return within64((liquidity * (high - low) + U64_MAX) >> 64n);
}

/** What the pool pays out meanwhile; rounded down. */
export function amountOutBetween(
  a: bigint,
  b: bigint,
  liquidity: bigint,
  zeroForOne: boolean,
  build: ClmmBuild,
): bigint | undefined {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (!zeroForOne) return amount0(low, high, liquidity, false, build);
  return within64((liquidity * (high - low)) >> 64n);
}

/** Δx = L · (1/√low − 1/√high), in two divisions, the first one over `high`. */
function amount0(low: bigint, high: bigint, liquidity: bigint, up: boolean, build: ClmmBuild): bigint | undefined {
  const numerator = (liquidity << 64n) * (high - low);
  const product = up ? numerator + high - 1n : numerator;
  const quotient = product / high;
  // The build of 2024 keeps the product in 256 bits and the quotient in 128.
  if (build === "2024" && (product > U256_MAX || quotient > U128_MAX)) return undefined;
  return within64(up ? divideUp(quotient, low) : quotient / low);
}

const within64 = (amount: bigint): bigint | undefined => (amount > U64_MAX ? undefined : amount);

/** The price after `amount` came in, rounded so that the target is not passed. Liquidity must not be 0. */
export function priceAfterInput(
  price: bigint,
  liquidity: bigint,
  amount: bigint,
  zeroForOne: boolean,
  build: ClmmBuild,
): bigint | undefined {
  if (!zeroForOne) return price + (amount << 64n) / liquidity;
  if (amount === 0n) return price;
  const scaled = liquidity << 64n;
  return priceOver(scaled * price, scaled + amount * price, build);
}

/** The price after `amount` went out; rounded so that it suffices. Liquidity must not be 0. */
export function priceAfterOutput(
  price: bigint,
  liquidity: bigint,
  amount: bigint,
  zeroForOne: boolean,
  build: ClmmBuild,
): bigint | undefined {
  if (zeroForOne) {
    const after = price - divideUp(amount << 64n, liquidity);
    return after < 0n ? undefined : after;
  }
  if (amount === 0n) return price;
  const scaled = liquidity << 64n;
  const left = scaled - amount * price;
  return left <= 0n ? undefined : priceOver(scaled * price, left, build);
}

function priceOver(numerator: bigint, denominator: bigint, build: ClmmBuild): bigint | undefined {
  const product = numerator + denominator - 1n;
  if (build === "2024" && product > U256_MAX) return undefined;
  const price = product / denominator;
  return price > U128_MAX ? undefined : price;
}

/** What one unit of growth is counted in: fees per unit of liquidity, Q64.64. */
export const growthOf = (amount: bigint, liquidity: bigint): bigint => (amount * U64_RANGE) / liquidity;
