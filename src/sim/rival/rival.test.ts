/** The rival's eyes and arithmetic: it sees what the chain holds, and no input beats the one it picks. */
import { describe, expect, test } from "bun:test";
import { decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { cpmmReserve } from "#dex/raydium-cpmm/facts.ts";
import { testMarket } from "#sim/fixture.ts";
import { CycleSearch } from "./cycle-search.ts";
import { MarketView } from "./market-view.ts";

const INPUT_MAX = 1n << 60n;

describe("MarketView", () => {
  test("holds every pool's reserves as the chain has them, and names what changed once", async () => {
    const { cluster, box, runSlots } = await testMarket();
    const view = new MarketView(cluster, box.market.pools);
    await runSlots(25);
    const data = (address: Parameters<typeof cluster.account>[0]) => cluster.account(address)?.data ?? new Uint8Array();
    for (const [pool, { facts }] of box.market.pools.entries()) {
      const state = decodePoolState(data(facts.address));
      const vaults = facts.vaults.map((address) => decodeTokenAmount(data(address)));
      const chain = ([0, 1] as const).map((side) => {
        const amount = vaults[side];
        return state.ok && amount?.ok ? cpmmReserve(state.value, side, amount.value) : undefined;
      });
      expect([...view.reserves(pool)]).toEqual(chain as bigint[]);
    }
    expect(view.takeChanged().length).toBeGreaterThan(10);
    expect(view.takeChanged()).toEqual([]);
    view.stop();
    await runSlots(2);
    expect(view.takeChanged()).toEqual([]);
  });
});

describe("CycleSearch", () => {
  test("best() picks the input that nothing near it beats, and the cycle that no other beats", async () => {
    const { cluster, box, runSlots } = await testMarket({ rivals: 0 });
    const { pools } = box.market;
    const view = new MarketView(cluster, pools);
    await runSlots(25);
    const search = new CycleSearch(pools);
    const reservesOf = (pool: number) => view.reserves(pool);
    const everywhere = [...pools.keys()];
    const best = search.best(everywhere, reservesOf, INPUT_MAX);
    if (best === undefined) throw new Error("a market without arbitrage proves nothing");
    const profitOf = (amountIn: bigint) =>
      (search.amounts(best.cycle, reservesOf, amountIn).at(-1) as bigint) - amountIn;
    expect(profitOf(best.amountIn)).toBe(best.profitLamports);
    for (const permille of [500n, 900n, 990n, 1_010n, 1_100n, 2_000n])
      expect(profitOf((best.amountIn * permille) / 1_000n)).toBeLessThan(best.profitLamports);
    for (const pool of everywhere)
      expect(search.best([pool], reservesOf, INPUT_MAX)?.profitLamports ?? 0n).toBeLessThanOrEqual(best.profitLamports);
  });

  test("best() finds nothing where all pools agree, and stays under the most input", async () => {
    const { cluster, box, runSlots } = await testMarket({ rivals: 0 });
    const { pools } = box.market;
    const view = new MarketView(cluster, pools);
    const search = new CycleSearch(pools);
    const reservesOf = (pool: number) => view.reserves(pool);
    expect(search.best([...pools.keys()], reservesOf, INPUT_MAX)).toBeUndefined();
    await runSlots(25);
    const capped = search.best([...pools.keys()], reservesOf, 1_000_000n);
    expect(capped?.amountIn).toBe(1_000_000n);
  });
});
