/**
 * Which pools trade the same two mints: where a hop of a cycle may be split. Made once per catalogue.
 *
 * A hop is 2 × pool + input side, as in the cycle index; pools of one pair may have their mints in either order.
 */
import type { PoolFacts } from "#core/pool.ts";
import { POOLS_MAX } from "./pool-table.ts";

/** Pools looked at beside one hop, the cheapest first. */
const PARALLELS_MAX = 8;
/** Answers remembered before all are forgotten: a megabyte or two. */
const ROOMS_MAX = 32_768;
const HOPS_COUNT = 2 * POOLS_MAX;

export class ParallelPools {
  /** By pool: all pools of its pair, itself among them, cheapest first. */
  readonly #pairs: (readonly PoolFacts[] | undefined)[] = [];
  readonly #pools: (PoolFacts | undefined)[] = [];
  readonly #beside: (readonly number[] | undefined)[] = [];
  readonly #rooms = new Map<number, boolean>();

  constructor(pools: readonly PoolFacts[]) {
    const fee = ({ feeNumerator, feeDenominator }: PoolFacts) => feeNumerator / feeDenominator;
    const byPair = new Map<string, PoolFacts[]>();
    for (const pool of pools.toSorted((a, b) => fee(a) - fee(b) || a.index - b.index)) {
      const key = pool.mints.toSorted().join("/");
      const pair = byPair.get(key) ?? [];
      byPair.set(key, pair);
      pair.push(pool);
      this.#pairs[pool.index] = pair;
      this.#pools[pool.index] = pool;
    }
  }

  /** The hops of other pools that take in and pay out what this one does; listed at the first question. */
  beside(hop: number): readonly number[] {
    const listed = this.#beside[hop];
    if (listed !== undefined) return listed;
    const pair = this.#pairs[hop >> 1] ?? [];
    const input = this.#pools[hop >> 1]?.mints[hop & 1];
    const hops: number[] = [];
    for (const { index, mints } of pair) {
      if (hops.length === PARALLELS_MAX) break;
      if (index !== hop >> 1) hops.push(2 * index + (mints[0] === input ? 0 : 1));
    }
    this.#beside[hop] = hops;
    return hops;
  }

  /**
   * What was kept about the cycle at `place` of the cycle index with `second` beside one of its hops: whether a transaction
   * has room for it. Undefined when nothing was. Only for constant products, whose size depends on nothing else.
   */
  knownRoom(place: number, second: number): boolean | undefined {
    return this.#rooms.get(place * HOPS_COUNT + second);
  }

  keepRoom(place: number, second: number, hasRoom: boolean): void {
    if (this.#rooms.size >= ROOMS_MAX) this.#rooms.clear();
    this.#rooms.set(place * HOPS_COUNT + second, hasRoom);
  }
}
