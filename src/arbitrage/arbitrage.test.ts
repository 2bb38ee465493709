import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WSOL_MINT } from "#core/units.ts";
import { buildCycleIndex, type CycleIndex, HOPS_MAX, NO_HOP } from "./cycle-index.ts";
import { PoolTable } from "./pool-table.ts";
import { type ExactHop, hopAmounts, quoteCycle } from "./quote-cycle.ts";
import { CANDIDATES_MAX, Candidates, screenPool } from "./screen.ts";
import { sizeCycle } from "./sizing.ts";
import { testPool } from "./test-pools.ts";

const cycleHops = (index: CycleIndex, cycle: number) =>
  [...index.hops.subarray(cycle * HOPS_MAX, (cycle + 1) * HOPS_MAX)].filter((hop) => hop !== NO_HOP);

const anyGraph = fc
  .array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 9 })
  .map((pairs) => pairs.map(([a, b], i) => testPool(i, a, b)));

/** Every ordered choice of different pools and sides that is a simple cycle, by trying all of them. */
function allCycles(pools: ReturnType<typeof testPool>[], hopsMax: number): string[] {
  const found: string[] = [];
  const extend = (path: number[], mints: string[]) => {
    const last = mints[mints.length - 1];
    if (path.length >= 2 && last === WSOL_MINT) found.push(path.join());
    if (path.length > 0 && last === WSOL_MINT) return;
    if (path.length === hopsMax) return;
    for (const { index, mints: sides } of pools)
      for (const side of [0, 1] as const) {
        const to = sides[1 - side] as string;
        const again = mints.slice(1).includes(to);
        if (sides[0] === sides[1] || sides[side] !== last || again || path.some((hop) => hop >> 1 === index)) continue;
        extend([...path, 2 * index + side], [...mints, to]);
      }
  };
  extend([], [WSOL_MINT]);
  return found.sort();
}

describe("buildCycleIndex()", () => {
  test("holds every cycle of 2 to 4 hops once, and each under all of its pools", () => {
    fc.assert(
      fc.property(anyGraph, fc.integer({ min: 2, max: 4 }), (pools, hopsMax) => {
        const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax });
        const held = Array.from({ length: index.cycles }, (_, cycle) => cycleHops(index, cycle).join());
        expect([...held].sort()).toEqual(allCycles(pools, hopsMax));
        for (const { index: pool } of pools) {
          const under = [...index.cycleOfPool.subarray(index.starts[pool], index.starts[pool + 1])];
          const through = held.flatMap((_, cycle) =>
            cycleHops(index, cycle).some((hop) => hop >> 1 === pool) ? [cycle] : [],
          );
          expect(under.sort((a, b) => a - b)).toEqual(through);
        }
      }),
    );
  });

  test("keeps the shortest cycles when there are too many, and counts the rest", () => {
    const pools = [testPool(0, 0, 1), testPool(1, 1, 0), testPool(2, 1, 2), testPool(3, 2, 0)];
    const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 3, cyclesMax: 3 });
    expect(index.cycles).toBe(3);
    expect(index.left).toBe(3);
    expect(cycleHops(index, 0)).toHaveLength(2);
  });

  test("is empty without pools", () => {
    expect(buildCycleIndex([], { base: WSOL_MINT, hopsMax: 3 }).cycles).toBe(0);
  });
});

const reserve = fc.bigInt({ min: 1_000n, max: 10n ** 15n });
const anyMarket = fc
  .array(fc.tuple(fc.nat(3), fc.nat(3), reserve, reserve, fc.integer({ min: 0, max: 10_000 })), {
    minLength: 2,
    maxLength: 7,
  })
  .map((rows) => {
    const pools = rows.map(([a, b, , , fee], i) => testPool(i, a, b, fee));
    const table = new PoolTable();
    table.describe(pools);
    rows.forEach(([, , reserve0, reserve1], i) => {
      update(table, i, reserve0, reserve1);
    });
    return { pools, table };
  });

