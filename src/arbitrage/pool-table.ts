/**
 * The state of every pool in flat typed arrays, by pool number. The hot thread writes a row when a market record comes
 * and screens with the floats; a winner is quoted again with the exact words beside them. Nothing here allocates after
 * the start except `exactReserve`, which makes a bigint.
 */
import type { PoolFacts } from "#core/pool.ts";

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
  /** 1 once a first state came; a pool without one is never part of a decision. */
  readonly known = new Uint8Array(new ArrayBuffer(POOLS_MAX));
  /** The exact reserve of pool p, side s: low word at 4p + 2s, high word after it. */
  readonly #words: Uint32Array;
  readonly #exact: BigUint64Array;

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
    }
  }

  /** Every state may be old: none counts until it comes again. */
  forget(): void {
    this.known.fill(0);
    this.rates.fill(0);
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
}
