/**
 * What would another policy have made of decisions on record? Each gets its tip and its gate again by the hot thread's
 * own chooser, from the features that were recorded. What a bundle did with the same tip is known; what it would have
 * done with another is the model's answer, scaled so that over the bundles that were sent it gives as many landings as
 * there were. A policy near the real one is estimated well; one far from it, as well as the model knows.
 */
import type { PolicyFields, PolicyTarget } from "#memory/switchboard.ts";
import { createFeatureInput, FEATURES, setTipFeatures } from "#model/features.ts";
import { chooseTip, type TipChoice, type TipLimits } from "./choose-tip.ts";

/** One decision on record, with what became of it. */
export type PastDecision = {
  readonly reason: string;
  readonly features: readonly number[];
  readonly grossLamports: number;
  readonly tipLamports: number;
  readonly score: number;
  readonly sent: boolean;
  readonly landed: boolean;
  readonly realisedLamports: number;
};

/** What a policy made, or would have made, of all of them. */
export type PolicyResult = {
  sent: number;
  /** Landed bundles; a sum of chances where they were not sent with this tip. */
  landed: number;
  profitLamports: number;
  /** Standard deviation of the profit, from the landings that are chances; 0 for the real policy. */
  profitDeviationLamports: number;
  /** Paid by what landed. */
  tipsLamports: number;
  /** Largest single tip that was offered. */
  tipLamportsMax: number;
};

/** Reasons that are the policy's own: the others would stand under any. */
const JUDGED = new Set(["profitable", "ev_below_minimum", "no_affordable_tip"]);
const RECENT_TIP = FEATURES.findIndex(({ name }) => name === "recent_tip_log10");

const nothing = (): PolicyResult => ({
  ...{ sent: 0, landed: 0, profitLamports: 0, profitDeviationLamports: 0, tipsLamports: 0, tipLamportsMax: 0 },
});

export class PolicyTrial {
  readonly real = nothing();
  readonly tried = nothing();
  /** Decisions that were looked at, and of them those that both policies sent with the same tip. */
  decisions = 0;
  same = 0;
  readonly #target: PolicyTarget;
  readonly #row = new Float32Array(new ArrayBuffer(FEATURES.length * 4));
  readonly #input = createFeatureInput();
  readonly #choice: TipChoice = { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 1 };
  readonly #waiting: { readonly chance: number; readonly gain: number; readonly tip: number }[] = [];
  #scoresOfSent = 0;

  constructor(
    private readonly policy: PolicyFields,
    private readonly limits: TipLimits,
    private readonly predict: (features: Float32Array) => number,
  ) {
    const tipLadderLamports = new Float64Array(new ArrayBuffer(policy.tipLadderLamports.length * 8));
    tipLadderLamports.set(policy.tipLadderLamports);
    this.#target = { ...policy, tipCount: policy.tipLadderLamports.length, tipLadderLamports };
  }

  take(decision: PastDecision): void {
    this.decisions++;
    if (decision.sent) this.#addReal(decision);
    if (!JUDGED.has(decision.reason)) return;
    const { tipLamports, score } = this.#choose(decision);
    if (tipLamports === 0) return;
    this.tried.sent++;
    this.tried.tipLamportsMax = Math.max(this.tried.tipLamportsMax, tipLamports);
    if (decision.sent && tipLamports === decision.tipLamports) {
      this.same++;
      if (!decision.landed) return;
      this.tried.landed++;
      this.tried.profitLamports += decision.realisedLamports;
      this.tried.tipsLamports += tipLamports;
    } else {
      const gain = decision.grossLamports - tipLamports - this.limits.feeLamports;
      this.#waiting.push({ chance: score, gain, tip: tipLamports });
    }
  }

  /** Adds the chances, now that it is known how far the model's answers can be trusted. Call it once, at the end. */
  end(): void {
    const scale = this.#scoresOfSent > 0 ? this.real.landed / this.#scoresOfSent : 1;
    let variance = 0;
    for (const { chance, gain, tip } of this.#waiting) {
      const p = Math.min(1, chance * scale);
      this.tried.landed += p;
      this.tried.profitLamports += p * gain;
      this.tried.tipsLamports += p * tip;
      variance += p * (1 - p) * gain * gain;
    }
    this.tried.profitDeviationLamports = Math.sqrt(variance);
  }

  #addReal({ landed, tipLamports, realisedLamports, score }: PastDecision): void {
    const { real } = this;
    real.sent++;
    real.tipLamportsMax = Math.max(real.tipLamportsMax, tipLamports);
    this.#scoresOfSent += score;
    if (landed) real.landed++;
    if (landed) real.tipsLamports += tipLamports;
    real.profitLamports += realisedLamports;
  }

  /** The tip that the policy would have offered; 0 when it would not have sent. */
  #choose({ features, grossLamports }: PastDecision): TipChoice {
    const input = this.#input;
    this.#row.set(features);
    input.grossLamports = grossLamports;
    const recent = features[RECENT_TIP] as number;
    input.recentTipMedianLamports = recent > 0 ? 10 ** recent : 0;
    setTipFeatures(this.#row, 0, input);
    chooseTip(this.#choice, this.#row, input, this.#target, this.limits, this.predict);
    if (this.#choice.evLamports < this.policy.evMinLamports) this.#choice.tipLamports = 0;
    return this.#choice;
  }
}
