/** Concentrated pools of genesis: what a position leaves behind is there, once, and the vaults could pay it out. */
import { describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { CONFIG_SCHEMA } from "#core/config-schema.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";
import { clmmTickArrayAddress } from "#dex/raydium-clmm/addresses.ts";
import { POOL_STATE } from "#dex/raydium-clmm/layout.ts";
import { startOf } from "#dex/raydium-clmm/tick-map.ts";
import { sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { rentExemptLamports } from "./accounts.ts";
import { CONCENTRATED_POOLS_MAX, CONCENTRATED_TIERS, planConcentrated } from "./concentrated-plan.ts";
import { amountsOf, placePositions } from "./concentrated-ticks.ts";
import { writeGenesis } from "./genesis.ts";
import { planMarket } from "./market-plan.ts";
import { readProgramFile } from "./program-file.ts";

async function genesis(pools = CONCENTRATED_POOLS_MAX) {
  const cluster = createCluster({ seed: "g", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
  const market = await writeGenesis(cluster, {
    seed: "1",
    program: readProgramFile("cp-swap"),
    concentrated: { pools, program: readProgramFile("clmm") },
    wallet: "",
    traders: 1,
    rivals: 0,
  });
  const accounts = new Map(cluster.programAccounts(RAYDIUM_CLMM_PROGRAM).map(({ address, state }) => [address, state]));
  return { cluster, market, accounts };
}

describe("planConcentrated()", () => {
  const plan = planMarket("1");

  test("has as many pools as the option sim.concentratedPools may ask for", () => {
    const { fallback, low, high } = CONFIG_SCHEMA["sim.concentratedPools"];
    expect({ fallback, low, high }).toEqual({ fallback: CONCENTRATED_POOLS_MAX, low: 0, high: CONCENTRATED_POOLS_MAX });
  });

  test("plans at least 6 pools of several tiers, some of them on one pair", () => {
    const pools = planConcentrated("1", plan, CONCENTRATED_POOLS_MAX);
    expect(pools.length).toBeGreaterThanOrEqual(6);
    expect(new Set(pools.map(({ tier }) => tier)).size).toBe(CONCENTRATED_TIERS.length);
    expect(new Set(pools.map(({ tokens }) => tokens.join())).size).toBeLessThan(pools.length);
    for (const { positions, tokens } of pools) {
      expect(Math.min(...tokens)).toBeGreaterThanOrEqual(0);
      for (const { lower, upper } of positions) expect(lower).toBeLessThan(upper);
    }
  });

  test("gives the same pools for the same seed, others for another, and the first of more when fewer are asked for", () => {
    expect(planConcentrated("1", plan, 8)).toEqual(planConcentrated("1", plan, 8));
    expect(planConcentrated("1", plan, 8)).not.toEqual(planConcentrated("2", plan, 8));
    expect(planConcentrated("1", plan, 3)).toEqual(planConcentrated("1", plan, 8).slice(0, 3));
    expect(planConcentrated("1", plan, 0)).toEqual([]);
  });
});

describe("placePositions()", () => {
  test("adds positions that share an end into one tick, and counts the one that ends at the price as outside", () => {
    const positions = [
      { lower: -120, upper: 60, liquidity: 1_000n },
      { lower: 60, upper: 180, liquidity: 700n },
    ];
    const { arrays, liquidity } = placePositions(positions, sqrtPriceAtTick(60), 60, 60);
    expect(liquidity).toBe(700n);
    expect(Object.fromEntries(arrays)).toEqual({
      [-1]: [{ index: -120, net: 1_000n, gross: 1_000n }],
      0: [
        { index: 60, net: -300n, gross: 1_700n },
        { index: 180, net: -700n, gross: 700n },
      ],
    });
  });

  test("asks of a position on one side of the price for one token only", () => {
    const position = { lower: 600, upper: 1_200, liquidity: 1_000_000n };
    expect(amountsOf(position, sqrtPriceAtTick(0))[1]).toBe(0n);
    expect(amountsOf(position, sqrtPriceAtTick(0))[0]).toBeGreaterThan(0n);
    expect(amountsOf(position, sqrtPriceAtTick(1_200))[0]).toBe(0n);
  });

  test("refuses positions that no u64 can cover", () => {
    const positions = [{ lower: -60, upper: 60, liquidity: 1n << 90n }];
    expect(() => placePositions(positions, sqrtPriceAtTick(0), 0, 60)).toThrow("Cannot write genesis: positions");
  });
});

describe("writeGenesis() with concentrated pools", () => {
  test("keeps the books of every pool: net liquidity, the liquidity at the price, and vaults that cover the positions", async () => {
    const { market } = await genesis();
    expect(market.concentrated).toHaveLength(CONCENTRATED_POOLS_MAX);
    for (const { state, positions } of market.concentrated) {
      const ticks = [...state.ticks.arrays.values()].flat().filter((tick) => tick !== undefined);
      expect(ticks.length).toBeGreaterThan(10);
      expect(ticks.reduce((sum, { liquidityNet }) => sum + liquidityNet, 0n)).toBe(0n);
      const below = ticks.filter(({ index }) => index <= state.tickCurrent);
      expect(below.reduce((sum, { liquidityNet }) => sum + liquidityNet, 0n)).toBe(state.liquidity);
      expect(state.liquidity).toBeGreaterThan(0n);
      const owed = positions.map((position) => amountsOf(position, state.sqrtPriceX64));
      for (const side of [0, 1] as const)
        expect(state.vaults[side]).toBe(owed.reduce((sum, amounts) => sum + amounts[side], 0n));
      expect(sqrtPriceAtTick(state.tickCurrent)).toBeLessThanOrEqual(state.sqrtPriceX64);
      expect(sqrtPriceAtTick(state.tickCurrent + 1)).toBeGreaterThan(state.sqrtPriceX64);
    }
  });

  test("names in its bitmaps the arrays that hold ticks, no others, each at its derived address", async () => {
    const { cluster, market } = await genesis();
    let beyond = 0;
    for (const { state } of market.concentrated) {
      const { ticks, facts } = state;
      expect(ticks.named).toEqual([...ticks.arrays.keys()].sort((a, b) => a - b));
      for (const [array, address] of facts.tickArrays) {
        expect(address).toBe(await clmmTickArrayAddress(facts.address, startOf(array, ticks.spacing)));
        if (array < -512 || array >= 512) beyond++;
      }
      expect(cluster.account(facts.bitmapExtension as Address)).toBeDefined();
    }
    expect(beyond).toBeGreaterThan(0);
  });

  test("leaves every account rent-exempt and readable as the venue reads it", async () => {
    const { market, accounts, cluster } = await genesis();
    for (const { data, lamports } of accounts.values()) expect(lamports).toBe(rentExemptLamports(data.length));
    const { state } = market.concentrated[0] as (typeof market.concentrated)[number];
    const more = [...state.facts.sides.flatMap(({ mint, vault }) => [mint, vault])];
    const set = new Map([...accounts, ...more.map((key) => [key, cluster.account(key) as never] as const)]);
    const loaded = raydiumClmmVenue.load(state.facts.address, set);
    expect(loaded.ok && raydiumClmmVenue.figures(loaded.value)).toEqual(raydiumClmmVenue.figures(state));
    const pool = cluster.account(state.facts.address)?.data ?? new Uint8Array();
    expect(new DataView(pool.buffer, pool.byteOffset).getUint16(POOL_STATE.tickSpacing, true)).toBe(10);
  });

  test("writes none when none are asked for, and leaves the other pools as they are", async () => {
    const { market, accounts } = await genesis(0);
    expect(accounts.size).toBe(0);
    expect(market.concentrated).toEqual([]);
    expect((await genesis()).market.pools).toEqual(market.pools);
  });
});
