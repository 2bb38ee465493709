import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PoolFacts } from "#core/pool.ts";
import { WSOL_MINT } from "#core/units.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import { ConcentratedPool, CROSSINGS_MAX, TICKS_MAX } from "./concentrated-pool.ts";
import { fillConcentrated } from "./concentrated-quote.ts";
import { buildCycleIndex } from "./cycle-index.ts";
import { PoolTable } from "./pool-table.ts";
import { exactHop, quoteCycle } from "./quote-cycle.ts";
import { Candidates, screenPool } from "./screen.ts";
import { sizeCycle } from "./sizing.ts";
import { testAddress, testConcentratedPool, testPool } from "./test-pools.ts";
import { concentratedPool, netsOf, stateOf, stateWords, type TestTicks, venueState } from "./test-ticks.ts";

/** Pools of a few overlapping positions around the price, in every spacing. */
const anyTicks: fc.Arbitrary<TestTicks> = fc
  .record({
    spacing: fc.constantFrom(1, 10, 60),
    tickCurrent: fc.integer({ min: -20_000, max: 20_000 }),
    offset: fc.integer({ min: 0, max: 999 }),
    spans: fc.array(
      fc.record({
        below: fc.integer({ min: 0, max: 40 }),
        above: fc.integer({ min: 1, max: 40 }),
        shift: fc.integer({ min: -20, max: 20 }),
        liquidity: fc.bigInt({ min: 10n ** 9n, max: 10n ** 14n }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ spacing, tickCurrent, offset, spans }) => {
    const middle = Math.floor(tickCurrent / spacing);
    const positions = spans.map(({ below, above, shift, liquidity }) => ({
      low: (middle + shift - below) * spacing,
      high: (middle + shift + above) * spacing,
      liquidity,
    }));
    return { spacing, positions, tickCurrent, offset };
  });
const anySide = fc.constantFrom(0 as const, 1 as const);
const anyAmount = fc.integer({ min: 0, max: 40 }).chain((bits) => fc.bigInt({ min: 1n, max: 1n << BigInt(bits) }));
const anyFee = fc.constantFrom(100n, 500n, 2_500n, 10_000n);
/** Facts with every array that holds a tick. */
const factsOf = ({ spacing, positions }: TestTicks) => ({
  build: "2026" as const,
  tickSpacing: spacing,
  tickArrays: [
    ...new Set([...netsOf(positions).keys()].map((tick) => Math.floor(tick / (60 * spacing)) * 60 * spacing)),
  ]
    .sort((a, b) => a - b)
    .map((firstTick) => ({ firstTick, address: testAddress(firstTick + 1_000_000) })),
});
const NOW = { slot: 1n, epoch: 1n, unixSeconds: 1_000n };

describe("fillConcentrated()", () => {
  test("is what the venue says, over every tick that it may cross", () => {
    let [filled, crossedSome] = [0, 0];
    fc.assert(
      fc.property(anyTicks, anySide, anyAmount, anyFee, fc.boolean(), (ticks, inputSide, amount, feeRate, exactIn) => {
        const state = concentratedPool(ticks);
        const mode = exactIn ? "exact-in" : "exact-out";
        const fill = fillConcentrated(
          { state, facts: factsOf(ticks), tickArraysMax: 3, feeRate },
          inputSide,
          amount,
          mode,
        );
        const venue = raydiumClmmVenue.swap(venueState(ticks, feeRate), { inputSide, mode, amount }, NOW);
        if (fill !== undefined) {
          if (!venue.ok) throw new Error(`the venue refuses: ${venue.error.name}`);
          expect([fill.amountIn, fill.amountOut]).toEqual([venue.value.amountIn, venue.value.amountOut]);
          filled++;
          if (
            venue.value.after.ticks !== venueState(ticks, feeRate).ticks &&
            venue.value.after.tickCurrent !== ticks.tickCurrent
          )
            crossedSome++;
        } else if (venue.ok) {
          // Refused only for what no instruction of ours could name.
          const after = venue.value.after.tickCurrent;
          const [low, high] = [Math.min(after, ticks.tickCurrent), Math.max(after, ticks.tickCurrent)];
          const between = [...netsOf(ticks.positions).keys()].filter((tick) => tick >= low && tick <= high + 1);
          const arrays = Math.abs(
            Math.floor(after / (60 * ticks.spacing)) - Math.floor(ticks.tickCurrent / (60 * ticks.spacing)),
          );
          const beyond = [...netsOf(ticks.positions).keys()].some(
            (tick) => Math.abs(tick - ticks.tickCurrent) > 60 * ticks.spacing,
          );
          expect(between.length >= CROSSINGS_MAX || arrays >= 1 || beyond).toBe(true);
        }
      }),
      { numRuns: 1_500 },
    );
    expect(filled).toBeGreaterThan(250);
    expect(crossedSome).toBeGreaterThan(50);
  });
});

describe("ConcentratedPool", () => {
  test("keeps its ticks as a sorted map does", () => {
    const change = fc.tuple(
      fc.integer({ min: -50, max: 50 }),
      fc.option(fc.bigInt({ min: -100n, max: 100n }), { nil: undefined }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const pool = new ConcentratedPool();
        const model = new Map<number, bigint>();
        for (const [index, net] of changes) {
          pool.setTick(index, net);
          if (net === undefined) model.delete(index);
          else model.set(index, net);
        }
        const sorted = [...model].sort(([a], [b]) => a - b);
        expect([...pool.ticks.subarray(0, pool.tickCount)]).toEqual(sorted.map(([index]) => index));
        expect(pool.nets).toEqual(sorted.map(([, net]) => net));
      }),
    );
  });

  test("is not whole before its ticks are told, nor once one finds no room", () => {
    const pool = new ConcentratedPool();
    expect(pool.whole).toBe(false);
    pool.clearTicks();
    for (let tick = 0; tick < TICKS_MAX; tick++) pool.setTick(tick, 1n);
    expect(pool.whole).toBe(true);
    pool.setTick(TICKS_MAX, 1n);
    expect([pool.whole, pool.tickCount]).toEqual([false, TICKS_MAX]);
    pool.clearTicks();
    expect([pool.whole, pool.tickCount]).toEqual([true, 0]);
  });

  test("pays out in floats what the exact walk does, but for rounding", () => {
    let compared = 0;
    fc.assert(
      fc.property(anyTicks, anySide, anyAmount, (ticks, inputSide, amount) => {
        const state = concentratedPool(ticks);
        const hop = { state, facts: factsOf(ticks), tickArraysMax: 3, feeRate: 0n };
        const fill = fillConcentrated(hop, inputSide, amount, "exact-in");
        if (fill === undefined) return;
        compared++;
        const out = Number(fill.amountOut);
        // Each crossing rounds twice against the trader; a unit of input is worth this much.
        const unit = inputSide === 0 ? state.price ** 2 : 1 / state.price ** 2;
        expect(Math.abs(state.output(inputSide, Number(amount)) - out)).toBeLessThanOrEqual(
          out * 1e-8 + 20 * (1 + unit),
        );
      }),
      { numRuns: 2_000 },
    );
    expect(compared).toBeGreaterThan(300);
  });
});

/** A market of constant products and one or two concentrated pools between the same two tokens. */
const anyMarket = fc
  .record({
    ticks: fc.array(anyTicks, { minLength: 1, maxLength: 2 }),
    products: fc.array(fc.tuple(fc.double({ min: -0.05, max: 0.05, noNaN: true }), fc.integer({ min: 20, max: 40 })), {
      minLength: 1,
      maxLength: 2,
    }),
  })
  .map(({ ticks, products }) => {
    const first = ticks[0] as TestTicks;
    const price = concentratedPool(first).price ** 2;
    const table = new PoolTable();
    const pools: PoolFacts[] = ticks.map(({ spacing }, i) => testConcentratedPool(i, 0, 1, spacing, 500));
    pools.push(...products.map((_, i) => testPool(ticks.length + i, 0, 1, 500)));
    table.describe(pools);
    ticks.forEach((one, i) => {
      // The second pool's price follows the first's, or nothing would ever be near.
      const near =
        i === 0 ? one : { ...one, tickCurrent: first.tickCurrent, spacing: first.spacing, positions: first.positions };
      table.forgetTicks(i);
      for (const [index, net] of netsOf(near.positions)) table.concentrated(i).setTick(index, net);
      const { sqrtPriceX64, liquidity } = stateOf(near);
      table.updateConcentrated(i, stateWords(sqrtPriceX64, liquidity), 0, near.tickCurrent);
    });
    if (ticks.length === 2) pools[1] = testConcentratedPool(1, 0, 1, first.spacing, 500);
    products.forEach(([off, bits], i) => {
      const depth = 2 ** bits;
      const [x, y] = [Math.round(depth / Math.sqrt(price)), Math.round(depth * Math.sqrt(price) * (1 + off))];
      const words = new Uint32Array(new BigUint64Array([BigInt(x), BigInt(y)]).buffer);
      table.update(ticks.length + i, words[0] as number, words[1] as number, words[2] as number, words[3] as number);
    });
    return { pools, table };
  });

describe("screenPool() and sizeCycle() over ticks", () => {
  test("find what a search by trial over exact quotes finds", () => {
    let found = 0;
    const inputMax = 10 ** 12;
    fc.assert(
      fc.property(anyMarket, ({ pools, table }) => {
        const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 2 });
        const candidates = new Candidates();
        for (const { index: pool } of pools) screenPool(index, table, pool, inputMax, 100, candidates);
        for (let i = 0; i < candidates.count; i++) {
          const at = (candidates.places[i] as number) * 4;
          const hops = [...index.hops.subarray(at, at + 2)].map((hop) =>
            exactHop(table, pools[hop >> 1] as PoolFacts, (hop & 1) as 0 | 1, 3),
          );
          const sized = sizeCycle(hops, candidates.inputs[i] as number, inputMax);
          const earn = (input: number) =>
            Number(quoteCycle(hops, BigInt(Math.max(1, Math.round(input))))) - Math.max(1, Math.round(input));
          let best = 0;
          for (let input = 1; input < inputMax; input *= 1.01) best = Math.max(best, earn(input));
          // The grid is coarse: near its best point, try finely.
          const estimate = candidates.inputs[i] as number;
          for (let step = -50; step <= 50; step++) best = Math.max(best, earn(estimate * (1 + step / 5_000)));
          // A unit of the other token, in the base token, for each rounding on the way.
          const unit = 4 * (1 + 1 / concentratedPrice(table));
          const profit = sized.output - sized.input;
          expect(profit).toBeGreaterThanOrEqual(best - unit - best * 1e-9);
          expect(BigInt(sized.output)).toBe(quoteCycle(hops, BigInt(sized.input)));
          found++;
        }
      }),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(8);
  }, 30_000);

  test("a pool counts neither while its ticks are told anew nor where no tick is left", () => {
    const pools = [testConcentratedPool(0, 0, 1, 10, 500), testPool(1, 0, 1, 500)];
    const table = new PoolTable();
    table.describe(pools);
    const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 2 });
    const screen = () => {
      const candidates = new Candidates();
      screenPool(index, table, 0, 1e12, 100, candidates);
      return candidates.count;
    };
    const tell = () => table.updateConcentrated(0, stateWords(1n << 64n, 10n ** 12n), 0, 0);
    const words = new Uint32Array(new BigUint64Array([10n ** 12n, 2n * 10n ** 12n]).buffer) as unknown as [
      number,
      number,
      number,
      number,
    ];
    table.update(1, ...words);
    tell();
    expect(screen()).toBe(0);
    const tellTicks = () => {
      table.forgetTicks(0);
      table.concentrated(0).setTick(-600, 10n ** 12n);
      table.concentrated(0).setTick(600, -(10n ** 12n));
    };
    tellTicks();
    tell();
    expect(screen()).toBe(1);
    table.forget();
    table.update(1, ...words);
    tell();
    expect(screen()).toBe(0);
    tellTicks();
    tell();
    expect(screen()).toBe(1);
    table.forgetTicks(0);
    expect(screen()).toBe(0);
    tell();
    expect(screen()).toBe(0);
  });
});

const concentratedPrice = (table: PoolTable) => table.concentrated(0).price ** 2;
