/**
 * Writes default_model_tables.h: the forest of the default model, fitted by least-squares boosting to the prior below.
 * `bun abi/generate-default-model.ts` repeats it; the same seed gives the same bytes, and a test compares them.
 *
 * The prior is an opinion, written down: until an agent has data of its own, the chance to land is a logistic function
 * that rises with the tip, against what landed lately and against the gross profit (a rich cycle draws rivals who bid a
 * share of it), and falls with the age of the event, the end of the slot, longer cycles and recent defeats.
 *
 * Fitted with monotone constraints (a split may only order its children the allowed way, and everything below stays
 * on its side of the middle), so "a higher tip never lowers the score" is exact and not a tendency of the fit.
 */

import { type Random, seededRandom } from "#core/random.ts";
import {
  createFeatureInput,
  createFeatureRow,
  FEATURE_SET,
  FEATURES,
  fillFeatures,
  setTipFeatures,
} from "#model/features.ts";

const SEED = "default-model-1";
const SAMPLES = 8_192;
const TREES = 60;
const DEPTH = 4;
const LEARNING_RATE = 0.35;
const BINS = 32;
const LEAF_SAMPLES_MIN = 32;
/** Below this chance an opportunity is not worth a bundle, whatever the expected value says. */
const THRESHOLD = 0.05;
const NODES = 2 ** DEPTH - 1;

/** +1: the score may only rise with the feature; -1: only fall. The others are free. */
const MONOTONE: Readonly<Record<string, 1 | -1>> = {
  tip_log10: 1,
  tip_share: 1,
  tip_over_recent_log10: 1,
  event_age_ms: -1,
  recent_outbid_share: -1,
  recent_landed_share: 1,
};

type Sample = { readonly row: Float32Array; readonly target: number };
type Tree = { readonly features: number[]; readonly thresholds: number[]; readonly leaves: number[] };
type Bounds = { readonly low: number; readonly high: number };
type Split = { readonly feature: number; readonly threshold: number; readonly gain: number; readonly middle: number };

/** The text of default_model_tables.h. */
export function generateTables(): string {
  const random = seededRandom(SEED);
  const samples = Array.from({ length: SAMPLES }, () => drawSample(random));
  const thresholds = FEATURES.map((_, feature) => binEdges(samples, feature));
  const base = rounded(samples.reduce((sum, sample) => sum + sample.target, 0) / SAMPLES);
  const scores = new Float64Array(SAMPLES).fill(base);
  const trees: Tree[] = [];
  for (let t = 0; t < TREES; t++) {
    const residuals = samples.map((sample, i) => sample.target - (scores[i] as number));
    const tree = fitTree(samples, residuals, thresholds);
    trees.push(tree);
    samples.forEach((sample, i) => {
      scores[i] = (scores[i] as number) + leafOf(tree, sample.row);
    });
  }
  const squares = samples.reduce((sum, sample, i) => sum + (sample.target - (scores[i] as number)) ** 2, 0);
  return tablesText(base, trees, Math.sqrt(squares / SAMPLES));
}

/** The chance to land that the forest is fitted to, from a feature row. */
export function priorOf(row: Float32Array): number {
  const at = (name: (typeof FEATURES)[number]["name"]) => row[FEATURES.findIndex((f) => f.name === name)] as number;
  const logit =
    0.6 +
    2.4 * at("tip_over_recent_log10") +
    4 * (at("tip_share") - 0.1) +
    0.15 * (at("tip_log10") - 5) -
    0.4 * (at("gross_log10") - 6.5) -
    0.8 * Math.min(4, at("event_age_ms") / 400) -
    (at("slot_progress") > 0.8 ? 0.5 : 0) -
    0.25 * (at("hops") - 2) -
    1.5 * at("input_share_max") -
    1.5 * at("recent_outbid_share") +
    1.2 * (at("recent_landed_share") - 0.5);
  return 0.02 + 0.96 / (1 + Math.exp(-logit));
}

