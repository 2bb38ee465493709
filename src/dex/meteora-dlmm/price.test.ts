import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { amountInAtPrice, amountOutAtPrice, priceOfBin } from "./price.ts";

const ONE = 1n << 64n;

describe("priceOfBin()", () => {
  // Prices that the deployed program stored in bins of pairs of mainnet.
  test.each([
    [0, 250, ONE],
    [15, 250, 26716385619813447402n],
    [13_313, 4, 3785840211834248826357n],
    [-238, 400, 1629239644869403n],
    [1, 10, 18465190817783261167n],
  ])("of bin %i at step %i is what the program stores", (id, binStep, price) => {
    expect(priceOfBin(id, binStep)).toBe(price);
  });

  test("rises from bin to bin", () => {
    const ids = fc.integer({ min: -700, max: 700 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 400 }), (id, binStep) => {
        expect(priceOfBin(id + 1, binStep)).toBeGreaterThan(priceOfBin(id, binStep) as bigint);
      }),
    );
  });

  test.each([
    [1 << 19, 1],
    [-(1 << 19), 1],
    [443_636, 400],
  ])("is none for bin %i at step %i, where the program overflows", (id, binStep) => {
    expect(priceOfBin(id, binStep)).toBeUndefined();
  });
});

describe("amountInAtPrice()", () => {
  test("buys at least what was asked", () => {
    const amounts = fc.bigInt(1n, 2n ** 60n);
    fc.assert(
      fc.property(amounts, fc.integer({ min: -900, max: 900 }), fc.boolean(), (amount, id, swapForY) => {
        const price = priceOfBin(id, 100) as bigint;
        const cost = amountInAtPrice(amount, price, swapForY);
        expect(amountOutAtPrice(cost, price, swapForY)).toBeGreaterThanOrEqual(amount);
        expect(amountOutAtPrice(cost - 1n, price, swapForY)).toBeLessThan(amount);
      }),
    );
  });
});
