import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { quoteExactIn, quoteExactOut } from "./quote.ts";

const CPMM = { feeNumerator: 2_500, feeDenominator: 1_000_000 };
const AMM_V4 = { feeNumerator: 25, feeDenominator: 10_000 };
const U64_MAX = 0xffff_ffff_ffff_ffffn;

describe("quoteExactIn()", () => {
  // From the deployed programs (bytecode executed in a real SVM on mainnet accounts).
  test.each([
    ["CP-Swap SOL/USDC", CPMM, 416_121_797n, 34_290_700n, 100n, 8n],
    ["AMM v4 SOL/USDC, 68 units: fee 1", AMM_V4, 93_893_491_403_489n, 9_796_886_329_048n, 68n, 6n],
    ["AMM v4 SOL/USDC, 100 units: fee 1", AMM_V4, 93_893_491_403_489n, 9_796_886_329_048n, 100n, 10n],
    ["AMM v4 USDC/SOL, 2 units: fee 1", AMM_V4, 9_796_886_329_048n, 93_893_491_403_489n, 2n, 9n],
    ["AMM v4 USDC/SOL, 10 units: fee 1", AMM_V4, 9_796_886_329_048n, 93_893_491_403_489n, 10n, 86n],
  ])("gives what the program gave: %s", (_, pool, reserveIn, reserveOut, amountIn, amountOut) => {
    expect(quoteExactIn(pool, reserveIn, reserveOut, amountIn)).toBe(amountOut);
  });

  test.each([
    ["no input", 10n, 10n, 0n],
    ["a negative input", 10n, 10n, -1n],
    ["an input that is all fee", 1_000n, 1_000n, 1n],
    ["an output below one unit", 1_000_000n, 10n, 100n],
    ["an empty input side", 0n, 10n, 5n],
    ["an empty output side", 10n, 0n, 5n],
    ["a vault that would overflow", U64_MAX - 5n, 10n ** 12n, 6n],
  ])("refuses %s", (_, reserveIn, reserveOut, amountIn) => {
    expect(quoteExactIn(CPMM, reserveIn, reserveOut, amountIn)).toBe(0n);
  });
});

describe("quoteExactOut()", () => {
  test.each([
    ["nothing", 10n, 10n, 0n],
    ["the whole reserve", 10n, 10n, 10n],
    ["more than the reserve", 10n, 10n, 11n],
    ["an input beyond 64 bits", U64_MAX / 2n, 1_000n, 999n],
  ])("refuses %s", (_, reserveIn, reserveOut, amountOut) => {
    expect(quoteExactOut(CPMM, reserveIn, reserveOut, amountOut)).toBe(0n);
  });
});

const reserve = fc.bigInt(1_000n, 10n ** 17n);
const amount = fc.bigInt(1n, 10n ** 16n);
const pool = fc.record({
  feeNumerator: fc.integer({ min: 0, max: 100_000 }),
  feeDenominator: fc.constant(1_000_000),
});

describe("quotes", () => {
  test("never shrink the product of the reserves", () => {
    fc.assert(
      fc.property(pool, reserve, reserve, amount, (fee, reserveIn, reserveOut, amountIn) => {
        const out = quoteExactIn(fee, reserveIn, reserveOut, amountIn);
        return out < reserveOut && (reserveIn + amountIn) * (reserveOut - out) >= reserveIn * reserveOut;
      }),
    );
  });

  test("never pay less for more", () => {
    fc.assert(
      fc.property(pool, reserve, reserve, amount, amount, (fee, reserveIn, reserveOut, a, more) => {
        return quoteExactIn(fee, reserveIn, reserveOut, a) <= quoteExactIn(fee, reserveIn, reserveOut, a + more);
      }),
    );
  });

  test("ask an input that pays at least the output it was asked for", () => {
    fc.assert(
      fc.property(pool, reserve, reserve, amount, (fee, reserveIn, reserveOut, amountOut) => {
        const amountIn = quoteExactOut(fee, reserveIn, reserveOut, amountOut);
        return amountIn === 0n || quoteExactIn(fee, reserveIn, reserveOut, amountIn) >= amountOut;
      }),
    );
  });
});