/** An opportunity and a tip as they come in practice: tips near the recent median or a share of the gross. */
function drawSample(random: Random): Sample {
  const input = createFeatureInput();
  const between = (low: number, high: number) => low + random.unit() * (high - low);
  input.grossLamports = 10 ** between(4, 9.5);
  input.inputLamports = input.grossLamports * 10 ** between(0.5, 4);
  input.hops = random.between(2, 5);
  input.inputShareMax = random.unit() ** 2;
  input.feeBpsSum = input.hops * random.pick([1, 5, 25, 30, 100]);
  input.reserveMinLamports = random.unit() < 0.1 ? 0 : 10 ** between(9, 15);
  input.eventAgeMs = 10 ** between(-1, 3.5);
  input.slotProgress = random.unit();
  input.recentTipMedianLamports = random.unit() < 0.15 ? 0 : 10 ** between(3.5, 8);
  input.recentLandedShare = random.unit();
  input.recentOutbidShare = random.unit() * (1 - input.recentLandedShare);
  const tipLamports =
    random.unit() < 0.5 || input.recentTipMedianLamports === 0
      ? input.grossLamports * random.unit()
      : input.recentTipMedianLamports * 10 ** between(-2, 2);
  const row = createFeatureRow();
  fillFeatures(row, input);
  setTipFeatures(row, tipLamports, input);
  return { row, target: priorOf(row) };
}

/** Candidate thresholds of one feature: the sample's quantiles, rounded so that they print exactly. */
function binEdges(samples: readonly Sample[], feature: number): number[] {
  const sorted = Float64Array.from(samples, (sample) => sample.row[feature] as number).sort();
  const edges = new Set<number>();
  for (let bin = 1; bin < BINS; bin++) edges.add(rounded(sorted[Math.floor((bin * sorted.length) / BINS)] as number));
  return [...edges].filter((edge) => edge > (sorted[0] as number)).sort((a, b) => a - b);
}

function fitTree(samples: readonly Sample[], residuals: readonly number[], thresholds: readonly number[][]): Tree {
  const tree: Tree = {
    features: new Array<number>(NODES).fill(0),
    // A node that is not split sends every row left: no value reaches this threshold.
    thresholds: new Array<number>(NODES).fill(1e30),
    leaves: new Array<number>(NODES + 1).fill(0),
  };
  const grow = (node: number, members: readonly number[], bounds: Bounds) => {
    const mean = members.reduce((sum, i) => sum + (residuals[i] as number), 0) / Math.max(1, members.length);
    if (node >= NODES) {
      tree.leaves[node - NODES] = rounded(LEARNING_RATE * Math.min(bounds.high, Math.max(bounds.low, mean)));
      return;
    }
    const split = bestSplit(samples, residuals, members, thresholds, bounds);
    if (split === undefined) {
      grow(2 * node + 1, members, bounds);
      return;
    }
    tree.features[node] = split.feature;
    tree.thresholds[node] = split.threshold;
    const isRight = (i: number) => (samples[i]?.row[split.feature] as number) >= split.threshold;
    const direction = directionOf(split.feature);
    const below: Bounds = { low: bounds.low, high: split.middle };
    const above: Bounds = { low: split.middle, high: bounds.high };
    grow(
      2 * node + 1,
      members.filter((i) => !isRight(i)),
      direction === 0 ? bounds : direction > 0 ? below : above,
    );
    grow(2 * node + 2, members.filter(isRight), direction === 0 ? bounds : direction > 0 ? above : below);
  };
  grow(
    0,
    residuals.map((_, i) => i),
    { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  );
  return tree;
}

/** The split that takes the most squared error out of these members without breaking a monotone order. */
function bestSplit(
  samples: readonly Sample[],
  residuals: readonly number[],
  members: readonly number[],
  thresholds: readonly number[][],
  bounds: Bounds,
): Split | undefined {
  let best: Split | undefined;
  for (let feature = 0; feature < FEATURES.length; feature++) {
    const edges = thresholds[feature] as number[];
    const { counts, sums } = binned(samples, residuals, members, feature, edges);
    const count = members.length;
    const sum = sums.reduce((total, value) => total + value, 0);
    const unsplit = taken(sum, count, clamped(sum / count, bounds));
    let leftCount = 0;
    let leftSum = 0;
    for (let edge = 0; edge < edges.length; edge++) {
      leftCount += counts[edge] as number;
      leftSum += sums[edge] as number;
      const rightCount = count - leftCount;
      if (leftCount < LEAF_SAMPLES_MIN || rightCount < LEAF_SAMPLES_MIN) continue;
      const left = clamped(leftSum / leftCount, bounds);
      const right = clamped((sum - leftSum) / rightCount, bounds);
      if (directionOf(feature) * (right - left) < 0) continue;
      const gain = taken(leftSum, leftCount, left) + taken(sum - leftSum, rightCount, right) - unsplit;
      if (gain > (best?.gain ?? 1e-9))
        best = { feature, threshold: edges[edge] as number, gain, middle: (left + right) / 2 };
    }
  }
  return best;
}

/** Per bin between two edges: how many members fall there and the sum of their residuals. */
function binned(
  samples: readonly Sample[],
  residuals: readonly number[],
  members: readonly number[],
  feature: number,
  edges: readonly number[],
) {
  const counts = new Float64Array(edges.length + 1);
  const sums = new Float64Array(edges.length + 1);
  for (const i of members) {
    const value = samples[i]?.row[feature] as number;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value >= (edges[middle] as number)) low = middle + 1;
      else high = middle;
    }
    counts[low] = (counts[low] as number) + 1;
    sums[low] = (sums[low] as number) + (residuals[i] as number);
  }
  return { counts, sums };
}