function update(table: PoolTable, pool: number, reserve0: bigint, reserve1: bigint): void {
  const low = (value: bigint) => Number(value & 0xffff_ffffn);
  const high = (value: bigint) => Number(value >> 32n);
  table.update(pool, low(reserve0), high(reserve0), low(reserve1), high(reserve1));
}

/** Golden section over the cycle in floats: slow, and knows nothing of Möbius maps. */
function bestByGoldenSection(table: PoolTable, hops: readonly number[], inputMax: number): number {
  const earn = (input: number) => {
    let x = input;
    for (const hop of hops) {
      const kept = (table.keeps[hop >> 1] as number) * x;
      x = (kept * (table.reserves[hop ^ 1] as number)) / ((table.reserves[hop] as number) + kept);
    }
    return x - input;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = 0;
  let high = inputMax;
  for (let i = 0; i < 200; i++) {
    const left = high - ratio * (high - low);
    const right = low + ratio * (high - low);
    if (earn(left) < earn(right)) low = left;
    else high = right;
  }
  return earn((low + high) / 2);
}

describe("screenPool()", () => {
  test("finds the best cycle and its best input as a search by trial does", () => {
    fc.assert(
      fc.property(anyMarket, fc.double({ min: 1, max: 1e15, noNaN: true }), ({ pools, table }, inputMax) => {
        const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 3 });
        const candidates = new Candidates();
        for (let pool = 0; pool < pools.length; pool++) screenPool(index, table, pool, inputMax, 0, candidates);
        const byTrial = Array.from({ length: index.cycles }, (_, cycle) =>
          bestByGoldenSection(table, cycleHops(index, cycle), inputMax),
        ).sort((a, b) => b - a);
        const best = byTrial[0] ?? 0;
        if (best <= 1) return;
        expect(candidates.count).toBeGreaterThan(0);
        for (let i = 0; i < candidates.count; i++) {
          const expected = byTrial[i] as number;
          const got = candidates.profits[i] as number;
          expect(Math.abs(got - expected)).toBeLessThanOrEqual(Math.abs(expected) * 1e-6 + 1);
          expect(candidates.inputs[i] as number).toBeLessThanOrEqual(inputMax);
        }
      }),
    );
  });

  test("leaves out cycles through a pool without a state or with an empty side", () => {
    const pools = [testPool(0, 0, 1), testPool(1, 0, 1)];
    const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 3 });
    const table = new PoolTable();
    table.describe(pools);
    const candidates = new Candidates();
    update(table, 0, 1_000_000n, 1_000_000n);
    expect(screenPool(index, table, 0, 1e9, 0, candidates)).toBe(2);
    expect(candidates.count).toBe(0);
    update(table, 1, 2_000_000n, 0n);
    screenPool(index, table, 0, 1e9, 0, candidates);
    expect(candidates.count).toBe(0);
    update(table, 1, 2_000_000n, 1_000_000n);
    screenPool(index, table, 0, 1e9, 0, candidates);
    expect(candidates.count).toBe(1);
    expect(screenPool(index, table, 99, 1e9, 0, candidates)).toBe(0);
  });

  test("Candidates.offer() keeps the best, in order, each cycle once", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1_000), { maxLength: 30 }), (profits) => {
        const candidates = new Candidates();
        for (const profit of profits) {
          candidates.offer(profit, 1, profit);
          candidates.offer(profit, 1, profit);
        }
        const best = [...profits].sort((a, b) => b - a).slice(0, CANDIDATES_MAX);
        expect([...candidates.cycles.subarray(0, candidates.count)]).toEqual(best);
        expect([...candidates.profits.subarray(0, candidates.count)]).toEqual(best);
      }),
    );
  });
});

const exactHop = (reserveIn: bigint, reserveOut: bigint, fee: number): ExactHop => ({
  pool: testPool(0, 0, 1, fee),
  inputSide: 0,
  reserveIn,
  reserveOut,
});
const floatOptimum = (hops: readonly ExactHop[]): number => {
  let [a, b, d] = [1, 1, 0];
  for (const { pool, reserveIn, reserveOut } of hops) {
    const keep = 1 - pool.feeNumerator / pool.feeDenominator;
    d = Number(reserveIn) * d + keep * a;
    a = keep * Number(reserveOut) * a;
    b = Number(reserveIn) * b;
  }
  return a > b ? (Math.sqrt(a) * Math.sqrt(b) - b) / d : 0;
};
const fee = fc.integer({ min: 0, max: 10_000 });

