/**
 * How often an event took how long, as both sides of bench/hot-thread.ts count it: a counter per nanosecond, above
 * FINE_NS one per COARSE_NS, and the largest as it was. Counting allocates nothing.
 */
export type Quantiles = {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

const FINE_NS = 65_536;
const COARSE_NS = 1_024;
const COARSE = 65_536;

export class Times {
  readonly #fine = new Uint32Array(FINE_NS);
  readonly #coarse = new Uint32Array(COARSE);
  #count = 0;
  #max = 0;

  record(ns: number): void {
    this.#count++;
    if (ns > this.#max) this.#max = ns;
    const counters = ns < FINE_NS ? this.#fine : this.#coarse;
    const place = ns < FINE_NS ? ns | 0 : Math.min(ns / COARSE_NS, COARSE - 1) | 0;
    counters[place] = (counters[place] as number) + 1;
  }

  quantiles(): Quantiles {
    return {
      count: this.#count,
      p50: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      p999: this.#quantile(0.999),
      max: this.#max,
    };
  }

  #quantile(q: number): number {
    const rank = Math.ceil(q * this.#count);
    let below = 0;
    for (let i = 0; i < FINE_NS; i++) {
      below += this.#fine[i] as number;
      if (below >= rank) return i;
    }
    for (let i = 0; i < COARSE; i++) {
      below += this.#coarse[i] as number;
      if (below >= rank) return i * COARSE_NS;
    }
    return this.#max;
  }
}
