/** The rules of promotion and rollback, on facts made up. */
import { expect, test } from "bun:test";
import type { HistoryEntry } from "#model/models-folder.ts";
import { judgeModels, type ModelFacts } from "./model-rules.ts";

const RULES = {
  ...{ promoteByRule: true, promoteRowsMin: 500, rollback: true, driftRowsMin: 200 },
  ...{ calibrationGapMax: 0.2, hotPathFactorMax: 3 },
};
const CALM: ModelFacts = {
  both: { rows: 500, latestLogLoss: 0.6, shadowLogLoss: 0.6 },
  latest: { rows: 500, meanScore: 0.5, landedShare: 0.45 },
  hotPath: { before: 0.01, windowsBefore: 60, now: 0.02, windowsNow: 60 },
};
const BETTER = { ...CALM, both: { rows: 500, latestLogLoss: 0.6, shadowLogLoss: 0.55 } };
const entry = (action: HistoryEntry["action"], from: string, to: string): HistoryEntry => ({
  ...{ atMs: 1, by: "test", why: "", action, from, to },
});
const PROMOTED = [entry("promote", "", "old"), entry("promote", "old", "new")];

test("judgeModels() promotes a shadow that is surer on enough outcomes, and only by rule", () => {
  const versions = { shadow: "next", history: PROMOTED };
  expect(judgeModels(BETTER, RULES, versions)).toEqual({
    action: "promote",
    why: "log loss 0.5500 against 0.6000 on 500 outcomes",
  });
  expect(judgeModels(CALM, RULES, versions)).toBeUndefined();
  expect(judgeModels(BETTER, { ...RULES, promoteByRule: false }, versions)).toBeUndefined();
  expect(judgeModels(BETTER, { ...RULES, promoteRowsMin: 501 }, versions)).toBeUndefined();
  expect(judgeModels(BETTER, RULES, { ...versions, shadow: "" })).toBeUndefined();
  const nothing = { ...CALM, both: { rows: 600, latestLogLoss: Number.NaN, shadowLogLoss: Number.NaN } };
  expect(judgeModels(nothing, RULES, versions)).toBeUndefined();
});

test("judgeModels() takes back a version whose calibration or latency drifts, once", () => {
  const versions = { shadow: "", history: PROMOTED };
  const off = { ...CALM, latest: { rows: 200, meanScore: 0.7, landedShare: 0.4 } };
  expect(judgeModels(off, RULES, versions)?.action).toBe("rollback");
  expect(judgeModels(off, RULES, versions)?.why).toContain("calibration drift: it says 0.700 on average, 0.400 of 200");
  const slow = { ...CALM, hotPath: { ...CALM.hotPath, now: 0.031 } };
  expect(judgeModels(slow, RULES, versions)?.why).toContain("latency drift");
  const few = { ...slow, hotPath: { ...slow.hotPath, windowsBefore: 29 } };
  expect(judgeModels(few, RULES, versions)).toBeUndefined();
  expect(judgeModels(off, { ...RULES, rollback: false }, versions)).toBeUndefined();
  expect(judgeModels(off, RULES, { shadow: "", history: [entry("promote", "", "old")] })).toBeUndefined();
  const back = [...PROMOTED, entry("rollback", "new", "old")];
  expect(judgeModels(off, RULES, { shadow: "", history: back })).toBeUndefined();
  expect(judgeModels(BETTER, RULES, { shadow: "new", history: back })).toBeUndefined();
});