describe("sizeCycle()", () => {
  test("is within a unit of the best of all inputs in small pools of fine tokens", () => {
    const small = fc.bigInt({ min: 2_000n, max: 20_000n });
    fc.assert(
      fc.property(small, small, fee, fee, (base, other, fee1, fee2) => {
        // The middle token is fine: its units are worth a thousandth of a base unit.
        const hops = [exactHop(base, 1_000n * other * 2n, fee1), exactHop(1_000n * other, base, fee2)];
        const quote = (input: bigint) => quoteCycle(hops, input);
        let best = 0n;
        for (let input = 1n; input < base; input++) {
          const earned = quote(input) - input;
          if (earned > best) best = earned;
        }
        const sized = sizeCycle(quote, BigInt(Math.round(floatOptimum(hops))), base);
        expect(sized.output).toBe(quote(sized.input));
        expect(sized.output - sized.input).toBeGreaterThanOrEqual(best - 1n);
      }),
      { numRuns: 30 },
    );
  });

  test("is within a unit of ternary search, or better, whatever the pools", () => {
    const wide = fc.bigInt({ min: 10n ** 9n, max: 10n ** 14n });
    fc.assert(
      fc.property(wide, wide, wide, wide, fee, fee, (in1, out1, in2, out2, fee1, fee2) => {
        const hops = [exactHop(in1, out1, fee1), exactHop(in2, out2, fee2)];
        const start = floatOptimum(hops);
        if (start < 1) return;
        const quote = (input: bigint) => quoteCycle(hops, input);
        let low = 1n;
        let high = BigInt(Math.ceil(start)) * 4n;
        while (high - low > 2n) {
          const third = (high - low) / 3n;
          if (quote(low + third) - (low + third) < quote(high - third) - (high - third)) low += third;
          else high -= third;
        }
        const ternary = quote(low) - low;
        // A unit of the coarsest token on the way, in the base token: what integers can give or take on a flat top.
        const unit = in1 / out1 + out2 / in2 + 2n;
        const sized = sizeCycle(quote, BigInt(Math.round(start)), 10n ** 18n);
        expect(sized.output - sized.input).toBeGreaterThanOrEqual(ternary - unit);
      }),
      { numRuns: 500 },
    );
  });

  test("takes the least input of a wide step", () => {
    // 1,000 units of input buy one unit of output, whatever the rest of the input.
    const quote = (input: bigint) => (input / 1_000n) * 1_500n - (input / 1_000n) ** 2n;
    expect(sizeCycle(quote, 7_777n, 10_000n).input % 1_000n).toBe(0n);
  });

  test("stays between 1 and its cap, and spends a bounded number of quotes", () => {
    for (const [start, max] of [
      [0n, 1n],
      [10n ** 18n, 10n ** 15n],
    ] as const) {
      let quotes = 0;
      const sized = sizeCycle(
        (input) => {
          quotes++;
          return input / 3n;
        },
        start,
        max,
      );
      expect(sized.input).toBeGreaterThanOrEqual(1n);
      expect(sized.input).toBeLessThanOrEqual(max);
      expect(quotes).toBeLessThanOrEqual(260);
    }
  });
});

test("hopAmounts() are the input and each hop's quote, in a chain", () => {
  const hops = [exactHop(10n ** 12n, 2n * 10n ** 12n, 2_500), exactHop(10n ** 12n, 10n ** 12n, 3_000)];
  const amounts = hopAmounts(hops, 1_000_000n);
  expect(amounts).toHaveLength(3);
  expect(amounts[2]).toBe(quoteCycle(hops, 1_000_000n));
  expect(quoteCycle(hops.slice(0, 1), 1_000_000n)).toBe(amounts[1] as bigint);
});
