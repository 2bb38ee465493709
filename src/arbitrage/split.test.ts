import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PoolFacts } from "#core/pool.ts";
import { NO_HOP } from "./cycle-index.ts";
import { findSplit } from "./find-split.ts";
import { BigintHop, WholeHop } from "./hop-curve.ts";
import { ParallelPools } from "./parallel-pools.ts";
import { PoolTable } from "./pool-table.ts";
import { type ExactHop, exactHop, quoteHop } from "./quote-cycle.ts";
import { ExactSplit, secondShare } from "./split-hop.ts";
import { testAddress, testConcentratedPool, testPool } from "./test-pools.ts";
import { concentratedPool, type TestTicks } from "./test-ticks.ts";
import { Winner } from "./winner.ts";

type Reserves = readonly [bigint, bigint];

function tableOf(pools: readonly PoolFacts[], reserves: readonly (Reserves | undefined)[]): PoolTable {
  const table = new PoolTable();
  table.describe(pools);
  reserves.forEach((pair, index) => {
    if (pair === undefined) return;
    const words = new Uint32Array(new BigUint64Array(pair).buffer);
    table.update(index, ...(words as unknown as [number, number, number, number]));
  });
  return table;
}

/** The most that any whole split pays out. */
function bruteForce(first: ExactHop, second: ExactHop, amount: number): bigint {
  let most = 0n;
  for (let part = 1; part < amount; part++) {
    const outs = [quoteHop(first, BigInt(amount - part)), quoteHop(second, BigInt(part))] as const;
    if (outs[0] > 0n && outs[1] > 0n && outs[0] + outs[1] > most) most = outs[0] + outs[1];
  }
  return most;
}

const wholeHop = ({ pool, reserveIn, reserveOut }: ExactHop): WholeHop => {
  const hop = new WholeHop();
  expect(hop.set(Number(reserveIn), Number(reserveOut), pool.feeNumerator, pool.feeDenominator)).toBe(true);
  return hop;
};

/** The best split in whole floats, which is that of the bigint quotes. */
function splitExactly(first: ExactHop, second: ExactHop, amount: number, near: number) {
  const [whole, exact] = [new ExactSplit(), new ExactSplit()];
  const found = whole.search(wholeHop(first), wholeHop(second), amount, near);
  expect(exact.search(new BigintHop(first), new BigintHop(second), amount, near)).toBe(found);
  if (!found) return undefined;
  const { secondIn, secondOut, firstOut } = whole;
  expect([exact.secondIn, exact.secondOut, exact.firstOut]).toEqual([secondIn, secondOut, firstOut]);
  return { secondIn: BigInt(secondIn), secondOut: BigInt(secondOut), firstOut: BigInt(firstOut) };
}

const reserve = (bits: number) =>
  fc.integer({ min: 4 * 30, max: 30 * bits }).map((tenths) => BigInt(Math.round(2 ** (tenths / 30))));
const fee = fc.constantFrom(0, 100, 2_500, 10_000, 30_000);

