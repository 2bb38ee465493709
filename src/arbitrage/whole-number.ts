/**
 * Exact multiplication and division of whole numbers in floats, without a bigint: the quotient is off by at most one
 * after rounding, and the remainder, computed without error, says by how much.
 *
 * A product of two floats is an unevaluated sum of two (Dekker 1971, Veltkamp's splitting): p = fl(a·b) and its error e.
 * For q within one of a·b / c, a·b − q·c is below 2c ≤ 2^53, and so are the two differences that it is the sum of:
 * (p − p′) is exact because p and p′ are near each other (Sterbenz), and e − e′ because neither exceeds 2^52.
 *
 * p − p′ alone nearly always says enough: only within a few units of 0 and of c the errors are needed.
 */

/** Operands and quotients are below this; a divisor is below twice of it. */
export const WHOLE_MAX = 2 ** 51;

/** fl(a·b) − fl(q·c) is off by half a unit in the last place of either, less than this share of a·b. */
const NEAR_ERROR = 2 ** -51;
const SPLIT = 2 ** 27 + 1;

/** ⌊a·b / c⌋ for whole 0 ≤ a, b < WHOLE_MAX, 0 < c ≤ 2·WHOLE_MAX and a quotient below WHOLE_MAX. */
export function mulDivFloor(a: number, b: number, c: number): number {
  const p = a * b;
  const q = Math.floor(p / c);
  const near = p - q * c;
  const slack = p * NEAR_ERROR;
  if (near > slack && near < c - slack) return q;
  const rest = remainder(a, b, c, q);
  return rest < 0 ? q - 1 : rest >= c ? q + 1 : q;
}

/** ⌈a·b / c⌉, under the same conditions. */
export function mulDivCeil(a: number, b: number, c: number): number {
  const p = a * b;
  const q = Math.floor(p / c);
  const near = p - q * c;
  const slack = p * NEAR_ERROR;
  if (near > slack && near < c - slack) return q + 1;
  const rest = remainder(a, b, c, q);
  return rest > c ? q + 2 : rest > 0 ? q + 1 : rest > -c ? q : q - 1;
}

/** a·b − q·c, where q is within one of a·b / c. */
function remainder(a: number, b: number, c: number, q: number): number {
  const p = a * b;
  const p2 = q * c;
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
