/**
 * Ticks and square root prices: price(t) = 1.0001^(t/2) as Q64.64, rounded step by step as the program does
 * (`libraries/tick_math.rs`). The lowest bits of the factors are part of the rules.
 */

export const TICK_MIN = -443_636;
export const TICK_MAX = 443_636;
/** Prices at the two ends. */
export const SQRT_PRICE_MIN_X64 = 4_295_048_016n;
export const SQRT_PRICE_MAX_X64 = 79_226_673_521_066_979_257_578_248_091n;

const ONE_X64 = 1n << 64n;
const U128_MAX = (1n << 128n) - 1n;

/** 2^64 / 1.0001^(2^(i-1)) for the bits i of a tick. */
const FACTORS_X64: readonly bigint[] = [
  0xfffcb933bd6fb800n,
  0xfff97272373d4000n,
  0xfff2e50f5f657000n,
  0xffe5caca7e10f000n,
  0xffcb9843d60f7000n,
  0xff973b41fa98e800n,
  0xff2ea16466c9b000n,
  0xfe5dee046a9a3800n,
  0xfcbe86c7900bb000n,
  0xf987a7253ac65800n,
  0xf3392b0822bb6000n,
  0xe7159475a2caf000n,
  0xd097f3bdfd2f2000n,
  0xa9f746462d9f8000n,
  0x70d869a156f31c00n,
  0x31be135f97ed3200n,
  0x9aa508b5b85a500n,
  0x5d6af8dedc582cn,
  0x2216e584f5fan,
];

/** A market asks for the prices of the same few thousand ticks: kept up to a bound at which the table starts anew. */
const PRICES_MAX = 65_536;
const priceOf = new Map<number, bigint>();

/** The price at a tick from TICK_MIN to TICK_MAX. */
export function sqrtPriceAtTick(tick: number): bigint {
  const known = priceOf.get(tick);
  if (known !== undefined) return known;
  const price = computeSqrtPrice(tick);
  if (priceOf.size >= PRICES_MAX) priceOf.clear();
  priceOf.set(tick, price);
  return price;
}

function computeSqrtPrice(tick: number): bigint {
  let ratio = ONE_X64;
  for (let bits = Math.abs(tick), i = 0; bits !== 0; bits >>>= 1, i++)
    if ((bits & 1) === 1) ratio = (ratio * (FACTORS_X64[i] as bigint)) >> 64n;
  return tick > 0 ? U128_MAX / ratio : ratio;
}

/** log of √1.0001, by which the logarithm of a price becomes its tick. */
const LOG_SQRT_BASE = Math.log(1.0001) / 2;
const LOG_ONE_X64 = 64 * Math.LN2;
/**
 * How near to a whole tick the logarithm must be settled by prices: a double is out by less than 1e-8 ticks, the rounded
 * prices at the lowest ticks by less than 1e-5.
 */
const UNSURE = 1e-3;

/**
 * The greatest tick whose price is at most this one, of prices from SQRT_PRICE_MIN_X64 up to, not including,
 * SQRT_PRICE_MAX_X64. The program approximates a logarithm in integers and settles it by prices: the answer is the same.
 */
export function tickAtSqrtPrice(sqrtPriceX64: bigint): number {
  const exact = (Math.log(Number(sqrtPriceX64)) - LOG_ONE_X64) / LOG_SQRT_BASE;
  const nearest = Math.round(exact);
  if (Math.abs(exact - nearest) > UNSURE) return Math.floor(exact);
  return sqrtPriceAtTick(nearest) <= sqrtPriceX64 ? nearest : nearest - 1;
}
