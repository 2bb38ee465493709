/**
 * The state of every pool in flat typed arrays, by pool number. The hot thread writes a row when a market record comes
 * and screens with the floats; a winner is quoted again with the exact words beside them. Nothing here allocates after
 * the start except `exactReserve`, which makes a bigint.
 */
import type { PoolFacts } from "#core/pool.ts";
import { ConcentratedPool } from "./concentrated-pool.ts";

/** Most pools one agent follows: 8 MB of tables. */
export const POOLS_MAX = 65_536;

const WORD = 0x1_0000_0000;

export class PoolTable {
  /** Reserve of pool p, side s at 2p + s, as a float for screening. */
  readonly reserves = new Float64Array(new ArrayBuffer(POOLS_MAX * 16));
  /** What is left of an input of 1 after the trade fee. */
  readonly keeps = new Float64Array(new ArrayBuffer(POOLS_MAX * 8));
  /** What the first unit put in on side s of pool p pays out, fee off, at 2p + s; 0 where nothing can be traded. */
  readonly rates = new Float64Array(new ArrayBuffer(POOLS_MAX * 16));
  /**
   * The most input on side s of pool p, at 2p + s, for which the reserves hold: infinite for a constant product, up to
   * the next tick where liquidity is concentrated and the reserves are virtual.
   */
  readonly limits = new Float64Array(new ArrayBuffer(POOLS_MAX * 16)).fill(Number.POSITIVE_INFINITY);
  /** 1 once a first state came; a pool without one is never part of a decision. */
  readonly known = new Uint8Array(new ArrayBuffer(POOLS_MAX));
  /** The exact reserve of pool p, side s: low word at 4p + 2s, high word after it. */
  readonly #words: Uint32Array;
  readonly #exact: BigUint64Array;
  readonly #concentrated = new Map<number, ConcentratedPool>();

  constructor() {
    const buffer = new ArrayBuffer(POOLS_MAX * 16);
    this.#words = new Uint32Array(buffer);
    this.#exact = new BigUint64Array(buffer);
  }

  /** Takes over the fees of pools; states stay, for a number is never given to another pool. */
  describe(pools: readonly PoolFacts[]): void {
    for (const { index, feeNumerator, feeDenominator } of pools) {
      if (index >= POOLS_MAX) continue;
      this.keeps[index] = 1 - feeNumerator / feeDenominator;
      this.#setRates(index);
      const concentrated = this.#concentrated.get(index);
      if (concentrated !== undefined) this.#setLimits(index, concentrated);
    }
  }

  /** Every state may be old: none counts until it comes again. */
  forget(): void {
    this.known.fill(0);
    this.rates.fill(0);
    for (const state of this.#concentrated.values()) state.whole = false;
  }

  /** A new state of a pool below POOLS_MAX, each reserve as low and high word. */
  update(pool: number, low0: number, high0: number, low1: number, high1: number): void {
    const at = 4 * pool;
    this.#words[at] = low0;
    this.#words[at + 1] = high0;
    this.#words[at + 2] = low1;
    this.#words[at + 3] = high1;
    this.reserves[2 * pool] = high0 * WORD + low0;
    this.reserves[2 * pool + 1] = high1 * WORD + low1;
    this.known[pool] = 1;
    this.#setRates(pool);
  }

  /** The ticks and state of a concentrated pool; made at its first record. */
  concentrated(pool: number): ConcentratedPool {
    let found = this.#concentrated.get(pool);
    if (found === undefined) {
      found = new ConcentratedPool();
      this.#concentrated.set(pool, found);
    }
    return found;
  }

  /** Its ticks are about to be told anew: it does not count before its next state. */
  forgetTicks(pool: number): void {
    this.concentrated(pool).clearTicks();
    this.known[pool] = 0;
    this.#setRates(pool);
  }

  /** A new state of a concentrated pool: √P · 2^64 and the liquidity, four words each, from `at` on. */
  updateConcentrated(pool: number, words: Uint32Array, at: number, tickCurrent: number): void {
    const state = this.concentrated(pool);
    state.setState(words, at, tickCurrent);
    const usable = state.liquidity > 0 && state.price > 0 && state.whole;
    this.reserves[2 * pool] = usable ? state.liquidity / state.price : 0;
    this.reserves[2 * pool + 1] = usable ? state.liquidity * state.price : 0;
    this.known[pool] = 1;
    this.#setRates(pool);
    this.#setLimits(pool, state);
  }

  /** What a hop pays out for `input`, over as many segments as it takes; in floats. */
  output(hop: number, input: number): number {
    const net = (this.keeps[hop >> 1] as number) * input;
    if ((this.limits[hop] as number) < input) return this.concentrated(hop >> 1).output(hop & 1, net);
    return (net * (this.reserves[hop ^ 1] as number)) / ((this.reserves[hop] as number) + net);
  }

  /** Copies the exact reserves of a hop, in and out, as low and high words to `at` and after. */
  copyReserves(hop: number, into: Uint32Array, at: number): void {
    const from = 2 * hop;
    const beside = 2 * (hop ^ 1);
    into[at] = this.#words[from] as number;
    into[at + 1] = this.#words[from + 1] as number;
    into[at + 2] = this.#words[beside] as number;
    into[at + 3] = this.#words[beside + 1] as number;
  }

  exactReserve(pool: number, side: number): bigint {
    return this.#exact[2 * pool + side] as bigint;
  }

  #setRates(pool: number): void {
    const reserve0 = this.reserves[2 * pool] as number;
    const reserve1 = this.reserves[2 * pool + 1] as number;
    const keep = this.known[pool] === 1 && reserve0 > 0 && reserve1 > 0 ? (this.keeps[pool] as number) : 0;
    this.rates[2 * pool] = keep === 0 ? 0 : (keep * reserve1) / reserve0;
    this.rates[2 * pool + 1] = keep === 0 ? 0 : (keep * reserve0) / reserve1;
  }

  #setLimits(pool: number, state: ConcentratedPool): void {
    for (let side = 0; side < 2; side++) {
      const room = state.room(side);
      this.limits[2 * pool + side] = Math.max(0, room) / (this.keeps[pool] as number);
      // No tick is left on that side: the program refuses any swap.
      if (room < 0) this.rates[2 * pool + side] = 0;
    }
  }
}
