import { describe, expect, test } from "bun:test";
import { createFeatureInput, createFeatureRow, fillFeatures, setTipFeatures } from "#model/features.ts";
import { type PastDecision, PolicyTrial } from "./try-policy.ts";

const LIMITS = { feeLamports: 5_000, tipShareMax: 0.5, missCostLamports: 0 };
const POLICY = {
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: 1,
  tipLadderLamports: [10_000, 100_000],
};
/** A higher tip lands more surely: 40 % with 10,000 lamports, 80 % with 100,000. */
const predict = (row: Float32Array) => ((row[12] as number) > 4.5 ? 0.8 : 0.4);

function past(tipLamports: number, landed: boolean, differs: Partial<PastDecision> = {}): PastDecision {
  const grossLamports = 1_000_000;
  const row = createFeatureRow();
  const input = { ...createFeatureInput(), grossLamports, inputLamports: 1e9, recentTipMedianLamports: 50_000 };
  fillFeatures(row, input);
  setTipFeatures(row, tipLamports, input);
  return {
    ...{ reason: "profitable", features: [...row], grossLamports, tipLamports, sent: true, landed },
    score: predict(row),
    realisedLamports: landed ? grossLamports - tipLamports - LIMITS.feeLamports : 0,
    ...differs,
  };
}

describe("PolicyTrial", () => {
  test("gives the real result, to the unit, for the policy that was in force", () => {
    const trial = new PolicyTrial(POLICY, LIMITS, predict);
    for (let i = 0; i < 10; i++) trial.take(past(100_000, i < 8));
    trial.end();
    expect(trial.same).toBe(10);
    expect(trial.tried).toEqual(trial.real);
    expect(trial.real).toMatchObject({ sent: 10, landed: 8, profitLamports: 8 * 895_000, tipsLamports: 800_000 });
  });

  test("estimates what another tip would have done, scaled by what the model's answers were worth", () => {
    const trial = new PolicyTrial({ ...POLICY, tipLadderLamports: [10_000] }, LIMITS, predict);
    // The model said 0.8 of each; half of them landed: its answers are worth 0.625 of themselves.
    for (let i = 0; i < 10; i++) trial.take(past(100_000, i < 5));
    trial.end();
    expect(trial.same).toBe(0);
    expect(trial.tried.landed).toBeCloseTo(10 * 0.4 * 0.625, 9);
    expect(trial.tried.profitLamports).toBeCloseTo(2.5 * 985_000, 3);
    expect(trial.tried.profitDeviationLamports).toBeCloseTo(Math.sqrt(10 * 0.25 * 0.75) * 985_000, 3);
  });

  test("sends nothing under a minimum that nothing reaches, and what was skipped under a lower one", () => {
    const high = new PolicyTrial({ ...POLICY, evMinLamports: 10_000_000 }, LIMITS, predict);
    const low = new PolicyTrial(POLICY, LIMITS, predict);
    const skipped = past(100_000, false, { sent: false, reason: "ev_below_minimum" });
    for (const trial of [high, low]) {
      trial.take(skipped);
      trial.end();
    }
    expect([high.tried.sent, low.tried.sent, low.real.sent]).toEqual([0, 1, 0]);
    expect(low.tried.landed).toBeCloseTo(0.8, 9);
  });

  test("leaves alone what no policy decides", () => {
    const trial = new PolicyTrial(POLICY, LIMITS, predict);
    trial.take(past(0, false, { sent: false, reason: "in_flight" }));
    trial.take(past(0, false, { sent: false, reason: "throttled" }));
    trial.end();
    expect([trial.decisions, trial.tried.sent]).toEqual([2, 0]);
  });
});
