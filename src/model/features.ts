/**
 * What the arbitrage model is told about one opportunity, in order: feature set "arb-v1". The order, the units and the
 * ranges are the contract with every model library and every recorded decision; a change makes a new set.
 *
 * The hot thread fills the row once per opportunity (`fillFeatures`) and then rewrites only the tip features for each
 * rung of the tip ladder (`setTipFeatures`). Neither allocates. Every value is clamped into its range and never NaN.
 */

export const FEATURE_SET = "arb-v1";

export type Feature = {
  readonly name: string;
  readonly unit: string;
  /** Where the value comes from. */
  readonly source: string;
  readonly low: number;
  readonly high: number;
  /** Depends on the tip: rewritten for each rung of the ladder. */
  readonly tipped: boolean;
};

const feature = (name: string, unit: string, low: number, high: number, source: string, tipped = false): Feature => ({
  name,
  unit,
  source,
  low,
  high,
  tipped,
});

export const FEATURES = [
  feature("gross_log10", "log10 lamports", 0, 15, "exact output minus input of the cycle"),
  feature("input_log10", "log10 lamports", 0, 15, "what the cycle puts in"),
  feature("margin_bps", "basis points", 0, 10_000, "gross over input"),
  feature("hops", "pools", 2, 4, "length of the cycle"),
  feature("input_share_max", "share", 0, 1, "largest of each hop's input over that pool's reserve of the same token"),
  feature("fee_bps_sum", "basis points", 0, 2_000, "trade fees of all hops together"),
  feature(
    "reserve_min_log10",
    "log10 lamports",
    0,
    18,
    "smallest base-token reserve of the pools that hold it; 0 unknown",
  ),
  feature("event_age_ms", "ms", 0, 10_000, "decision minus the market event it is made on"),
  feature("slot_progress", "share", 0, 1, "how much of the slot has passed at the decision"),
  feature("recent_tip_log10", "log10 lamports", 0, 12, "median tip of the bundles that landed lately; 0 unknown"),
  feature("recent_landed_share", "share", 0, 1, "of the own bundles sent lately, those that landed"),
  feature("recent_outbid_share", "share", 0, 1, "of the own bundles sent lately, those that a rival outbid"),
  feature("tip_log10", "log10 lamports", 0, 12, "the tip in question", true),
  feature("tip_share", "share", 0, 1, "the tip over gross", true),
  feature(
    "tip_over_recent_log10",
    "log10 ratio",
    -4,
    4,
    "the tip over the recent median; 0 when that is unknown",
    true,
  ),
] as const satisfies readonly Feature[];

/** What the caller knows about an opportunity. One object, made once, reused for ever. */
export type FeatureInput = {
  grossLamports: number;
  inputLamports: number;
  hops: number;
  inputShareMax: number;
  feeBpsSum: number;
  /** 0 when unknown. */
  reserveMinLamports: number;
  eventAgeMs: number;
  slotProgress: number;
  /** 0 when nothing has landed yet. */
  recentTipMedianLamports: number;
  recentLandedShare: number;
  recentOutbidShare: number;
};

/** How many values a record keeps of an input. */
export const FEATURE_INPUTS = 11;

/** Writes an input's values as a record keeps them, FEATURE_INPUTS from `at` on. */
export function writeFeatureInput(out: Float64Array, at: number, input: FeatureInput): void {
  out[at] = input.grossLamports;
  out[at + 1] = input.inputLamports;
  out[at + 2] = input.hops;
  out[at + 3] = input.inputShareMax;
  out[at + 4] = input.feeBpsSum;
  out[at + 5] = input.reserveMinLamports;
  out[at + 6] = input.eventAgeMs;
  out[at + 7] = input.slotProgress;
  out[at + 8] = input.recentTipMedianLamports;
  out[at + 9] = input.recentLandedShare;
  out[at + 10] = input.recentOutbidShare;
}

/** The input that a record's values were, or undefined when it is of another feature set. */
export function featureInputOf(values: readonly number[]): FeatureInput | undefined {
  if (values.length !== FEATURE_INPUTS) return undefined;
  const at = (i: number) => values[i] as number;
  return {
    grossLamports: at(0),
    inputLamports: at(1),
    hops: at(2),
    inputShareMax: at(3),
    feeBpsSum: at(4),
    reserveMinLamports: at(5),
    eventAgeMs: at(6),
    slotProgress: at(7),
    recentTipMedianLamports: at(8),
    recentLandedShare: at(9),
    recentOutbidShare: at(10),
  };
}

/** An input with the values of an agent that has sent nothing yet. */
export function createFeatureInput(): FeatureInput {
  return {
    grossLamports: 0,
    inputLamports: 0,
    hops: 2,
    inputShareMax: 0,
    feeBpsSum: 0,
    reserveMinLamports: 0,
    eventAgeMs: 0,
    slotProgress: 0,
    recentTipMedianLamports: 0,
    recentLandedShare: 0.5,
    recentOutbidShare: 0,
  };
}

/** A row for the model, on memory that does not move (design.md, section 7). */
export function createFeatureRow(): Float32Array<ArrayBuffer> {
  return new Float32Array(new ArrayBuffer(FEATURES.length * 4));
}

/** Fills the whole row, as for no tip: what an earlier opportunity left in the tipped features is gone. */
export function fillFeatures(out: Float32Array, input: FeatureInput): void {
  out[0] = clamp(log10OrZero(input.grossLamports), 0, 15);
  out[1] = clamp(log10OrZero(input.inputLamports), 0, 15);
  out[2] = clamp(input.inputLamports > 0 ? (input.grossLamports / input.inputLamports) * 10_000 : 0, 0, 10_000);
  out[3] = clamp(input.hops, 2, 4);
  out[4] = clamp(input.inputShareMax, 0, 1);
  out[5] = clamp(input.feeBpsSum, 0, 2_000);
  out[6] = clamp(log10OrZero(input.reserveMinLamports), 0, 18);
  out[7] = clamp(input.eventAgeMs, 0, 10_000);
  out[8] = clamp(input.slotProgress, 0, 1);
  out[9] = clamp(log10OrZero(input.recentTipMedianLamports), 0, 12);
  out[10] = clamp(input.recentLandedShare, 0, 1);
  out[11] = clamp(input.recentOutbidShare, 0, 1);
  out[12] = 0;
  out[13] = 0;
  out[14] = 0;
}

/** Rewrites the tipped features for one tip; `input` as it was for `fillFeatures`. */
export function setTipFeatures(out: Float32Array, tipLamports: number, input: FeatureInput): void {
  const recent = input.recentTipMedianLamports;
  out[12] = clamp(log10OrZero(tipLamports), 0, 12);
  out[13] = clamp(input.grossLamports > 0 ? tipLamports / input.grossLamports : 1, 0, 1);
  out[14] = clamp(recent > 0 ? log10OrZero(tipLamports) - log10OrZero(recent) : 0, -4, 4);
}

const log10OrZero = (value: number): number => (value > 1 ? Math.log10(value) : 0);

/** NaN becomes `low`. */
const clamp = (value: number, low: number, high: number): number => (value > low ? Math.min(value, high) : low);
