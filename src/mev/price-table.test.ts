import { describe, expect, test } from "bun:test";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { PriceTable } from "./price-table.ts";
import { TestMarket } from "./test-market.ts";

const [DOLLAR, TOKEN, OTHER] = ["dollar", "token", "other"] as unknown as [Address, Address, Address];
const [template] = new TestMarket().next([{ by: "a", buy: true, amount: 1n }]).trades;

function table(...trades: readonly (readonly [Address, bigint, Address, bigint])[]): PriceTable {
  const prices = new PriceTable();
  for (const [mintIn, amountIn, mintOut, amountOut] of trades)
    prices.see({ ...(template as NonNullable<typeof template>), mintIn, amountIn, mintOut, amountOut });
  return prices;
}

describe("PriceTable.lamports()", () => {
  test("values a token at its last trade against SOL, rounded down either way", () => {
    const prices = table([WSOL_MINT, 10n, TOKEN, 3n]);
    expect([prices.lamports(TOKEN, 1n), prices.lamports(TOKEN, -1n)]).toEqual([3n, -4n]);
    expect(prices.lamports(OTHER, 1n)).toBeUndefined();
    expect(prices.lamports(OTHER, 0n)).toBe(0n);
  });

  test("values a token by one that was traded against SOL, until it is itself", () => {
    const trades = [
      [DOLLAR, 150n, WSOL_MINT, 1_000n],
      [TOKEN, 10n, DOLLAR, 30n],
    ] as const;
    expect(table(...trades).lamports(TOKEN, 1n)).toBe(20n);
    expect(table(...trades, [WSOL_MINT, 7n, TOKEN, 1n], [DOLLAR, 1n, TOKEN, 1n]).lamports(TOKEN, 1n)).toBe(7n);
  });

  test("does not go further than one token", () => {
    const prices = table([DOLLAR, 150n, WSOL_MINT, 1_000n], [TOKEN, 10n, DOLLAR, 30n], [OTHER, 1n, TOKEN, 1n]);
    expect(prices.lamports(OTHER, 1n)).toBeUndefined();
  });
});
