import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mulDivCeil, mulDivFloor, WHOLE_MAX } from "./whole-number.ts";

/** Whole numbers of every size, and those next to powers of two. */
const whole = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: 51 }).chain((bits) => fc.integer({ min: 0, max: Math.min(2 ** bits, max) })),
    fc
      .tuple(fc.integer({ min: 0, max: 51 }), fc.integer({ min: -2, max: 2 }))
      .map(([bits, off]) => Math.min(max, Math.max(0, 2 ** bits + off))),
  );

describe("mulDivFloor(), mulDivCeil()", () => {
  test("are what bigints say", () => {
    let checked = 0;
    fc.assert(
      fc.property(whole(WHOLE_MAX - 1), whole(WHOLE_MAX - 1), whole(2 * WHOLE_MAX), (a, b, divisor) => {
        const c = Math.max(1, divisor);
        const product = BigInt(a) * BigInt(b);
        const [floor, ceil] = [product / BigInt(c), (product + BigInt(c) - 1n) / BigInt(c)];
        if (ceil >= BigInt(WHOLE_MAX)) return;
        checked++;
        expect([BigInt(mulDivFloor(a, b, c)), BigInt(mulDivCeil(a, b, c))]).toEqual([floor, ceil]);
      }),
      { numRuns: 20_000 },
    );
    expect(checked).toBeGreaterThan(5_000);
  });

  test("are right on both sides of a whole quotient", () => {
    fc.assert(
      fc.property(whole(WHOLE_MAX - 2), fc.integer({ min: 2, max: 2 ** 26 }), (q, c) => {
        // (q·c ± 1) as a product of two: take factors of it where they are small enough.
        for (const [a, b] of [
          [q, c],
          [q + 1, c],
        ] as const) {
          expect(mulDivFloor(a, b, c)).toBe(a);
          expect(mulDivCeil(a, b, c)).toBe(a);
          expect(mulDivFloor(a, b - 1, c)).toBe(Number((BigInt(a) * BigInt(b - 1)) / BigInt(c)));
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
