/**
 * Which tip to offer. Each rung of the ladder is scored by the model. Without a bandit the one with the best expected
 * value wins; a bandit takes the scores for what is believed before auctions have spoken, and chooses itself:
 *
 *   EV(tip) = p(landed | tip) · (gross − tip − fee) − (1 − p) · cost of a miss
 *
 * A rung must leave a profit and stay within the operator's share of the gross. Nothing here allocates.
 */
import { type PolicyTarget, TIP_LADDER_MAX } from "#memory/switchboard.ts";
import { type FeatureInput, setTipFeatures } from "#model/features.ts";
import type { TipBandit, TipPick } from "./tips/tip-bandit.ts";
import type { TipAuction } from "./tips/tip-table.ts";

/** What was chosen; one object, reused. `tipLamports` is 0 when no rung is affordable. */
export type TipChoice = {
  tipLamports: number;
  evLamports: number;
  /** The model's, of the chosen tip. */
  score: number;
  rung: number;
  /** Chance with which this rung was taken; 1 when nothing was left to chance. */
  propensity: number;
};

const scores = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
const pick: TipPick = { rung: 0, propensity: 1, pLand: 0 };

export type TipLimits = {
  readonly feeLamports: number;
  /** Largest share of the gross that goes into the tip, 0..1. */
  readonly tipShareMax: number;
  /** What a bundle costs that does not land: nothing on a block engine, a fee where failed transactions are charged. */
  readonly missCostLamports: number;
};

export function chooseTip(
  out: TipChoice,
  features: Float32Array,
  input: FeatureInput,
  policy: PolicyTarget,
  limits: TipLimits,
  predict: (features: Float32Array) => number,
  bandit?: TipBandit,
  auction?: Readonly<TipAuction>,
): void {
  out.tipLamports = 0;
  out.evLamports = Number.NEGATIVE_INFINITY;
  out.score = 0;
  out.rung = 0;
  out.propensity = 1;
  let affordable = 0;
  const most = Math.min(input.grossLamports * limits.tipShareMax, input.grossLamports - limits.feeLamports - 1);
  for (let i = 0; i < policy.tipCount; i++) {
    const tip = policy.tipLadderLamports[i] as number;
    if (tip > most) break;
    setTipFeatures(features, tip, input);
    const answer = predict(features);
    // A model that answers NaN or nonsense scores nothing.
    const score = answer > 0 ? Math.min(answer, 1) : 0;
    scores[i] = score;
    affordable++;
    const ev = expected(score, tip, input, limits);
    if (ev <= out.evLamports) continue;
    out.rung = i;
    out.tipLamports = tip;
    out.evLamports = ev;
    out.score = score;
  }
  if (affordable === 0) return;
  if (bandit !== undefined && auction !== undefined) {
    bandit.choose(pick, auction, policy.tipLadderLamports, policy.tipCount, affordable, scores);
    out.rung = pick.rung;
    out.propensity = pick.propensity;
    out.tipLamports = policy.tipLadderLamports[pick.rung] as number;
    out.evLamports = expected(pick.pLand, out.tipLamports, input, limits);
    out.score = scores[pick.rung] as number;
  }
  // The row on record is that of the chosen tip.
  setTipFeatures(features, out.tipLamports, input);
}

const expected = (p: number, tip: number, { grossLamports }: FeatureInput, limits: TipLimits): number =>
  p * (grossLamports - tip - limits.feeLamports) - (1 - p) * limits.missCostLamports;
