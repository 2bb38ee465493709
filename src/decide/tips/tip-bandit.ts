/**
 * Which tip to play where nobody knows what the others bid: Thompson sampling or UCB over the rungs of the ladder.
 *
 *   value(rung) = p(it lands) · (gross − fee − tip) / (gross − fee)         payoff scaled to 0..1
 *
 * Both make a probability for each rung and then draw one rung from them, so that the propensity on record is the very
 * number that was drawn with, and another policy can be judged on the record later (off-policy.ts). Thompson's are the
 * chances that a rung's sampled value is the highest (Thompson 1933), by quadrature over logistic beliefs of the same
 * mean and deviation as the Beta ones; UCB's (Auer et al. 2002) are one for the best bound. EXPLORE of the mass is shared
 * out evenly, so that no rung is ever impossible. Nothing here allocates; about 4 µs for nine rungs.
 */
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";
import { kindOf, TIP_RESULT, type TipAuction, type TipResult, TipTable } from "./tip-table.ts";

export const TIP_POLICIES = ["model", "thompson", "ucb"] as const;
export type TipPolicy = (typeof TIP_POLICIES)[number];

/** What was chosen; one object, reused. */
export type TipPick = { rung: number; propensity: number; pLand: number };

const EXPLORE = 0.02;
const POINTS = 24;
/** A logistic of this scale has the deviation 1. */
const LOGISTIC_SCALE = Math.sqrt(3) / Math.PI;
const WIDTHS = 4;
const UCB_WEIGHT = 0.25;
/** Auctions whose end may still be told: more than can be open at once. */
const PLAYED_MAX = 1_024;
/** Per rung: lamports, times played, times landed, sum of payoffs. */
const STATISTIC_NUMBERS = 4;
export const TIP_STATISTICS_BYTES = TIP_LADDER_MAX * STATISTIC_NUMBERS * 8;

export type RungStatistics = {
  readonly tipLamports: number;
  readonly played: number;
  readonly landed: number;
  /** Mean of landed × net profit over the profit before the tip, 0..1. */
  readonly payoffMean: number;
};

export class TipBandit {
  readonly #table = new TipTable();
  readonly #ladder = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly #chances = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly #means = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly #scales = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly #cumulated = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly #playedSequence = new Float64Array(new ArrayBuffer(PLAYED_MAX * 8));
  readonly #playedKind = new Int32Array(new ArrayBuffer(PLAYED_MAX * 4));
  readonly #playedRung = new Int32Array(new ArrayBuffer(PLAYED_MAX * 4));
  readonly #playedKeep = new Float64Array(new ArrayBuffer(PLAYED_MAX * 8));
  readonly #statistics: Float64Array;
  #count = 0;
  #kind = 0;

  /** `random`: 0 <= x < 1. `statistics`: TIP_STATISTICS_BYTES, zeroed, for others to read. */
  constructor(
    readonly policy: Exclude<TipPolicy, "model">,
    private readonly random: () => number,
    statistics: ArrayBufferLike = new ArrayBuffer(TIP_STATISTICS_BYTES),
  ) {
    this.#statistics = new Float64Array(statistics, 0, TIP_LADDER_MAX * STATISTIC_NUMBERS);
  }

  /**
   * Chooses among the first `affordable` (at least one) of the `count` rungs. `scores`: the model's word on each, which
   * is believed until auctions say more.
   */
  choose(
    out: TipPick,
    auction: Readonly<TipAuction>,
    ladder: Float64Array,
    count: number,
    affordable: number,
    scores: Float64Array,
  ): void {
    this.#follow(ladder, count);
    this.#kind = kindOf(auction);
    this.#table.believe(this.#kind, affordable, scores);
    if (this.policy === "thompson") this.#thompson(auction, affordable);
    else this.#ucb(auction, affordable);
    const chances = this.#chances;
    const draw = this.random();
    let rung = -1;
    let sum = 0;
    for (let i = 0; i < affordable; i++) {
      chances[i] = (1 - EXPLORE) * (chances[i] as number) + EXPLORE / affordable;
      sum += chances[i] as number;
      if (rung < 0 && draw < sum) rung = i;
    }
    // The sum may miss 1 by a rounding.
    if (rung < 0) rung = affordable - 1;
    const { wins, losses } = this.#table;
    out.rung = rung;
    out.propensity = chances[rung] as number;
    out.pLand = (wins[rung] as number) / ((wins[rung] as number) + (losses[rung] as number));
  }

  /** The choice that was made last is sent under this sequence: its end will be told. */
  sent(sequence: number, rung: number, auction: Readonly<TipAuction>): void {
    const place = sequence % PLAYED_MAX;
    this.#playedSequence[place] = sequence;
    this.#playedKind[place] = this.#kind;
    this.#playedRung[place] = rung;
    this.#playedKeep[place] = keepOf(auction, this.#ladder[rung] as number);
  }

