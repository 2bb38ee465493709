/**
 * Every way to start and end in the base token over 2 to 4 different pools and different tokens, found once per
 * catalogue and listed under each of its pools, so that an update of one pool reads one run of numbers.
 *
 * A hop is one number, 2 × pool + input side, so `hop >> 1` is the pool, `hop & 1` the side that goes in, and in a
 * table of reserves `hop` is the input reserve and `hop ^ 1` the output reserve.
 *
 *   places starts[p] .. starts[p+1)   the cycles through pool p, shortest first, cheap hops before dear ones
 *   hops[4c .. 4c+3]                  the hops of the cycle at place c, NO_HOP after the last
 *
 * A pool between two hubs is part of more cycles than one update may cost. Its list is cut by the limits below; a
 * cycle that one pool's list has no room for still stands under its other pools.
 */
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { buildTokenGraph, type TokenGraph } from "./token-graph.ts";

export const HOPS_MAX = 4;
export const NO_HOP = -1;

type CycleLimits = {
  /** Most cycles of one length that enter a pool by the same side: by number of hops. */
  readonly cyclesPerSide: Readonly<Record<number, number>>;
  /** Most steps of the search for those; a graph full of dead ends ends it early. */
  readonly stepsPerSide: number;
  /** Most places of all pools together, at 16 bytes. */
  readonly places: number;
};

const LIMITS: CycleLimits = {
  cyclesPerSide: { 2: 256, 3: 768, 4: 128 },
  stepsPerSide: 8_192,
  places: 8_000_000,
};

export type CycleIndex = {
  readonly places: number;
  readonly hops: Int32Array;
  readonly starts: Int32Array;
  /** Pools whose list was cut at a limit. */
  readonly cutPools: number;
};

type IndexOptions = { readonly base: Address; readonly hopsMax: number; readonly limits?: Partial<CycleLimits> };

export function buildCycleIndex(pools: readonly PoolFacts[], options: IndexOptions): CycleIndex {
  const graph = buildTokenGraph(pools, options.base);
  const search = new CycleSearch(graph, { ...LIMITS, ...options.limits });
  const poolCount = graph.sides.length >> 1;
  const starts = new Int32Array(poolCount + 1);
  let cutPools = 0;
  for (let pool = 0; pool < poolCount; pool++) {
    let whole = true;
    for (let length = 2; length <= Math.min(options.hopsMax, HOPS_MAX); length++)
      for (const side of [0, 1]) whole = search.through(2 * pool + side, length) && whole;
    if (!whole) cutPools++;
    starts[pool + 1] = search.places;
  }
  return { places: search.places, hops: search.hops.slice(0, search.places * HOPS_MAX), starts, cutPools };
}

/** Finds the cycles through one hop: a way back from its input to the base, and a way on from its output to the base. */
class CycleSearch {
  hops = new Int32Array(4_096);
  places = 0;
  readonly #graph: TokenGraph;
  readonly #limits: CycleLimits;
  readonly #path = new Int32Array(HOPS_MAX).fill(NO_HOP);
  readonly #tokens: number[] = [];
  #length = 0;
  #hop = 0;
  #placesMax = 0;
  #stepsLeft = 0;

  constructor(graph: TokenGraph, limits: CycleLimits) {
    this.#graph = graph;
    this.#limits = limits;
  }

  /** Adds the cycles of `length` hops through `hop`. False when a limit cut them. */
  through(hop: number, length: number): boolean {
    const from = this.#graph.sides[hop] as number;
    const to = this.#graph.sides[hop ^ 1] as number;
    if (from === to || from < 0) return true;
    this.#hop = hop;
    this.#length = length;
    this.#placesMax = Math.min(this.places + (this.#limits.cyclesPerSide[length] ?? 0), this.#limits.places);
    this.#stepsLeft = this.#limits.stepsPerSide;
    this.#path.fill(NO_HOP);
    for (let before = 0; before < length; before++) {
      const after = length - 1 - before;
      // The base is where a cycle starts and ends, and never between.
      if ((before === 0) !== (from === this.#graph.base) || (after === 0) !== (to === this.#graph.base)) continue;
      this.#path[before] = hop;
      this.#tokens.push(from, to);
      const whole = this.#back(from, to, before);
      this.#tokens.length = 0;
      if (!whole) return false;
    }
    return true;
  }

  /** Fills the `left` hops before those already there, from `token` back to the base; then goes on from `onward`. */
  #back(token: number, onward: number, left: number): boolean {
    if (left === 0) return this.#on(onward, this.#length - 1 - this.#path.indexOf(this.#hop));
    return this.#extend(token, left, (hop, to) => {
      this.#path[left - 1] = hop ^ 1;
      return this.#back(to, onward, left - 1);
    });
  }

  /** Fills the last `left` hops, from `token` to the base. */
  #on(token: number, left: number): boolean {
    if (left === 0) return this.#add();
    return this.#extend(token, left, (hop, to) => {
      this.#path[this.#length - left] = hop;
      return this.#on(to, left - 1);
    });
  }

  /** Each hop from `token` that `left` hops can go on from: the last one to the base, others to a token not yet met. */
  #extend(token: number, left: number, take: (hop: number, to: number) => boolean): boolean {
    const { base, from, toBase } = this.#graph;
    const last = left === 1;
    for (const { hop, to } of (last ? toBase : from)[token] ?? []) {
      if (--this.#stepsLeft < 0) return false;
      // Tokens are all different, so only a cycle of two hops could meet its own pool again.
      if (hop >> 1 === this.#hop >> 1 || (!last && (to === base || this.#tokens.includes(to)))) continue;
      if (!last) this.#tokens.push(to);
      const whole = take(hop, to);
      if (!last) this.#tokens.pop();
      if (!whole) return false;
    }
    return true;
  }

  #add(): boolean {
    if (this.places >= this.#placesMax) return false;
    if ((this.places + 1) * HOPS_MAX > this.hops.length) {
      const more = new Int32Array(this.hops.length * 2);
      more.set(this.hops);
      this.hops = more;
    }
    this.hops.set(this.#path, this.places++ * HOPS_MAX);
    return true;
  }
}

/** Whether the same tokens are traded for the same fees: then the cycles are the same, and their order. */
export function sameGraph(before: readonly PoolFacts[], after: readonly PoolFacts[]): boolean {
  if (before.length !== after.length) return false;
  return after.every((pool, index) => {
    const known = before[index];
    return (
      known !== undefined &&
      known.feeNumerator === pool.feeNumerator &&
      known.feeDenominator === pool.feeDenominator &&
      known.mints[0] === pool.mints[0] &&
      known.mints[1] === pool.mints[1]
    );
  });
}
