/**
 * A decision as the hot thread makes it: one object, filled anew for each winner and written into a slot
 * (write-decision.ts), so that nothing is allocated. Whoever reads the slot makes a Decision of it (decision-record.ts).
 */
import { Winner } from "#arbitrage/winner.ts";
import { createPolicyTarget, type PolicyTarget } from "#memory/switchboard.ts";
import { createFeatureInput, createFeatureRow, type FeatureInput } from "#model/features.ts";
import type { TipChoice } from "./choose-tip.ts";
import type { ReasonName } from "./reasons.ts";
import type { TipPolicy } from "./tips/tip-bandit.ts";

export type DecisionDraft = {
  /** "profitable" is sent, every other reason is not. */
  reason: ReasonName;
  sequence: number;
  slot: number;
  transactionIndex: number;
  /** CLOCK_MONOTONIC. */
  eventNs: number;
  feedNs: number;
  decideNs: number;
  readonly winner: Winner;
  readonly choice: TipChoice;
  tipPolicy: TipPolicy;
  /** The operator's word at the decision: the tip ladder and the least expected value. */
  readonly policy: PolicyTarget;
  feeLamports: number;
  tipShareMax: number;
  missCostLamports: number;
  /** What the features were made from, and the row itself, as for the chosen tip. */
  readonly input: FeatureInput;
  readonly features: Float32Array<ArrayBuffer>;
  /** 16 hex digits, "" without one. */
  modelHash: string;
  shadowHash: string;
  /** NaN without a shadow. */
  shadowScore: number;
};

export const createDecisionDraft = (): DecisionDraft => ({
  reason: "killed",
  sequence: 0,
  slot: 0,
  transactionIndex: 0,
  eventNs: 0,
  feedNs: 0,
  decideNs: 0,
  winner: new Winner(),
  choice: { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 1 },
  tipPolicy: "model",
  policy: createPolicyTarget(),
  feeLamports: 0,
  tipShareMax: 0,
  missCostLamports: 0,
  input: createFeatureInput(),
  features: createFeatureRow(),
  modelHash: "",
  shadowHash: "",
  shadowScore: Number.NaN,
});
