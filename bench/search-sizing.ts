/** The second half of bench/search.ts: what the exact input of one winner costs, by what its cycle goes through. */
import type { ExactHop } from "#arbitrage/quote-cycle.ts";
import { sizeCycle } from "#arbitrage/sizing.ts";
import { testConcentratedPool, testPool } from "#arbitrage/test-pools.ts";
import { concentratedPool } from "#arbitrage/test-ticks.ts";

const WARM_UP = 20_000;
const WINNERS = 50_000;
const INPUT_MAX = 50e9;

const product = (reserveIn: bigint, reserveOut: bigint): ExactHop => ({
  pool: testPool(0, 0, 1),
  inputSide: 0,
  reserveIn,
  reserveOut,
});

/** A pool with a narrow position within a wide one: 25 ticks from its price liquidity halves. */
function overTicks(): ExactHop {
  const pool = testConcentratedPool(1, 0, 1, 10);
  const positions = [
    { low: -6_000, high: 6_000, liquidity: 10n ** 12n },
    { low: -50, high: 50, liquidity: 10n ** 12n },
  ];
  const state = concentratedPool({ spacing: 10, tickCurrent: -25, offset: 0, positions });
  const facts = { build: "2024", tickSpacing: 10, tickArrays: [] } as const;
  return {
    ...product(10n ** 12n, 10n ** 12n),
    pool,
    concentrated: { state, facts, tickArraysMax: 3, feeRate: 500n },
  };
}

const back = product(10n ** 12n, 1_050_000_000_000n);
const CYCLES: readonly (readonly [name: string, hops: readonly ExactHop[], start: number])[] = [
  ["2 constant products", [product(10n ** 12n, 15n * 10n ** 10n), product(15n * 10n ** 10n, 103n * 10n ** 10n)], 5e9],
  [
    "3 constant products",
    [
      product(10n ** 12n, 15n * 10n ** 10n),
      product(15n * 10n ** 10n, 7n * 10n ** 12n),
      product(7n * 10n ** 12n, 103n * 10n ** 10n),
    ],
    5e9,
  ],
  [
    "3, reserves of 2^62: in bigints",
    [
      product(10n ** 12n, 15n * 10n ** 10n),
      product(15n * 10n ** 10n, 1n << 62n),
      product(1n << 62n, 103n * 10n ** 10n),
    ],
    5e9,
  ],
  ["concentrated, within its segment, and 1", [overTicks(), back], 1e9],
  ["concentrated, over a tick, and 1", [overTicks(), back], 9e9],
];

/** A row per kind of cycle: its name, p50, p99 and p99.9 in ns. */
export function sizingRows(): [string, number, number, number][] {
  return CYCLES.map(([name, hops, start]) => {
    for (let i = 0; i < WARM_UP; i++) sizeCycle(hops, start + i, INPUT_MAX);
    const times = new Float64Array(WINNERS);
    for (let i = 0; i < WINNERS; i++) {
      const startNs = Bun.nanoseconds();
      sizeCycle(hops, start + i, INPUT_MAX);
      times[i] = Bun.nanoseconds() - startNs;
    }
    times.sort();
    const at = (q: number) => times[Math.floor(q * (WINNERS - 1))] as number;
    return [name, at(0.5), at(0.99), at(0.999)];
  });
}
