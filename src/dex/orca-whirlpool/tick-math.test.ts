import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_INDEX_MAX, TICK_INDEX_MIN } from "./limits.ts";
import { sqrtPriceFromTickIndex, tickIndexFromSqrtPrice } from "./tick-math.ts";

const anyTick = fc.integer({ min: TICK_INDEX_MIN, max: TICK_INDEX_MAX - 1 });

/**
 * The tick as the program finds it: 14 bits of a binary logarithm, changed to base 1.0001 with a margin of error on both
 * sides, and the price of the upper candidate deciding where the margins disagree.
 */
function tickByLogarithm(sqrtPrice: bigint): number {
  const msb = sqrtPrice.toString(2).length - 1;
  let fraction = 0n;
  let r = msb >= 64 ? sqrtPrice >> BigInt(msb - 63) : sqrtPrice << BigInt(63 - msb);
  for (let i = 0, bit = 1n << 63n; i < 14; i++, bit >>= 1n) {
    r *= r;
    const aboveTwo = r >> 127n;
    r >>= 63n + aboveTwo;
    fraction += bit * aboveTwo;
  }
  const logarithm = ((BigInt(msb - 64) << 32n) + (fraction >> 32n)) * 59_543_866_431_248n;
  const low = Number((logarithm - 184_467_440_737_095_516n) >> 64n);
  const high = Number((logarithm + 15_793_534_762_490_258_745n) >> 64n);
  return low !== high && sqrtPriceFromTickIndex(high) <= sqrtPrice ? high : low;
}

describe("sqrtPriceFromTickIndex()", () => {
  test.each([
    [TICK_INDEX_MIN, SQRT_PRICE_MIN],
    [TICK_INDEX_MIN + 1, 4_295_262_763n],
    [-1, 18_445_821_805_675_392_311n],
    [0, 18_446_744_073_709_551_616n],
    [1, 18_447_666_387_855_959_850n],
    [TICK_INDEX_MAX, SQRT_PRICE_MAX],
  ])("gives the program's price at tick %i", (tick, price) => {
    expect(sqrtPriceFromTickIndex(tick)).toBe(price);
  });

  test("rises from tick to tick", () => {
    fc.assert(
      fc.property(anyTick, (tick) => {
        expect(sqrtPriceFromTickIndex(tick + 1)).toBeGreaterThan(sqrtPriceFromTickIndex(tick));
      }),
    );
  });

  test("answers the same after 4,096 other ticks took its place", () => {
    const first = sqrtPriceFromTickIndex(77);
    for (let tick = 78; tick < 78 + 2 * 4_096; tick++) sqrtPriceFromTickIndex(tick);
    expect(sqrtPriceFromTickIndex(77)).toBe(first);
  });
});

describe("tickIndexFromSqrtPrice()", () => {
  test("is the tick at its price, and the one below just under it", () => {
    fc.assert(
      fc.property(anyTick, (tick) => {
        const price = sqrtPriceFromTickIndex(tick + 1);
        expect([tickIndexFromSqrtPrice(price), tickIndexFromSqrtPrice(price - 1n)]).toEqual([tick + 1, tick]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("equals the program's own way at any price", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: SQRT_PRICE_MIN, max: SQRT_PRICE_MAX }),
        fc.integer({ min: 0, max: 63 }),
        (p, shift) => {
          const price = p >> BigInt(shift) < SQRT_PRICE_MIN ? p : p >> BigInt(shift);
          expect(tickIndexFromSqrtPrice(price)).toBe(tickByLogarithm(price));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test("equals the program's own way around ticks", () => {
    fc.assert(
      fc.property(anyTick, fc.integer({ min: -3, max: 3 }), (tick, off) => {
        const price = sqrtPriceFromTickIndex(tick) + BigInt(off);
        if (price >= SQRT_PRICE_MIN) expect(tickIndexFromSqrtPrice(price)).toBe(tickByLogarithm(price));
      }),
      { numRuns: 5_000 },
    );
  });

  test("knows both ends", () => {
    expect(tickIndexFromSqrtPrice(SQRT_PRICE_MIN)).toBe(TICK_INDEX_MIN);
    expect(tickIndexFromSqrtPrice(SQRT_PRICE_MAX)).toBe(TICK_INDEX_MAX);
    expect(tickIndexFromSqrtPrice(SQRT_PRICE_MAX - 1n)).toBe(TICK_INDEX_MAX - 1);
  });
});