function leafOf(tree: Tree, row: Float32Array): number {
  let node = 0;
  while (node < NODES) {
    const right = (row[tree.features[node] as number] as number) >= (tree.thresholds[node] as number);
    node = 2 * node + (right ? 2 : 1);
  }
  return tree.leaves[node - NODES] as number;
}

/** How much squared error a constant takes out of members with this sum of residuals. */
const taken = (sum: number, count: number, constant: number) => 2 * sum * constant - count * constant ** 2;
const directionOf = (feature: number): number => MONOTONE[FEATURES[feature]?.name ?? ""] ?? 0;
const clamped = (value: number, bounds: Bounds) => Math.min(bounds.high, Math.max(bounds.low, value));
/** To a multiple of 2^-20: exact as a float and as printed. */
const rounded = (value: number): number => Math.round(value * 2 ** 20) / 2 ** 20;

function tablesText(base: number, trees: readonly Tree[], deviation: number): string {
  const floats = (values: readonly number[]) => values.map((v) => `${v.toExponential()}f`).join(", ");
  const rows = (of: (tree: Tree) => string) => trees.map((tree) => `    {${of(tree)}},`).join("\n");
  return [
    "/* Generated by generate-default-model.ts; do not edit. */",
    `/* Feature set ${FEATURE_SET}; root mean square distance from the prior ${deviation.toFixed(4)}. */`,
    ...FEATURES.map((f, i) => `/* ${String(i).padStart(2)} ${f.name}, ${f.unit} */`),
    `#define MODEL_FEATURES ${FEATURES.length}`,
    `#define MODEL_TREES ${trees.length}`,
    `#define MODEL_DEPTH ${DEPTH}`,
    `#define MODEL_THRESHOLD ${THRESHOLD}f`,
    `#define MODEL_BASE ${base.toExponential()}f`,
    `static const unsigned char model_split_feature[MODEL_TREES][${NODES}] = {`,
    rows((tree) => tree.features.join(", ")),
    "};",
    `static const float model_split_threshold[MODEL_TREES][${NODES}] = {`,
    rows((tree) => floats(tree.thresholds)),
    "};",
    `static const float model_leaf[MODEL_TREES][${NODES + 1}] = {`,
    rows((tree) => floats(tree.leaves)),
    "};",
    "",
  ].join("\n");
}

if (import.meta.main) await Bun.write(new URL("default_model_tables.h", import.meta.url), generateTables());
