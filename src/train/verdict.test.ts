/** What is not good enough to be built. */
import { expect, test } from "bun:test";
import { refuseBadMetrics } from "./verdict.ts";

const GOOD = { rows: 400, logLoss: 0.5, baseLogLoss: 0.69, calibrationGap: 0.14 };

test.each([
  ["a model that knows nothing", { logLoss: 0.69 }, "a log loss below the 0.6900"],
  ["one that is no number", { logLoss: Number.NaN }, "a log loss below"],
  ["scores that are not shares", { calibrationGap: 0.16 }, "scores within 0.150 of the shares that land, was 0.1600"],
])("refuseBadMetrics() refuses %s", (_, change, words) => {
  expect(() => refuseBadMetrics({ ...GOOD, ...change })).toThrow(words);
});

test("refuseBadMetrics() lets a better model pass, and a gap that chance makes of few rows", () => {
  refuseBadMetrics(GOOD);
  refuseBadMetrics({ ...GOOD, rows: 25, calibrationGap: 0.29 });
});
