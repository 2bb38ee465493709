import { expect, test } from "bun:test";
import { seededRandom } from "#core/random.ts";
import {
  createFeatureInput,
  createFeatureRow,
  FEATURE_INPUTS,
  fillFeatures,
  writeFeatureInput,
} from "#model/features.ts";
import { chooseTip } from "./choose-tip.ts";
import { featureHash } from "./decision-record.ts";
import { type DecisionOnRecord, remakeDecision } from "./remake.ts";

const LADDER = [10_000, 100_000, 1_000_000, 10_000_000];
/** A score in float32, as a library's: more tip, more chance. */
const MODEL = { hash: "00000000000000aa", predict: (row: Float32Array) => Math.fround(0.1 + (row[13] as number)) };

/** A decision as the hot loop puts it on record, on random circumstances. */
function decide(seed: number): DecisionOnRecord {
  const random = seededRandom(`remake ${seed}`);
  const input = createFeatureInput();
  input.grossLamports = random.between(1, 100_000_000);
  input.inputLamports = random.between(1, 1_000_000_000);
  input.eventAgeMs = random.unit() * 3;
  input.slotProgress = random.unit();
  input.recentTipMedianLamports = random.between(0, 1_000_000);
  input.recentLandedShare = random.unit();
  const row = createFeatureRow();
  fillFeatures(row, input);
  const limits = { feeLamports: 5_000, tipShareMax: 0.5, missCostLamports: 0 };
  const evMinLamports = 10_000;
  const choice = { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 1 };
  const policy = {
    killed: false,
    stopped: false,
    throttlePct: 0,
    evMinLamports,
    tipCount: LADDER.length,
    tipLadderLamports: Float64Array.from(LADDER),
  };
  chooseTip(choice, row, input, policy, limits, MODEL.predict);
  const featureInputs = new Float64Array(FEATURE_INPUTS);
  writeFeatureInput(featureInputs, 0, input);
  const affordable = choice.tipLamports > 0;
  return {
    modelHash: MODEL.hash,
    tipPolicy: "model",
    featureInputs: [...featureInputs],
    features: [...row],
    featureHash: featureHash([...row]),
    tipLadder: LADDER,
    grossLamports: input.grossLamports,
    tipLamports: choice.tipLamports,
    netLamports: input.grossLamports - limits.feeLamports - choice.tipLamports,
    evLamports: affordable ? Math.round(choice.evLamports) : 0,
    score: choice.score,
    reason: !affordable ? "no_affordable_tip" : choice.evLamports < evMinLamports ? "ev_below_minimum" : "profitable",
    evMinLamports,
    ...limits,
  };
}

test("remakeDecision() gives 100 decisions back bit for bit, through the record's own text", () => {
  for (let seed = 0; seed < 100; seed++) {
    const read = JSON.parse(JSON.stringify(decide(seed))) as DecisionOnRecord;
    expect(remakeDecision(read, MODEL).differences).toEqual([]);
  }
});

test("remakeDecision() names what another model, another input or a changed record gives", () => {
  const record = decide(3);
  const other = { hash: "00000000000000bb", predict: (row: Float32Array) => MODEL.predict(row) / 2 };
  expect(remakeDecision(record, other).differences.join()).toContain("model_hash");
  expect(remakeDecision({ ...record, featureInputs: [1] }, MODEL).differences.join()).toContain("another feature set");
  expect(remakeDecision({ ...record, evLamports: record.evLamports + 1 }, MODEL).differences).toEqual([
    `ev_lamports: ${record.evLamports}, on record ${record.evLamports + 1}`,
  ]);
});
