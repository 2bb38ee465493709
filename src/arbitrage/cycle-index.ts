/**
 * Every way to start and end in the base token over 2 to 4 different pools and different tokens, found once per
 * catalogue and indexed by pool, so that an update of one pool looks only at the cycles through it.
 *
 * A hop is one number, 2 × pool + input side, so `hop >> 1` is the pool, `hop & 1` the side that goes in, and in a
 * table of reserves `hop` is the input reserve and `hop ^ 1` the output reserve.
 *
 *   hops[4c .. 4c+3]                      the hops of cycle c, NO_HOP after the last
 *   cycleOfPool[starts[p] .. starts[p+1]) the cycles through pool p
 */
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";

export const HOPS_MAX = 4;
export const NO_HOP = -1;
/** Most cycles kept: 16 MB of hops and as much of index. What is more is counted, shortest cycles are kept first. */
const CYCLES_MAX = 1_000_000;

export type CycleIndex = {
  readonly cycles: number;
  readonly hops: Int32Array;
  readonly starts: Int32Array;
  readonly cycleOfPool: Int32Array;
  /** Cycles that did not fit. */
  readonly left: number;
};

type IndexOptions = { readonly base: Address; readonly hopsMax: number; readonly cyclesMax?: number };
type Hop = { readonly hop: number; readonly to: number };
type Graph = { readonly base: number; readonly from: readonly (readonly Hop[])[] };
type Found = { readonly hops: number[]; count: number; left: number; readonly max: number };

export function buildCycleIndex(pools: readonly PoolFacts[], options: IndexOptions): CycleIndex {
  const graph = buildGraph(pools, options.base);
  const found: Found = { hops: [], count: 0, left: 0, max: options.cyclesMax ?? CYCLES_MAX };
  for (let length = 2; length <= Math.min(options.hopsMax, HOPS_MAX); length++)
    walk(graph, graph.base, length, [], [], found);
  const hops = Int32Array.from(found.hops);
  const poolCount = pools.reduce((most, { index }) => Math.max(most, index + 1), 0);
  const starts = new Int32Array(poolCount + 1);
  for (const hop of hops) if (hop !== NO_HOP) starts[(hop >> 1) + 1] = (starts[(hop >> 1) + 1] as number) + 1;
  for (let p = 0; p < poolCount; p++) starts[p + 1] = (starts[p + 1] as number) + (starts[p] as number);
  const next = starts.slice();
  const cycleOfPool = new Int32Array(starts[poolCount] ?? 0);
  for (let i = 0; i < hops.length; i++) {
    const pool = (hops[i] as number) >> 1;
    if (hops[i] === NO_HOP) continue;
    cycleOfPool[next[pool] as number] = Math.floor(i / HOPS_MAX);
    next[pool] = (next[pool] as number) + 1;
  }
  return { cycles: found.count, hops, starts, cycleOfPool, left: found.left };
}

/** Tokens by dense number; the hops that leave each. */
function buildGraph(pools: readonly PoolFacts[], base: Address): Graph {
  const numbers = new Map<Address, number>([[base, 0]]);
  const from: Hop[][] = [[]];
  const numberOf = (mint: Address) => {
    let number = numbers.get(mint);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(mint, number);
      from.push([]);
    }
    return number;
  };
  for (const { index, mints } of pools) {
    const sides = [numberOf(mints[0]), numberOf(mints[1])] as const;
    if (sides[0] === sides[1]) continue;
    from[sides[0]]?.push({ hop: 2 * index, to: sides[1] });
    from[sides[1]]?.push({ hop: 2 * index + 1, to: sides[0] });
  }
  return { base: 0, from };
}

/** Adds every path of exactly `left` more hops that comes back to the base, through no pool or token twice. */
function walk(graph: Graph, token: number, left: number, path: number[], tokens: number[], found: Found): void {
  for (const { hop, to } of graph.from[token] ?? []) {
    if (path.some((earlier) => earlier >> 1 === hop >> 1)) continue;
    if (left === 1) {
      if (to === graph.base) add(found, [...path, hop]);
    } else if (to !== graph.base && !tokens.includes(to)) {
      path.push(hop);
      tokens.push(to);
      walk(graph, to, left - 1, path, tokens, found);
      path.pop();
      tokens.pop();
    }
  }
}

function add(found: Found, path: readonly number[]): void {
  if (found.count >= found.max) {
    found.left++;
    return;
  }
  found.count++;
  for (let i = 0; i < HOPS_MAX; i++) found.hops.push(path[i] ?? NO_HOP);
}
