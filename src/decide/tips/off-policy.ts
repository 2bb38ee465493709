/**
 * What another tip policy would have earned on decisions that are on record, from the propensities with which they were
 * made (Horvitz and Thompson 1952; Dudík, Langford and Li 2011):
 *
 *   IPS   mean of  π(a|x)/p · payoff
 *   DR    mean of  Σ_b π(b|x)·q(x,b)  +  π(a|x)/p · (payoff − q(x,a))
 *
 * q is a table of landing shares per kind of auction and rung, fitted on the half of the record that is not judged with
 * it, so that no decision vouches for itself. Payoff: landed × net profit, over the profit before the tip: 0..1. The
 * interval is that of the normal law; where weights are large the estimate says little, and the interval shows it.
 */
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";
import { COARSE_KINDS, coarseKindOf } from "./tip-table.ts";

/** One recorded choice of a tip. */
export type RecordedTip = {
  readonly grossLamports: number;
  readonly feeLamports: number;
  /** 75th percentile of landed tips then; 0 unknown. */
  readonly tipFloorLamports: number;
  /** Ascending; the choice was among those that were affordable, `affordable` from below. */
  readonly tipLadderLamports: readonly number[];
  readonly affordable: number;
  readonly rung: number;
  /** Chance with which this rung was chosen, above 0. */
  readonly propensity: number;
  readonly landed: boolean;
};

/** The rung that a policy would have taken, below `affordable`. */
export type RungPolicy = (tip: RecordedTip) => number;

export type PolicyEstimate = {
  readonly ips: Interval;
  readonly doublyRobust: Interval;
  /** Recorded choices that agree with the policy: what the estimate rests on. */
  readonly agreeing: number;
};
export type Interval = { readonly mean: number; readonly low: number; readonly high: number };

/** Of the normal law, for 95 %. */
const Z = 1.96;
/** A kind of auction with fewer plays of a rung leans on the rung's share in all kinds. */
const SMOOTHING = 8;

/** Landed × net profit over the profit before the tip. */
export const payoffOf = (
  { grossLamports, feeLamports }: Pick<RecordedTip, "grossLamports" | "feeLamports">,
  tip: number,
) =>
  grossLamports > feeLamports ? Math.max(0, (grossLamports - feeLamports - tip) / (grossLamports - feeLamports)) : 0;

/** The highest affordable rung that is not above this many lamports; the lowest where all are. */
export function rungAtMost(tip: Pick<RecordedTip, "tipLadderLamports" | "affordable">, lamports: number): number {
  let rung = 0;
  while (rung + 1 < tip.affordable && (tip.tipLadderLamports[rung + 1] as number) <= lamports) rung++;
  return rung;
}

/** The lowest affordable rung that is not below this many lamports; the highest where all are. */
export function rungAtLeast(tip: Pick<RecordedTip, "tipLadderLamports" | "affordable">, lamports: number): number {
  let rung = 0;
  while (rung + 1 < tip.affordable && (tip.tipLadderLamports[rung] as number) < lamports) rung++;
  return rung;
}

export function estimatePolicy(record: readonly RecordedTip[], policy: RungPolicy): PolicyEstimate {
  const models = [0, 1].map((half) => landingModel(record.filter((_, i) => i % 2 !== half)));
  let agreeing = 0;
  const ips = new Float64Array(record.length);
  const robust = new Float64Array(record.length);
  record.forEach((tip, i) => {
    const rung = policy(tip);
    const agrees = rung === tip.rung;
    if (agrees) agreeing++;
    const weight = agrees ? 1 / tip.propensity : 0;
    const keep = payoffOf(tip, tip.tipLadderLamports[rung] ?? 0);
    const payoff = tip.landed ? keep : 0;
    const q = (models[i % 2] as LandingModel)(tip, rung) * keep;
    ips[i] = weight * payoff;
    robust[i] = q + weight * (payoff - q);
  });
  return { ips: intervalOf(ips), doublyRobust: intervalOf(robust), agreeing };
}

/** What the recorded policy itself earned. */
export const recordedPayoff = (record: readonly RecordedTip[]): Interval =>
  intervalOf(
    Float64Array.from(record, (tip) => (tip.landed ? payoffOf(tip, tip.tipLadderLamports[tip.rung] ?? 0) : 0)),
  );

type LandingModel = (tip: RecordedTip, rung: number) => number;

function landingModel(record: readonly RecordedTip[]): LandingModel {
  const [played, landed] = [
    new Float64Array(COARSE_KINDS * TIP_LADDER_MAX),
    new Float64Array(COARSE_KINDS * TIP_LADDER_MAX),
  ];
  const [playedAll, landedAll] = [new Float64Array(TIP_LADDER_MAX), new Float64Array(TIP_LADDER_MAX)];
  for (const tip of record) {
    const at = coarseKindOf(tip) * TIP_LADDER_MAX + tip.rung;
    played[at] = (played[at] as number) + 1;
    playedAll[tip.rung] = (playedAll[tip.rung] as number) + 1;
    if (!tip.landed) continue;
    landed[at] = (landed[at] as number) + 1;
    landedAll[tip.rung] = (landedAll[tip.rung] as number) + 1;
  }
  return (tip, rung) => {
    const at = coarseKindOf(tip) * TIP_LADDER_MAX + rung;
    const share = ((landedAll[rung] as number) + 0.5) / ((playedAll[rung] as number) + 1);
    return ((landed[at] as number) + SMOOTHING * share) / ((played[at] as number) + SMOOTHING);
  };
}

function intervalOf(values: Float64Array): Interval {
  const n = values.length;
  if (n === 0) return { mean: 0, low: 0, high: 0 };
  let mean = 0;
  for (const value of values) mean += value / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const half = n > 1 ? (Z * Math.sqrt(squares / (n - 1))) / Math.sqrt(n) : 0;
  return { mean, low: mean - half, high: mean + half };
}
