/**
 * Prices of bins: (1 + binStep / 10,000) ^ id in Q64.64 by the program's own power algorithm (`math/price_math.rs` and
 * `u64x64_math.rs`), whose rounding, bit by bit, is part of the price.
 */
const ONE = 1n << 64n;
const U128_MAX = (1n << 128n) - 1n;
const BASIS_POINTS = 10_000n;
/** The program takes exponents of 19 bits. */
const EXPONENT_BITS = 19;

/** Y per X in the bin; undefined where the program finds an overflow. */
export function priceOfBin(id: number, binStep: number): bigint | undefined {
  return power(ONE + (BigInt(binStep) << 64n) / BASIS_POINTS, id);
}

function power(base: bigint, exponent: number): bigint | undefined {
  if (exponent === 0) return ONE;
  const magnitude = Math.abs(exponent);
  if (magnitude >= 1 << EXPONENT_BITS) return undefined;
  // The base is 1 or more: its inverse is squared instead, so that no product outgrows 128 bits.
  let square = U128_MAX / base;
  let result = ONE;
  for (let bit = 0; bit < EXPONENT_BITS; bit++) {
    if (bit > 0) square = (square * square) >> 64n;
    if (((magnitude >> bit) & 1) === 1) result = (result * square) >> 64n;
  }
  if (result === 0n) return undefined;
  return exponent > 0 ? U128_MAX / result : result;
}

/** What `amountOut` of a bin costs, fees aside, rounded against the trader. */
export function amountInAtPrice(amountOut: bigint, price: bigint, swapForY: boolean): bigint {
  return swapForY ? ((amountOut << 64n) + price - 1n) / price : (amountOut * price + (ONE - 1n)) >> 64n;
}

/** What a bin gives for `amountIn`, fees aside, rounded against the trader. */
export function amountOutAtPrice(amountIn: bigint, price: bigint, swapForY: boolean): bigint {
  return swapForY ? (amountIn * price) >> 64n : (amountIn << 64n) / price;
}
