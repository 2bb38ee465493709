/**
 * Which tip to offer. Each rung of the ladder is scored by the model; the one with the best expected value wins:
 *
 *   EV(tip) = p(landed | tip) · (gross − tip − fee) − (1 − p) · cost of a miss
 *
 * A rung must leave a profit and stay within the operator's share of the gross. Nothing here allocates.
 */
import type { PolicyTarget } from "#memory/switchboard.ts";
import { type FeatureInput, setTipFeatures } from "#model/features.ts";

/** What was chosen; one object, reused. `tipLamports` is 0 when no rung is affordable. */
export type TipChoice = { tipLamports: number; evLamports: number; score: number };

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
): void {
  out.tipLamports = 0;
  out.evLamports = Number.NEGATIVE_INFINITY;
  out.score = 0;
  const most = Math.min(input.grossLamports * limits.tipShareMax, input.grossLamports - limits.feeLamports - 1);
  for (let i = 0; i < policy.tipCount; i++) {
    const tip = policy.tipLadderLamports[i] as number;
    if (tip > most) break;
    setTipFeatures(features, tip, input);
    const answer = predict(features);
    // A model that answers NaN or nonsense scores nothing.
    const score = answer > 0 ? Math.min(answer, 1) : 0;
    const ev = score * (input.grossLamports - tip - limits.feeLamports) - (1 - score) * limits.missCostLamports;
    if (ev <= out.evLamports) continue;
    out.tipLamports = tip;
    out.evLamports = ev;
    out.score = score;
  }
  // The row on record is that of the chosen tip.
  if (out.tipLamports > 0) setTipFeatures(features, out.tipLamports, input);
}
