/**
 * Exact multiplication and division of whole numbers in floats, without a bigint: the quotient is off by at most one
 * after rounding, and the remainder, computed without error, says by how much.
 *
 * A product of two floats is an unevaluated sum of two (Dekker 1971, Veltkamp's splitting): p = fl(a·b) and its error e.
 * For q within one of a·b / c, a·b − q·c is below 2c ≤ 2^53, and so are the two differences that it is the sum of:
 * (p − p′) is exact because p and p′ are near each other (Sterbenz), and e − e′ because neither exceeds 2^52.
 */

/** Operands and quotients are below this; a divisor is below twice of it. */
export const WHOLE_MAX = 2 ** 51;

/** Below this a product of whole floats is exact. */
const PRODUCT_EXACT_MAX = 2 ** 53;
const SPLIT = 2 ** 27 + 1;

/** ⌊a·b / c⌋ for whole 0 ≤ a, b < WHOLE_MAX, 0 < c ≤ 2·WHOLE_MAX and a quotient below WHOLE_MAX. */
export function mulDivFloor(a: number, b: number, c: number): number {
  const q = Math.floor((a * b) / c);
  const rest = remainder(a, b, c, q);
  return rest < 0 ? q - 1 : rest >= c ? q + 1 : q;
}

/** ⌈a·b / c⌉, under the same conditions. */
export function mulDivCeil(a: number, b: number, c: number): number {
  const q = Math.floor((a * b) / c);
  const rest = remainder(a, b, c, q);
  return rest > c ? q + 2 : rest > 0 ? q + 1 : rest > -c ? q : q - 1;
}

/** a·b − q·c, where q is ⌊fl(a·b / c)⌋. */
function remainder(a: number, b: number, c: number, q: number): number {
  const p = a * b;
  const p2 = q * c;
  // An exact p has an exact p2, for the quotient's rounding, a 2^53rd of it, lifts q·c by less than 1 above p.
  if (p < PRODUCT_EXACT_MAX) return p - p2;
  return p - p2 + (productError(a, b, p) - productError(q, c, p2));
}

/** a·b − p, where p is the float nearest to a·b. */
function productError(a: number, b: number, p: number): number {
  const aWide = SPLIT * a;
  const aHigh = aWide - (aWide - a);
  const aLow = a - aHigh;
  const bWide = SPLIT * b;
  const bHigh = bWide - (bWide - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - p + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
