/** What a training request must say. */
import { describe, expect, test } from "bun:test";
import { FEATURES } from "#model/features.ts";
import type { TrainRequest } from "#wire/train-request.ts";
import { checkRequest } from "./check-request.ts";

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");
const GOOD: TrainRequest = {
  jobId: "job-1",
  module: "arbitrage",
  range: { start: "2026-11-01", end: "2026-11-10" },
  features: { name: "", include: [], exclude: [] },
  model: "xgb",
  params: { maxDepth: 0, nEstimators: 0, learningRate: 0, gpu: false },
  issuer: "someone",
};

describe("checkRequest()", () => {
  test("fills what was left open, and ends the range at now", () => {
    const plan = checkRequest({ ...GOOD, range: { start: "2026-11-01T01:00:00+01:00", end: "2027-01-01" } }, NOW_MS);
    expect(plan).toEqual({
      ...{ kind: "arb", library: "xgb", gpu: false, maxDepth: 5, trees: 200, learningRate: 0.1 },
      startMs: Date.parse("2026-11-01"),
      endMs: NOW_MS,
      features: FEATURES.map(({ name }) => name),
    });
  });

  test("has other usual numbers for a network", () => {
    expect(checkRequest({ ...GOOD, model: "torch" }, NOW_MS)).toMatchObject({
      ...{ library: "torch", maxDepth: 2, trees: 200, learningRate: 0.002 },
    });
  });

  test("keeps the order of the row, whatever the order of include", () => {
    const features = { name: "arb-v1", include: ["tip_share", "hops", "margin_bps"], exclude: ["hops"] };
    expect(checkRequest({ ...GOOD, features }, NOW_MS).features).toEqual(["margin_bps", "tip_share"]);
  });

  const refused: readonly [string, Partial<TrainRequest>, string][] = [
    ["an id that leaves the folder", { jobId: "../models" }, "a job id"],
    ["another module", { module: "toString" }, "module arbitrage or mev"],
    ["mev, which has no outcomes", { module: "mev" }, "decisions of mev have no outcomes"],
    ["another library", { model: "sklearn" }, "model xgb or lgbm or torch"],
    ["a start that is no time", { range: { start: "yesterday", end: "2026-11-10" } }, "range.start as an ISO 8601"],
    ["a day that there is none of", { range: { start: "2026-11-01", end: "2026-13-40" } }, "range.end"],
    ["an empty range", { range: { start: "2026-11-10", end: "2026-11-10" } }, "a range that starts before it ends"],
    ["a range of the future", { range: { start: "2026-12-10", end: "2026-12-11" } }, "before now"],
    ["another feature set", { features: { name: "mev-v1", include: [], exclude: [] } }, "feature set arb-v1"],
    ["a feature that is none", { features: { name: "", include: ["__proto__"], exclude: [] } }, "features of arb-v1"],
    [
      "no feature at all",
      { features: { name: "", include: ["hops"], exclude: ["hops"] } },
      "at least one feature, was",
    ],
    ["a depth out of range", { params: { ...GOOD.params, maxDepth: 13 } }, "maxDepth from 1 to 12"],
    [
      "more hidden layers than four",
      { model: "torch", params: { ...GOOD.params, maxDepth: 5 } },
      "maxDepth from 1 to 4",
    ],
    ["a rate that is no number", { params: { ...GOOD.params, learningRate: Number.NaN } }, "learningRate from"],
  ];
  test.each(refused)("refuses %s", (_, change, words) => {
    expect(() => checkRequest({ ...GOOD, ...change }, NOW_MS)).toThrow(words);
  });
});
