import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WSOL_MINT } from "#core/units.ts";
import { buildCycleIndex, type CycleIndex, HOPS_MAX, NO_HOP } from "./cycle-index.ts";
import { PoolTable } from "./pool-table.ts";
import { type ExactHop, hopAmounts, inputForOutput, quoteCycle } from "./quote-cycle.ts";
import { CANDIDATES_MAX, Candidates, screenPool } from "./screen.ts";
import { sizeCurve, sizeCycle } from "./sizing.ts";
import { testPool } from "./test-pools.ts";
import { WholeCycle } from "./whole-cycle.ts";

const cycleHops = (index: CycleIndex, place: number) =>
  [...index.hops.subarray(place * HOPS_MAX, (place + 1) * HOPS_MAX)].filter((hop) => hop !== NO_HOP);

/** The cycles under one pool, as text. */
const under = (index: CycleIndex, pool: number) =>
  Array.from({ length: (index.starts[pool + 1] as number) - (index.starts[pool] as number) }, (_, i) =>
    cycleHops(index, (index.starts[pool] as number) + i).join(),
  );
const poolsOf = (cycle: string) => cycle.split(",").map((hop) => Number(hop) >> 1);

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
  test("lists every cycle of 2 to 4 hops once under each of its pools", () => {
    fc.assert(
      fc.property(anyGraph, fc.integer({ min: 2, max: 4 }), (pools, hopsMax) => {
        const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax });
        const all = allCycles(pools, hopsMax);
        for (const { index: pool } of pools)
          expect(under(index, pool).sort()).toEqual(all.filter((cycle) => poolsOf(cycle).includes(pool)));
        expect(index).toMatchObject({ places: index.hops.length / HOPS_MAX, cutPools: 0 });
      }),
    );
  });

  test("keeps the limits of a pool's list and of all of them, true cycles only, and says which lists it cut", () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(4), fc.nat(40), fc.nat(60), (pools, cycles, places, stepsPerSide) => {
        const cyclesPerSide = { 2: cycles, 3: cycles, 4: cycles };
        const index = buildCycleIndex(pools, {
          base: WSOL_MINT,
          hopsMax: 4,
          limits: { cyclesPerSide, places, stepsPerSide },
        });
        const all = allCycles(pools, 4);
        let cut = 0;
        for (const { index: pool } of pools) {
          const through = all.filter((cycle) => poolsOf(cycle).includes(pool));
          const listed = under(index, pool);
          expect(listed.length).toBeLessThanOrEqual(2 * 3 * cycles);
          expect(new Set(listed).size).toBe(listed.length);
          for (const cycle of listed) expect(through).toContain(cycle);
          if (listed.length < through.length) cut++;
        }
        expect(index.places).toBeLessThanOrEqual(places);
        expect(index.cutPools).toBeGreaterThanOrEqual(cut);
      }),
    );
  });

  test("lists short cycles before long ones, and cheap pools before dear ones", () => {
    const pools = [
      testPool(0, 0, 1, 100),
      testPool(1, 1, 0, 9_000),
      testPool(2, 1, 0, 300),
      testPool(3, 1, 2),
      testPool(4, 2, 0),
    ];
    const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax: 3 });
    expect(under(index, 0)).toEqual(["0,4", "0,2", "5,1", "3,1", "0,6,8", "9,7,1"]);
  });

  test("is empty without pools", () => {
    expect(buildCycleIndex([], { base: WSOL_MINT, hopsMax: 3 }).places).toBe(0);
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
        const byTrial = allCycles(pools, 3)
          .map((cycle) => bestByGoldenSection(table, cycle.split(",").map(Number), inputMax))
          .sort((a, b) => b - a);
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
        // Two listings of each cycle, a thousand places apart.
        const hops = Int32Array.from({ length: 2_002 * HOPS_MAX }, (_, i) => Math.floor(i / HOPS_MAX) % 1_001);
        for (const profit of profits) {
          candidates.offer(hops, profit, 1, profit);
          candidates.offer(hops, profit + 1_001, 1, profit);
        }
        const best = [...profits].sort((a, b) => b - a).slice(0, CANDIDATES_MAX);
        expect([...candidates.places.subarray(0, candidates.count)]).toEqual(best);
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

/** The best profit over all inputs up to `max`. */
function bestByTrial(hops: readonly ExactHop[], max: number): number {
  let best = 0;
  for (let input = 1; input <= max; input++) {
    const earned = Number(quoteCycle(hops, BigInt(input))) - input;
    if (earned > best) best = earned;
  }
  return best;
}

describe("sizeCycle()", () => {
  const small = fc.integer({ min: 2_000, max: 20_000 });

  test("is within a unit of the best of all inputs where the middle token is fine", () => {
    fc.assert(
      fc.property(small, small, fee, fee, (base, other, fee1, fee2) => {
        // The middle token is fine: its units are worth a thousandth of a base unit.
        const [b, o] = [BigInt(base), BigInt(other)];
        const hops = [exactHop(b, 2_000n * o, fee1), exactHop(1_000n * o, b, fee2)];
        const sized = sizeCycle(hops, floatOptimum(hops), base);
        expect(sized.output).toBe(Number(quoteCycle(hops, BigInt(sized.input))));
        expect(sized.output - sized.input).toBeGreaterThanOrEqual(bestByTrial(hops, base) - 1);
      }),
      { numRuns: 30 },
    );
  });

  test("gives away less than a unit of a coarse middle token, and never the step itself", () => {
    fc.assert(
      fc.property(small, small, fee, fee, fc.integer({ min: 2, max: 50 }), (base, other, fee1, fee2, coarse) => {
        const [b, o] = [BigInt(base), BigInt(Math.ceil(other / coarse))];
        const hops = [exactHop(b, 2n * o, fee1), exactHop(o, b, fee2)];
        const sized = sizeCycle(hops, floatOptimum(hops), base);
        // What one middle unit costs and brings at the prices of the found input.
        const unit = base / Number(o) + 2;
        expect(sized.output - sized.input).toBeGreaterThanOrEqual(bestByTrial(hops, base) - 2 * unit);
        // One less pays out less: no input of this step is left on the table.
        if (sized.output > 0) expect(quoteCycle(hops, BigInt(sized.input - 1))).toBeLessThan(BigInt(sized.output));
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
        const ternary = Number(quote(low) - low);
        // A unit of the coarsest token on the way, in the base token: what integers can give or take on a flat top.
        const unit = Number(in1 / out1 + out2 / in2 + 2n);
        const sized = sizeCycle(hops, start, 10 ** 15);
        expect(sized.output - sized.input).toBeGreaterThanOrEqual(ternary - unit);
      }),
      { numRuns: 500 },
    );
  });

  test("takes the least input of a wide step, also of a curve that can only be quoted forwards", () => {
    // 1,000 units of input buy one unit of output, whatever the rest of the input.
    const outputOf = (input: number) => Math.floor(input / 1_000) * 1_500 - Math.floor(input / 1_000) ** 2;
    const inputFor = (output: number) => {
      for (let steps = 0; steps < 100; steps++) if (outputOf(steps * 1_000) >= output) return steps * 1_000;
      return 0;
    };
    const sized = { input: 0, output: 0 };
    sizeCurve(sized, { outputOf, inputFor, inverseIsLeast: true }, 7_777, 10_000);
    expect(sized.input % 1_000).toBe(0);
    const wrong = { outputOf, inputFor: (output: number) => inputFor(output) - 1, inverseIsLeast: false };
    sizeCurve(sized, wrong, 7_777, 10_000);
    expect(sized.output).toBe(outputOf(sized.input));
    expect(sized.output - sized.input).toBeGreaterThanOrEqual(outputOf(7_777) - 7_777);
  });

  test("stays between 1 and its cap, and spends a bounded number of quotes", () => {
    for (const [start, max] of [
      [0, 1],
      [10 ** 18, 10 ** 15],
    ] as const) {
      let quotes = 0;
      const counted = (amount: number) => {
        quotes++;
        return amount;
      };
      const curve = { outputOf: counted, inputFor: counted, inverseIsLeast: true };
      const sized = { input: 0, output: 0 };
      sizeCurve(sized, curve, start, max);
      expect(sized.input).toBeGreaterThanOrEqual(1);
      expect(sized.input).toBeLessThanOrEqual(max);
      expect(quotes).toBeLessThanOrEqual(18);
    }
  });
});

const reserveOfAnySize = fc
  .integer({ min: 1, max: 63 })
  .chain((bits) => fc.bigInt({ min: 1n, max: 1n << BigInt(bits) }));

describe("WholeCycle", () => {
  const anyHops = fc.array(
    fc
      .tuple(reserveOfAnySize, reserveOfAnySize, fee)
      .map(([reserveIn, reserveOut, rate]) => exactHop(reserveIn, reserveOut, rate)),
    { minLength: 2, maxLength: 4 },
  );

  test("quotes forwards as bigints do, and backwards to the very least input", () => {
    let [forwards, backwards] = [0, 0];
    fc.assert(
      fc.property(anyHops, fc.integer({ min: 1, max: 2 ** 50 }), (hops, input) => {
        const cycle = new WholeCycle();
        const fits = hops.every(({ reserveIn, reserveOut }) => reserveIn < 2n ** 51n && reserveOut < 2n ** 51n);
        const taken = hops.map(({ pool, reserveIn, reserveOut }, i) =>
          cycle.hops[i]?.set(Number(reserveIn), Number(reserveOut), pool.feeNumerator, pool.feeDenominator),
        );
        cycle.count = hops.length;
        expect(taken.every(Boolean)).toBe(fits);
        if (!fits) return;
        const output = cycle.outputOf(input);
        expect(BigInt(output)).toBe(quoteCycle(hops, BigInt(input)));
        if (output === 0) return;
        forwards++;
        const least = cycle.inputFor(output);
        // Where the input leaves the range of whole floats there is no answer, and sizing keeps the input it has.
        if (least === 0) return;
        backwards++;
        expect(BigInt(least)).toBe(inputForOutput(hops, BigInt(output)));
        expect(least).toBeLessThanOrEqual(input);
        expect(cycle.outputOf(least)).toBe(output);
        expect(cycle.outputOf(least - 1)).toBeLessThan(output);
      }),
      { numRuns: 5_000 },
    );
    expect(Math.min(forwards, backwards)).toBeGreaterThan(500);
  });
});

test("hopAmounts() are the input and each hop's quote, in a chain", () => {
  const hops = [exactHop(10n ** 12n, 2n * 10n ** 12n, 2_500), exactHop(10n ** 12n, 10n ** 12n, 3_000)];
  const amounts = hopAmounts(hops, 1_000_000n);
  expect(amounts).toHaveLength(3);
  expect(amounts[2]).toBe(quoteCycle(hops, 1_000_000n));
  expect(quoteCycle(hops.slice(0, 1), 1_000_000n)).toBe(amounts[1] as bigint);
});
