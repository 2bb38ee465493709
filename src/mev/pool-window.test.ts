import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { type PlacedTrade, PoolWindow } from "./pool-window.ts";
import { TestMarket } from "./test-market.ts";

/** One buy by each of `names`, a slot apart, from slot 1,000 on. */
function tradesBy(...names: string[]): PlacedTrade[] {
  const market = new TestMarket();
  return names.map((by, order) => {
    market.slot = 1_000 + order;
    const [trade] = market.next([{ by, buy: true, amount: 1_000_000n }]).trades;
    if (trade === undefined) throw new Error("no trade was made");
    return { trade, order, settled: false };
  });
}

const orders = (placed: readonly PlacedTrade[]) => placed.map(({ order }) => order);

describe("PoolWindow", () => {
  test("lets go of slots before the window, with the wallets that traded in them", () => {
    const window = new PoolWindow();
    for (const placed of tradesBy("a", "b", "a", "c")) window.push(placed, placed.trade.transaction.slot - 1);
    expect(orders(window.between(0, 10))).toEqual([2, 3]);
    expect(orders(window.openTradesOf(["a", "b"] as Address[], 10))).toEqual([2]);
    expect(window.takeDropped()).toBe(0);
  });

  test("drops and counts the oldest when it is full", () => {
    const window = new PoolWindow(2);
    for (const placed of tradesBy("a", "b", "a")) window.push(placed, 0);
    expect(orders(window.between(0, 10))).toEqual([1, 2]);
    expect(window.takeDropped()).toBe(1);
    expect(window.takeDropped()).toBe(0);
  });

  test("gives trades between two places, both included, and no settled one as open", () => {
    const window = new PoolWindow();
    const placed = tradesBy("a", "b", "a", "a");
    for (const one of placed) window.push(one, 0);
    expect(orders(window.between(1, 2))).toEqual([1, 2]);
    (placed[0] as PlacedTrade).settled = true;
    expect(orders(window.openTradesOf(["a"] as Address[], 2))).toEqual([2]);
  });
});