  /** How it ended; unknown sequences and results without a meaning for tips are passed over. */
  settled(sequence: number, result: TipResult, rivalTipLamports: number): void {
    const place = sequence % PLAYED_MAX;
    if (sequence === 0 || this.#playedSequence[place] !== sequence) return;
    this.#playedSequence[place] = 0;
    const rung = this.#playedRung[place] as number;
    if (result === TIP_RESULT.none || rung >= this.#count) return;
    this.#table.learn(this.#playedKind[place] as number, this.#ladder, this.#count, { rung, result, rivalTipLamports });
    const at = rung * STATISTIC_NUMBERS;
    const statistics = this.#statistics;
    statistics[at + 1] = (statistics[at + 1] as number) + 1;
    if (result !== TIP_RESULT.landed) return;
    statistics[at + 2] = (statistics[at + 2] as number) + 1;
    statistics[at + 3] = (statistics[at + 3] as number) + (this.#playedKeep[place] as number);
  }

  /** A new ladder begins with nothing known about it. */
  #follow(ladder: Float64Array, count: number): void {
    let same = count === this.#count;
    for (let i = 0; same && i < count; i++) same = ladder[i] === this.#ladder[i];
    if (same) return;
    this.#count = count;
    this.#table.forget();
    this.#playedSequence.fill(0);
    this.#statistics.fill(0);
    for (let i = 0; i < count; i++) {
      this.#ladder[i] = ladder[i] as number;
      this.#statistics[i * STATISTIC_NUMBERS] = ladder[i] as number;
    }
  }

  #thompson(auction: Readonly<TipAuction>, affordable: number): void {
    const { wins, losses } = this.#table;
    const [means, scales, chances] = [this.#means, this.#scales, this.#chances];
    let low = 0;
    let high = 0;
    for (let i = 0; i < affordable; i++) {
      const [a, b] = [wins[i] as number, losses[i] as number];
      const keep = keepOf(auction, this.#ladder[i] as number);
      const mean = a / (a + b);
      const deviation = keep * Math.sqrt((mean * (1 - mean)) / (a + b + 1));
      means[i] = keep * mean;
      scales[i] = deviation * LOGISTIC_SCALE;
      chances[i] = 0;
      // The highest of all samples is hardly ever outside of these.
      low = Math.max(low, keep * mean - WIDTHS * deviation);
      high = Math.max(high, keep * mean + WIDTHS * deviation);
    }
    // A belief narrower than the points are apart would fall between them.
    const scaleMin = Math.max(1e-9, (high - low) / (2 * POINTS));
    for (let i = 0; i < affordable; i++) scales[i] = Math.max(scaleMin, scales[i] as number);
    this.#integrate(affordable, low, high);
  }

  #integrate(affordable: number, low: number, high: number): void {
    const [means, scales, chances, cumulated] = [this.#means, this.#scales, this.#chances, this.#cumulated];
    let total = 0;
    for (let point = 0; point < POINTS; point++) {
      const x = low + ((point + 0.5) / POINTS) * (high - low);
      let all = 1;
      for (let i = 0; i < affordable; i++) {
        const below = 1 / (1 + Math.exp(((means[i] as number) - x) / (scales[i] as number)));
        cumulated[i] = Math.max(1e-12, below);
        all *= cumulated[i] as number;
      }
      for (let i = 0; i < affordable; i++) {
        const below = cumulated[i] as number;
        const density = (below * (1 - below)) / (scales[i] as number);
        const mass = (density * all) / below;
        chances[i] = (chances[i] as number) + mass;
        total += mass;
      }
    }
    for (let i = 0; i < affordable; i++) chances[i] = total > 0 ? (chances[i] as number) / total : 1 / affordable;
  }

  #ucb(auction: Readonly<TipAuction>, affordable: number): void {
    const { wins, losses } = this.#table;
    let plays = 0;
    for (let i = 0; i < affordable; i++) plays += (wins[i] as number) + (losses[i] as number);
    let best = 0;
    let bestBound = -1;
    for (let i = 0; i < affordable; i++) {
      this.#chances[i] = 0;
      const n = (wins[i] as number) + (losses[i] as number);
      const bonus = Math.sqrt((UCB_WEIGHT * Math.log(1 + plays)) / n);
      const bound = Math.min(1, (wins[i] as number) / n + bonus) * keepOf(auction, this.#ladder[i] as number);
      if (bound <= bestBound) continue;
      best = i;
      bestBound = bound;
    }
    this.#chances[best] = 1;
  }
}

/** What is left of the profit before the tip, 0..1. */
function keepOf({ grossLamports, feeLamports }: Readonly<TipAuction>, tipLamports: number): number {
  const whole = grossLamports - feeLamports;
  return whole > 0 ? Math.max(0, (whole - tipLamports) / whole) : 0;
}

/** The statistics that a bandit wrote, one entry per rung. */
export function readTipStatistics(buffer: ArrayBufferLike): RungStatistics[] {
  const numbers = new Float64Array(buffer, 0, TIP_LADDER_MAX * STATISTIC_NUMBERS);
  const rungs: RungStatistics[] = [];
  for (let at = 0; at < numbers.length && (numbers[at] as number) > 0; at += STATISTIC_NUMBERS) {
    const [tipLamports, played, landed, payoff] = numbers.subarray(at, at + STATISTIC_NUMBERS) as unknown as number[];
    const times = played ?? 0;
    rungs.push({
      tipLamports: tipLamports ?? 0,
      played: times,
      landed: landed ?? 0,
      payoffMean: times > 0 ? (payoff ?? 0) / times : 0,
    });
  }
  return rungs;
}
