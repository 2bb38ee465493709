/**
 * Which pools are waiting for the outcome of a bundle, so that one opportunity is not sent twice. A bundle holds the
 * pools of its cycle, both of a split hop, until its outcome comes back, or until one of them changes: then its exact amounts no longer fit,
 * what it waits for is gone or taken, and a new decision on the new state is a new opportunity. A bundle whose outcome
 * never comes (the io thread died) lets go after HELD_NS_MAX.
 */
import { POOLS_MAX } from "#arbitrage/pool-table.ts";

/** Most bundles open at once. */
export const IN_FLIGHT_MAX = 64;
/** Four hops, one of them over two pools. */
const POOLS_PER_BUNDLE = 5;
/** Longer than a blockhash lives (150 slots of 400 ms). */
const HELD_NS_MAX = 90e9;
const FREE = 0;
const NOBODY = -1;

export class InFlight {
  count = 0;
  /** Sequence of the decision in each place, FREE when there is none. */
  readonly #sequences = new Float64Array(new ArrayBuffer(IN_FLIGHT_MAX * 8));
  readonly #sentNs = new Float64Array(new ArrayBuffer(IN_FLIGHT_MAX * 8));
  readonly #pools = new Int32Array(new ArrayBuffer(IN_FLIGHT_MAX * POOLS_PER_BUNDLE * 4));
  /** The place that holds a pool. */
  readonly #holder = new Int16Array(new ArrayBuffer(POOLS_MAX * 2)).fill(NOBODY);

  isHeld(pool: number, nowNs: number): boolean {
    const place = this.#holder[pool] as number;
    if (place === NOBODY) return false;
    if (nowNs - (this.#sentNs[place] as number) <= HELD_NS_MAX) return true;
    this.#free(place);
    return false;
  }

  /** Takes the first `count` pools, those of a decision; false when every place is taken. None of the pools may be held. */
  hold(sequence: number, pools: Int32Array, count: number, nowNs: number): boolean {
    const place = this.#sequences.indexOf(FREE);
    if (place < 0) return false;
    this.#sequences[place] = sequence;
    this.#sentNs[place] = nowNs;
    for (let i = 0; i < POOLS_PER_BUNDLE; i++) {
      const pool = i < count ? (pools[i] as number) : NOBODY;
      this.#pools[place * POOLS_PER_BUNDLE + i] = pool;
      if (pool !== NOBODY) this.#holder[pool] = place;
    }
    this.count++;
    return true;
  }

  /** The pool has a new state: whatever bundle held it lets go of all its pools. */
  poolChanged(pool: number): void {
    const place = this.#holder[pool] as number;
    if (place !== NOBODY) this.#free(place);
  }

  /** The bundle of this decision is settled. */
  settled(sequence: number): void {
    if (sequence === FREE) return;
    const place = this.#sequences.indexOf(sequence);
    if (place >= 0) this.#free(place);
  }

  #free(place: number): void {
    this.#sequences[place] = FREE;
    this.count--;
    for (let i = 0; i < POOLS_PER_BUNDLE; i++) {
      const pool = this.#pools[place * POOLS_PER_BUNDLE + i] as number;
      if (pool !== NOBODY && this.#holder[pool] === place) this.#holder[pool] = NOBODY;
    }
  }
}
