/**
 * What does looking for a split cost the hot thread, once for each winner? `bun bench/split.ts`, seconds.
 *
 * A cycle of two constant products with a third pool of the pair, sized as a winner is, then searched.
 */
import { NO_HOP } from "#arbitrage/cycle-index.ts";
import { findSplit } from "#arbitrage/find-split.ts";
import { ParallelPools } from "#arbitrage/parallel-pools.ts";
import { PoolTable } from "#arbitrage/pool-table.ts";
import { testPool } from "#arbitrage/test-pools.ts";
import { Winner } from "#arbitrage/winner.ts";
import { machine, short, table } from "./report.ts";

const ROUNDS = 20_000;
const SOL = 1_000_000_000n;
const pools = [testPool(0, 0, 1), testPool(1, 0, 1), testPool(2, 0, 1)] as const;

function time(name: string, beside: readonly [bigint, bigint]): string[] {
  const state = new PoolTable();
  state.describe(pools);
  [[1_000n * SOL, 1_030n * SOL] as const, [1_000n * SOL, 1_000n * SOL] as const, beside].forEach((pair, pool) => {
    const words = new Uint32Array(new BigUint64Array(pair).buffer);
    state.update(pool, ...(words as unknown as [number, number, number, number]));
  });
  const winner = new Winner();
  winner.load(Int32Array.of(0, 3, NO_HOP), 0, state, pools);
  const market = { table: state, pools, parallels: new ParallelPools(pools), isHeld: () => false };
  const limits = { inputMax: 50e9, gainMin: 10_000 };
  const times = { sized: new Float64Array(ROUNDS), searched: new Float64Array(ROUNDS) };
  let found = false;
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = Bun.nanoseconds();
    winner.size(5e9, limits.inputMax);
    const sizedNs = Bun.nanoseconds();
    found = findSplit(winner, limits, market) !== undefined;
    times.searched[round] = Bun.nanoseconds() - sizedNs;
    times.sized[round] = sizedNs - startNs;
  }
  const at = (values: Float64Array, q: number) => short(values.toSorted()[Math.floor(q * (ROUNDS - 1))] ?? 0);
  const figures = [at(times.sized, 0.5), at(times.searched, 0.5), at(times.searched, 0.99)];
  return [name, found ? "yes" : "no", ...figures];
}

const rows = [
  time("as the second hop's", [1_000n * SOL, 1_000n * SOL]),
  time("better for the way out", [1_300n * SOL, 1_000n * SOL]),
  time("better for the way in", [1_000n * SOL, 1_300n * SOL]),
];
console.log(`${table(["pool beside", "split", "sizing p50, ns", "search p50, ns", "search p99, ns"], rows)}\n`);
console.log(`${ROUNDS} rounds each. ${machine()}`);
