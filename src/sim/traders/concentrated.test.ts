/** Trades on the concentrated pools: they land, cross ticks, keep prices bounded, and change nothing for the other pools. */
import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { POOL_STATE } from "#dex/raydium-clmm/layout.ts";
import { readI32 } from "#dex/raydium-clmm/read.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { arraysAhead } from "#dex/raydium-clmm/tick-map.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import { type TestMarket, testMarket } from "#sim/fixture.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { concentratedFlow } from "./concentrated.ts";

const HOURS_SLOTS = 20_000n;
const POOLS = 8;
const concentrated = { pools: POOLS, program: readProgramFile("clmm") };

/** The pool as dex/ reads it from the cluster now. */
function stateNow({ cluster }: TestMarket, { state }: SimConcentratedPool): ClmmState {
  const { facts } = state;
  const addresses = [
    facts.address,
    facts.ammConfig,
    facts.observationState,
    facts.bitmapExtension as Address,
    ...facts.tickArrays.values(),
    ...facts.sides.flatMap(({ mint, vault }) => [mint, vault]),
  ];
  const accounts = new Map(addresses.map((address) => [address, cluster.account(address) as never]));
  const loaded = raydiumClmmVenue.load(facts.address, accounts);
  if (!loaded.ok) throw loaded.error;
  return loaded.value;
}

/** The pool as a swap sees it that names three tick arrays. */
function asNamed(state: ClmmState, inputSide: 0 | 1): ClmmState {
  const ahead = arraysAhead(state.ticks, state.tickCurrent, inputSide === 0, 3);
  const arrays = new Map(ahead.map((array) => [array, state.ticks.arrays.get(array) ?? []]));
  return { ...state, ticks: { ...state.ticks, arrays } };
}

/** Ticks with liquidity between two prices' ticks. */
const crossedBetween = ({ ticks }: ClmmState, from: number, to: number): number => {
  const [low, high] = from < to ? [from, to] : [to, from];
  const all = [...ticks.arrays.values()].flat();
  return all.filter((tick) => tick !== undefined && tick.index > low && tick.index <= high).length;
};

describe("concentratedFlow()", () => {
  test("trades nothing where there are no such pools", async () => {
    const { box } = await testMarket({ rivals: 0 });
    expect(concentratedFlow("1", box.market, 4).tradesOf(7n)).toEqual([]);
  });

  test("gives the same trades for the same seed, and others than the constant-product script", async () => {
    const { box } = await testMarket({ rivals: 0, concentrated });
    const flow = concentratedFlow("1", box.market, 4);
    const trades = Array.from({ length: 50 }, (_, slot) => flow.tradesOf(BigInt(slot))).flat();
    const again = concentratedFlow("1", box.market, 4);
    expect(Array.from({ length: 50 }, (_, slot) => again.tradesOf(BigInt(slot))).flat()).toEqual(trades);
    expect(new Set(trades.map(({ pool }) => pool)).size).toBe(POOLS);
  });
});

describe("Traders on concentrated pools", () => {
  test("land every trade, often across ticks, and leave each pool as dex/ says", async () => {
    const stage = await testMarket({ rivals: 0, concentrated, tradesPerSlot: 8 });
    const { cluster, box } = stage;
    const pools = box.market.concentrated;
    const paper = pools.map(({ state }) => state);
    let crossings = 0;
    cluster.onTransaction(({ error, written }) => {
      for (const { address, data } of error === null ? written : []) {
        const at = pools.findIndex(({ state }) => state.facts.address === address);
        const before = paper[at];
        if (before === undefined) continue;
        const tickCurrent = readI32(data, POOL_STATE.tickCurrent);
        crossings += crossedBetween(before, before.tickCurrent, tickCurrent) > 0 ? 1 : 0;
        paper[at] = { ...before, tickCurrent };
      }
    });
    const exact = pools.map(({ state }) => state);
    for (let slot = 0; slot < 60; slot++) {
      for (const { pool, inputSide, amountIn } of box.concentratedTraders.flow.tradesOf(cluster.slot)) {
        const order = { inputSide, mode: "exact-in", amount: amountIn } as const;
        const fill = raydiumClmmVenue.swap(exact[pool] as ClmmState, order, { slot: 0n, epoch: 0n, unixSeconds: 1n });
        if (!fill.ok) throw new Error(fill.error.name);
        exact[pool] = fill.value.after;
      }
      await stage.runSlots(1);
    }
    const { failed, skipped, landed } = box.concentratedTraders.counters;
    expect({ failed, skipped }).toEqual({ failed: 0, skipped: 0 });
    expect(landed).toBeGreaterThan(120);
    console.log(`concentrated: ${landed} trades, ${crossings} across a tick`);
    expect(crossings).toBeGreaterThan(landed / 10);
    for (const [i, pool] of pools.entries())
      expect(raydiumClmmVenue.figures(stateNow(stage, pool))).toEqual(raydiumClmmVenue.figures(exact[i] as ClmmState));
  });

  test(`keep prices within a factor of 2 over ${HOURS_SLOTS} slots, even with nobody arbitraging`, async () => {
    const { box } = await testMarket({ rivals: 0, concentrated });
    const states = box.market.concentrated.map(({ state }) => state);
    const start = states.map(({ tickCurrent }) => tickCurrent);
    const flow = box.concentratedTraders.flow;
    let driftTicksMax = 0;
    let refused = 0;
    let crossings = 0;
    let trades = 0;
    for (let slot = 1n; slot <= HOURS_SLOTS; slot++)
      for (const { pool, inputSide, amountIn } of flow.tradesOf(slot)) {
        const before = states[pool] as ClmmState;
        const order = { inputSide, mode: "exact-in", amount: amountIn } as const;
        const fill = raydiumClmmVenue.swap(asNamed(before, inputSide), order, { slot, epoch: 0n, unixSeconds: 1n });
        trades++;
        if (!fill.ok) {
          refused++;
          continue;
        }
        const arrays = new Map([...before.ticks.arrays, ...fill.value.after.ticks.arrays]);
        const after = { ...fill.value.after, ticks: { ...before.ticks, arrays } };
        states[pool] = after;
        if (after.liquidity !== before.liquidity) crossings++;
        driftTicksMax = Math.max(driftTicksMax, Math.abs(after.tickCurrent - (start[pool] as number)));
      }
    console.log(
      `concentrated: largest price drift ×${(1.0001 ** driftTicksMax).toFixed(2)}, ${((100 * crossings) / trades).toFixed(0)} % of ${trades} trades across ticks, ${refused} refused`,
    );
    expect(refused).toBeLessThan(trades / 1_000);
    expect(driftTicksMax).toBeLessThan(Math.log(2) / Math.log(1.0001));
  }, 30_000);

  test("change nothing for the constant-product pools: the same trades, the same outcome", async () => {
    const run = async (options: Parameters<typeof testMarket>[0]) => {
      const stage = await testMarket({ rivals: 0, ...options });
      await stage.runSlots(20);
      const { market } = stage.box;
      return market.pools.map(({ facts }) => facts.vaults.map((vault) => stage.cluster.account(vault)?.data));
    };
    expect(await run({ concentrated })).toEqual(await run({}));
  });
});
