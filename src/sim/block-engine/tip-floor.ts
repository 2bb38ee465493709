/** Percentiles of the tips that landed lately, and a moving average of the median, as Jito's tip floor gives them. */

/** Landed tips that the percentiles look back on. */
const TIPS_KEPT = 1_024;
/** Weight of the newest median in the average. */
const EMA_WEIGHT = 0.05;
const LAMPORTS_PER_SOL = 1e9;

export type TipFloorJson = {
  readonly time: string;
  readonly landed_tips_25th_percentile: number;
  readonly landed_tips_50th_percentile: number;
  readonly landed_tips_75th_percentile: number;
  readonly landed_tips_95th_percentile: number;
  readonly landed_tips_99th_percentile: number;
  readonly ema_landed_tips_50th_percentile: number;
};

export class TipFloor {
  readonly #tips: number[] = [];
  #next = 0;
  #emaLamports: number | undefined;

  record(tipLamports: bigint): void {
    this.#tips[this.#next] = Number(tipLamports);
    this.#next = (this.#next + 1) % TIPS_KEPT;
    const median = percentile(sorted(this.#tips), 0.5);
    this.#emaLamports =
      this.#emaLamports === undefined ? median : this.#emaLamports + EMA_WEIGHT * (median - this.#emaLamports);
  }

  /** In SOL; zeros until a tip has landed. */
  read(wallMs: number): TipFloorJson {
    const tips = sorted(this.#tips);
    const sol = (share: number) => percentile(tips, share) / LAMPORTS_PER_SOL;
    return {
      time: new Date(wallMs).toISOString(),
      landed_tips_25th_percentile: sol(0.25),
      landed_tips_50th_percentile: sol(0.5),
      landed_tips_75th_percentile: sol(0.75),
      landed_tips_95th_percentile: sol(0.95),
      landed_tips_99th_percentile: sol(0.99),
      ema_landed_tips_50th_percentile: (this.#emaLamports ?? 0) / LAMPORTS_PER_SOL,
    };
  }
}

const sorted = (tips: readonly number[]): number[] => [...tips].sort((a, b) => a - b);

/** Between the two nearest, in proportion. */
function percentile(ascending: readonly number[], share: number): number {
  const place = share * (ascending.length - 1);
  const low = ascending[Math.floor(place)] ?? 0;
  const high = ascending[Math.ceil(place)] ?? 0;
  return low + (high - low) * (place - Math.floor(place));
}
