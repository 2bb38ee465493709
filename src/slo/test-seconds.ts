/** Seconds of an agent for the tests of this room. */
import { Histogram, HistogramReader } from "#memory/histogram.ts";
import type { Second } from "./windows.ts";

/** A view over the given durations, ms. */
function viewOf(durationsMs: readonly number[]) {
  const buffer = new ArrayBuffer(Histogram.bytes);
  const reader = new HistogramReader(buffer);
  const histogram = new Histogram(buffer);
  for (const ms of durationsMs) histogram.record(ms * 1e6);
  return reader.takeWindow();
}

const CALM_HOT_PATH = viewOf(Array(50).fill(0.4));
const CALM_SEND = viewOf(Array(10).fill(5));
const SLOW_HOT_PATH = viewOf(Array(50).fill(30));
const STUCK_HOT_PATH = viewOf(Array(50).fill(900));

/** A good second, with what is to differ. */
export const second = (differs: Partial<Second> = {}): Second => ({
  ...{ hotPath: CALM_HOT_PATH, send: CALM_SEND, settled: 10, landed: 9, lostTrades: 0, lostLamports: 0 },
  ...{ falseQuotesPct: 4, falseQuotesSamples: 25, marketLagMs: 100, chainLagMs: 200, clockStepMs: 0, clockErrorMs: 1 },
  ...differs,
});

export const SLOW = { hotPath: SLOW_HOT_PATH };
export const STUCK = { hotPath: STUCK_HOT_PATH };
