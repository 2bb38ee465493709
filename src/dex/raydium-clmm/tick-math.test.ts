import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  SQRT_PRICE_MAX_X64,
  SQRT_PRICE_MIN_X64,
  sqrtPriceAtTick,
  TICK_MAX,
  TICK_MIN,
  tickAtSqrtPrice,
} from "./tick-math.ts";

describe("sqrtPriceAtTick()", () => {
  test("gives the bounds that the program names, and 1 in the middle", () => {
    expect(sqrtPriceAtTick(TICK_MIN)).toBe(SQRT_PRICE_MIN_X64);
    expect(sqrtPriceAtTick(TICK_MAX)).toBe(SQRT_PRICE_MAX_X64);
    expect(sqrtPriceAtTick(0)).toBe(1n << 64n);
  });

  test("rises with every tick, by half a basis point", () => {
    fc.assert(
      fc.property(fc.integer({ min: TICK_MIN, max: TICK_MAX - 1 }), (tick) => {
        const ratio = Number((sqrtPriceAtTick(tick + 1) * 10n ** 12n) / sqrtPriceAtTick(tick)) / 1e12;
        expect(ratio).toBeCloseTo(Math.sqrt(1.0001), 8);
      }),
    );
  });
});

describe("tickAtSqrtPrice()", () => {
  const ticks = fc.integer({ min: TICK_MIN, max: TICK_MAX - 1 });

  test("is the tick of its own price, up to one below the next tick's", () => {
    fc.assert(
      fc.property(ticks, (tick) => {
        expect(tickAtSqrtPrice(sqrtPriceAtTick(tick))).toBe(tick);
        expect(tickAtSqrtPrice(sqrtPriceAtTick(tick + 1) - 1n)).toBe(tick);
      }),
      { numRuns: 2_000 },
    );
  });

  test("holds a price between those of its tick and the next", () => {
    fc.assert(
      fc.property(fc.bigInt(SQRT_PRICE_MIN_X64, SQRT_PRICE_MAX_X64 - 1n), (price) => {
        const tick = tickAtSqrtPrice(price);
        expect(sqrtPriceAtTick(tick) <= price && price < sqrtPriceAtTick(tick + 1)).toBe(true);
      }),
    );
  });

  test("equals the program's logarithm in integers", () => {
    fc.assert(
      fc.property(ticks, fc.bigInt(-3n, 3n), (tick, offset) => {
        const price = sqrtPriceAtTick(tick) + offset;
        if (price >= SQRT_PRICE_MIN_X64) expect(tickAtSqrtPrice(price)).toBe(tickByLogarithm(price));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The tick by 16 bits of a logarithm and two candidates around it, as `get_tick_at_sqrt_price` describes it. */
function tickByLogarithm(price: bigint): number {
  const highestBit = price.toString(2).length - 1;
  let rest = highestBit >= 64 ? price >> BigInt(highestBit - 63) : price << BigInt(63 - highestBit);
  let fraction = 0n;
  for (let bit = 1n << 63n, i = 0; i < 16; bit >>= 1n, i++) {
    rest *= rest;
    const isTwo = rest >> 127n;
    rest >>= 63n + isTwo;
    fraction += bit * isTwo;
  }
  const logarithmX32 = (BigInt(highestBit - 64) << 32n) + (fraction >> 32n);
  const logarithmX64 = logarithmX32 * 59_543_866_431_248n;
  const low = Number((logarithmX64 - 184_467_440_737_095_516n) >> 64n);
  const high = Number((logarithmX64 + 15_793_534_762_490_258_745n) >> 64n);
  return low === high || sqrtPriceAtTick(high) > price ? low : high;
}