describe("splitExactly()", () => {
  test("is within a unit of the best of all whole splits of two constant products", () => {
    fc.assert(
      fc.property(
        fc.tuple(reserve(40), reserve(40)),
        fc.integer({ min: -30, max: 30 }),
        fc.integer({ min: -2_000, max: 2_000 }),
        fee,
        fee,
        fc.integer({ min: 2, max: 4_000 }),
        (reserves, depth, skew, fee0, fee1, amount) => {
          const pools = [testPool(0, 0, 1, fee0), testPool(1, 0, 1, fee1)] as const;
          const scale = 2 ** (depth / 10);
          const beside = [
            BigInt(Math.max(1, Math.round(Number(reserves[0]) * scale))),
            BigInt(Math.max(1, Math.round(Number(reserves[1]) * scale * (1 + skew / 10_000)))),
          ] as const;
          const table = tableOf(pools, [reserves, beside]);
          const [first, second] = pools.map((pool) => exactHop(table, pool, 0, 3)) as [ExactHop, ExactHop];
          const most = bruteForce(first, second, amount);
          const near = BigInt(Math.round(secondShare(table, 0, 2, amount)));
          const found = splitExactly(first, second, amount, Number(near));
          const unsplit = quoteHop(first, BigInt(amount));
          const out = found === undefined ? 0n : found.firstOut + found.secondOut;
          // Where the output is the finer token, a unit of the input buys many units of it: then that is the unit.
          const worth = [first, second].map(({ reserveIn, reserveOut }) => Number(reserveOut) / Number(reserveIn));
          const best = Number(out > unsplit ? out : unsplit);
          expect(Number(most) - best).toBeLessThanOrEqual(Math.max(1, Math.ceil(Math.max(...worth))));
          if (found === undefined) return;
          expect(found.firstOut).toBe(quoteHop(first, BigInt(amount) - found.secondIn));
          expect(found.secondOut).toBe(quoteHop(second, found.secondIn));
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);
});

const SOL = 1_000_000_000n;
/** wSOL and a token at 1,000 to 1,030: in by pool 0, out by pool 1, with pool 2 beside pool 1. */
const PRODUCTS = [testPool(0, 0, 1), testPool(1, 0, 1), testPool(2, 0, 1)] as const;
const OPEN = [
  [1_000n * SOL, 1_030n * SOL],
  [1_000n * SOL, 1_000n * SOL],
  [1_000n * SOL, 1_000n * SOL],
] as const;

function search(
  pools: readonly PoolFacts[],
  table: PoolTable,
  { gainMin = 1, inputMax = 50e9, isHeld = (_: number): boolean => false, hops: numbers = [0, 3] } = {},
) {
  const winner = new Winner();
  winner.load(Int32Array.from([...numbers, NO_HOP]), 0, table, pools);
  winner.size(Math.min(5e9, inputMax), inputMax);
  const market = { table, pools, parallels: new ParallelPools(pools), isHeld };
  const found = findSplit(winner, { inputMax, gainMin }, market);
  const side = (found === undefined ? 0 : found.second & 1) as 0 | 1;
  return {
    hops: winner.exactHops(),
    profit: BigInt(winner.sized.output - winner.sized.input),
    split: found && {
      place: found.place,
      second: found.exact ?? exactHop(table, pools[found.second >> 1] as PoolFacts, side, 3),
      secondIn: BigInt(found.secondIn),
      secondOut: BigInt(found.secondOut),
      amounts: [...found.amounts].slice(0, winner.hopCount + 1).map(BigInt),
      gainLamports: BigInt(found.gainLamports),
    },
  };
}

describe("findSplit()", () => {
  test("puts the way out over both pools, deeper than one would go, and says what it gains", () => {
    const { hops, profit, split } = search(PRODUCTS, tableOf(PRODUCTS, OPEN));
    if (split === undefined) throw new Error("no split");
    const { place, second, secondIn, secondOut, amounts, gainLamports } = split;
    expect([place, second.pool.index, second.inputSide]).toEqual([1, 2, 1]);
    const [input, middle, output] = amounts as [bigint, bigint, bigint];
    expect(middle).toBe(quoteHop(hops[0] as ExactHop, input));
    expect(secondOut).toBe(quoteHop(second, secondIn));
    expect(output).toBe(quoteHop(hops[1] as ExactHop, middle - secondIn) + secondOut);
    expect(output - input).toBe(profit + gainLamports);
    // Two equal pools share evenly, and with a third one the cycle earns a good deal more.
    expect(Number(secondIn) / Number(middle)).toBeCloseTo(0.5, 3);
    expect(gainLamports * 3n).toBeGreaterThan(profit);
  });

  test("never makes a cycle worse, keeps within the input's limit, and adds up, whatever the pools are", () => {
    const depth = fc.bigInt({ min: 1_000_000n, max: 10_000n * SOL });
    const skew = fc.integer({ min: 900, max: 1_100 });
    const pair = fc.tuple(depth, skew).map(([base, perMille]) => [base, (base * BigInt(perMille)) / 1_000n] as const);
    let found = 0;
    fc.assert(
      fc.property(pair, pair, pair, fc.integer({ min: 1_000, max: 50_000_000_000 }), (a, b, c, inputMax) => {
        const { hops, profit, split } = search(PRODUCTS, tableOf(PRODUCTS, [a, b, c]), { inputMax });
        if (split === undefined) return;
        found++;
        const { place, second, secondIn, amounts } = split;
        const [input, , output] = amounts as [bigint, bigint, bigint];
        expect(input).toBeLessThanOrEqual(BigInt(inputMax));
        expect(output - input).toBeGreaterThan(profit);
        hops.forEach((hop, i) => {
          const amountIn = amounts[i] as bigint;
          const paid =
            i === place ? quoteHop(hop, amountIn - secondIn) + quoteHop(second, secondIn) : quoteHop(hop, amountIn);
          expect(paid).toBe(amounts[i + 1] as bigint);
        });
      }),
      { numRuns: 500 },
    );
    expect(found).toBeGreaterThan(50);
  });

  test("goes by the mints where a pool has them the other way round", () => {
    const pools = [PRODUCTS[0], PRODUCTS[1], testPool(2, 1, 0)];
    const { split } = search(pools, tableOf(pools, OPEN));
    expect([split?.second.pool.index, split?.second.inputSide]).toEqual([2, 0]);
  });

  test("takes no pool that is held, unknown, in the cycle already or of another pair, and nothing below the minimum", () => {
    const table = tableOf(PRODUCTS, OPEN);
    expect(search(PRODUCTS, table, { isHeld: (pool) => pool === 2 }).split).toBeUndefined();
    expect(search(PRODUCTS, tableOf(PRODUCTS, OPEN.slice(0, 2))).split).toBeUndefined();
    expect(search(PRODUCTS.slice(0, 2), table).split).toBeUndefined();
    const other = [PRODUCTS[0], PRODUCTS[1], testPool(2, 0, 2)];
    expect(search(other, tableOf(other, OPEN)).split).toBeUndefined();
    const gain = Number(search(PRODUCTS, table).split?.gainLamports);
    expect(search(PRODUCTS, table, { gainMin: gain }).split).toBeDefined();
    expect(search(PRODUCTS, table, { gainMin: gain + 1 }).split).toBeUndefined();
  });

  test("does not split where the transaction would be too large", () => {
    const pools = [testPool(0, 0, 1), testPool(1, 1, 2), testPool(2, 0, 2), testPool(3, 0, 2)];
    const reserves = [OPEN[0], OPEN[1], OPEN[1], OPEN[1]];
    const hops = [0, 2, 5];
    // Four swaps fit while all pools are of one config, as test pools are, and no longer when each has its own.
    expect(search(pools, tableOf(pools, reserves), { hops }).split?.place).toBe(2);
    const apart = pools.map((pool, i) => ({
      ...pool,
      accounts: { ...pool.accounts, ammConfig: testAddress(70_000 + i) },
    }));
    expect(search(apart, tableOf(apart, reserves), { hops }).split).toBeUndefined();
  });

  test("splits over ticks: beside a constant product, past the end of the concentrated pool's segment", () => {
    const ticks: TestTicks = {
      spacing: 10,
      positions: [
        { low: -600, high: 600, liquidity: 1_000n * SOL },
        { low: -20, high: 20, liquidity: 4_000n * SOL },
      ],
      tickCurrent: 0,
      offset: 500,
    };
    const arrays = [-600, 0].map((firstTick, i) => ({ firstTick, address: testAddress(80_000 + i) }));
    const pools = [
      PRODUCTS[0],
      PRODUCTS[1],
      { ...testConcentratedPool(2, 0, 1, 10), concentrated: { build: "2026", tickSpacing: 10, tickArrays: arrays } },
    ] as const;
    const table = tableOf(pools, OPEN.slice(0, 2));
    const source = concentratedPool(ticks);
    const into = table.concentrated(2);
    into.clearTicks();
    for (let i = 0; i < source.tickCount; i++) into.setTick(source.ticks[i] as number, source.nets[i]);
    const words = new Uint32Array(
      new BigUint64Array([
        source.sqrtPriceX64 & 0xffff_ffff_ffff_ffffn,
        source.sqrtPriceX64 >> 64n,
        source.exactLiquidity,
        0n,
      ]).buffer,
    );
    table.updateConcentrated(2, words, 0, 0);
    const { profit, split } = search(pools, table);
    if (split === undefined) throw new Error("no split");
    expect(split.second.pool.index).toBe(2);
    expect(Number(split.secondIn)).toBeGreaterThan(table.limits[5] as number);
    expect((split.amounts[2] as bigint) - (split.amounts[0] as bigint)).toBe(profit + split.gainLamports);
  });
});
