/**
 * Makes a decision again from its record and the model that made it: the features from what they were made from, the
 * score of every rung, the choice, the expected value and the gate. What depended on the moment (a kill, a throttle, a
 * bundle in flight) is taken from the record; everything else must come out as it is written there, bit for bit.
 */
import { createFeatureRow, featureInputOf, fillFeatures, setTipFeatures } from "#model/features.ts";
import { chooseTip, type TipChoice } from "./choose-tip.ts";
import { featureHash } from "./decision-record.ts";
import type { Scorer } from "./evaluate.ts";

/** What the record says; lamports as whole numbers. */
export type DecisionOnRecord = {
  readonly modelHash: string;
  /** "model", or the bandit that took the tip by its own memory; then the tip is taken from the record. */
  readonly tipPolicy: string;
  readonly featureInputs: readonly number[];
  readonly features: readonly number[];
  readonly featureHash: string;
  readonly tipLadder: readonly number[];
  readonly grossLamports: number;
  readonly feeLamports: number;
  readonly tipLamports: number;
  readonly netLamports: number;
  readonly evLamports: number;
  readonly score: number;
  readonly reason: string;
  readonly evMinLamports: number;
  readonly tipShareMax: number;
  readonly missCostLamports: number;
};

type Rung = { readonly tipLamports: number; readonly score: number; readonly evLamports: number };

export type Remade = {
  /** Every rung that was affordable, as the model scores it. */
  readonly rungs: readonly Rung[];
  /** Fields that came out otherwise, with both values; empty when all are equal. */
  readonly differences: readonly string[];
};

/** Reasons that follow from the record; the others (a kill, a limit, an open bundle, a failed send) are of the moment. */
const OF_THE_RECORD = new Set(["profitable", "ev_below_minimum", "no_affordable_tip"]);

/** As the tip's choice takes an answer. */
const clamped = (answer: number): number => (answer > 0 ? Math.min(answer, 1) : 0);

export function remakeDecision(record: DecisionOnRecord, model: Scorer): Remade {
  const differences: string[] = [];
  const compare = (name: string, remade: unknown, written: unknown) => {
    if (!Object.is(remade, written)) differences.push(`${name}: ${String(remade)}, on record ${String(written)}`);
  };
  compare("model_hash", model.hash, record.modelHash);
  const input = featureInputOf(record.featureInputs);
  if (input === undefined) return { rungs: [], differences: [...differences, "feature_inputs: another feature set"] };
  const row = createFeatureRow();
  fillFeatures(row, input);
  const rungs: Rung[] = [];
  const limits = {
    feeLamports: record.feeLamports,
    tipShareMax: record.tipShareMax,
    missCostLamports: record.missCostLamports,
  };
  const ladder = Float64Array.from(record.tipLadder);
  const policy = {
    killed: false,
    stopped: false,
    throttlePct: 0,
    evMinLamports: record.evMinLamports,
    tipCount: ladder.length,
    tipLadderLamports: ladder,
  };
  const choice: TipChoice = { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 1 };
  chooseTip(choice, row, input, policy, limits, (features) => {
    const score = model.predict(features);
    const tipLamports = ladder[rungs.length] as number;
    const paid = input.grossLamports - tipLamports - limits.feeLamports;
    rungs.push({ tipLamports, score, evLamports: score * paid - (1 - score) * limits.missCostLamports });
    return score;
  });
  const byModel = record.tipPolicy === "model";
  const tipLamports = byModel ? choice.tipLamports : record.tipLamports;
  if (tipLamports > 0) setTipFeatures(row, tipLamports, input);
  const rung = rungs.find((one) => one.tipLamports === tipLamports);
  for (let i = 0; i < row.length; i++) compare(`features[${i}]`, row[i], record.features[i]);
  compare("feature_hash", featureHash([...row]), record.featureHash);
  compare("gross_lamports", input.grossLamports, record.grossLamports);
  compare("tip_lamports", tipLamports, record.tipLamports);
  compare("score", byModel ? choice.score : clamped(rung?.score ?? 0), record.score);
  compare("net_lamports", record.grossLamports - record.feeLamports - tipLamports, record.netLamports);
  if (!byModel) return { rungs, differences };
  const affordable = choice.tipLamports > 0;
  compare("ev_lamports", affordable ? Math.round(choice.evLamports) : 0, record.evLamports);
  if (OF_THE_RECORD.has(record.reason)) {
    const gate = !affordable
      ? "no_affordable_tip"
      : choice.evLamports < record.evMinLamports
        ? "ev_below_minimum"
        : "profitable";
    compare("reason", gate, record.reason);
  }
  return { rungs, differences };
}
