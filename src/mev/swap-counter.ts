/**
 * Counts the swaps that the mev agent sees: in this window and in total, by DEX and by pool. Its tables are bounded: pools
 * beyond the bound are counted together.
 */
import { DEX_NAMES, type DexName } from "#core/pool.ts";

/** Pools with a count of their own. */
const POOLS_MAX = 65_536;

export type SwapCounts = {
  readonly total: number;
  readonly byDex: Readonly<Record<DexName, number>>;
};

export class SwapCounter {
  /** Swaps of pools that found no room in the table. */
  otherPools = 0;
  readonly #poolsMax: number;
  readonly #byPool = new Map<string, number>();
  #total = noSwaps();
  #window = noSwaps();

  constructor(poolsMax = POOLS_MAX) {
    this.#poolsMax = poolsMax;
  }

  /** One swap of a DEX on the pool with this address. */
  see(dex: DexName, pool: string): void {
    this.#total[dex]++;
    this.#window[dex]++;
    const seen = this.#byPool.get(pool);
    if (seen !== undefined || this.#byPool.size < this.#poolsMax) this.#byPool.set(pool, (seen ?? 0) + 1);
    else this.otherPools++;
  }

  /** Everything since the start. */
  total(): SwapCounts {
    return countsOf(this.#total);
  }

  /** How often each pool was swapped on, most first. */
  pools(limit: number): readonly (readonly [string, number])[] {
    return [...this.#byPool].sort(([poolA, a], [poolB, b]) => b - a || (poolA < poolB ? -1 : 1)).slice(0, limit);
  }

  /** What came since the last call: one window, normally a second. */
  takeWindow(): SwapCounts {
    const window = countsOf(this.#window);
    this.#window = noSwaps();
    return window;
  }
}

const noSwaps = (): Record<DexName, number> => ({
  "raydium-amm-v4": 0,
  "raydium-cpmm": 0,
  "raydium-clmm": 0,
});

function countsOf(byDex: Record<DexName, number>): SwapCounts {
  return { total: DEX_NAMES.reduce((sum, dex) => sum + byDex[dex], 0), byDex: { ...byDex } };
}
