/**
 * Models swapped under load: a loop predicts 20,000 rows a second while the symlink is flipped again and again between
 * versions that answer differently. A prediction is failed when it is no number, mixed when it is not what the version says
 * whose hash the model bears at that moment. From the flip to the first prediction of the new version; memory at every
 * tenth. Beside it, in the same run, the parts: the child process that tries each version, and opening it without that.
 *
 *   bun bench/hot-swap.ts [swaps = 1000] [predictions per second = 20000]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCompiler } from "#ffi/c-compiler.ts";
import { openTriedLibrary } from "#ffi/model-library.ts";
import { createFeatureRow } from "#model/features.ts";
import { passGates } from "#model/gates.ts";
import { LiveModel, openVersion } from "#model/live-model.ts";
import { findVersion, flip } from "#model/models-folder.ts";
import { addModel, compileModel } from "#model/test-models.ts";
import { machine, short, table } from "./report.ts";

const SWAPS = Number(process.argv[2] ?? 1_000);
const PER_SECOND = Number(process.argv[3] ?? 20_000);
const VERSIONS = 8;
const PARTS = 20;
const SLICE_MS = 1;
const MIB = 2 ** 20;

const compiler = findCompiler();
if (compiler === undefined) throw new Error("needs a C compiler");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-hot-swap-"));
const models = join(folder, "models");
const row = createFeatureRow();
row[0] = 0.5;
/** What each version must answer for that row. */
const answers = new Map<string, number>();
for (let i = 0; i < VERSIONS; i++) {
  const base = i / (2 * VERSIONS);
  const library = compileModel(folder, compiler, { body: `return ${base.toFixed(6)}f + 0.25f * x[0];` });
  answers.set(
    addModel(models, folder, library, (first) => base + 0.25 * first),
    Math.fround(base + 0.125),
  );
}
const hashes = [...answers.keys()];
const flipTo = (hash: string) =>
  flip(models, "arb", "latest", hash, { action: "promote", by: "bench", why: "", atMs: Date.now() });
const pathOf = (hash: string) => findVersion(models, "arb", hash) as string;

const first = hashes[0] as string;
flipTo(first);
const alarms: string[] = [];
const log = { info: () => undefined, error: (text: string) => void alarms.push(text) };
const model = new LiveModel(
  { modelsDir: models, kind: "arb", role: "latest", log },
  { path: pathOf(first), library: openVersion(pathOf(first), "arb") },
);
model.follow();

let [predictions, failed, mixed, longestGapMs] = [0, 0, 0, 0];
let running = true;
let live: { hash: string; seen: (atMs: number) => void } | undefined;

/** As many predictions as are due, then the event loop gets its turn, as in the agent. */
async function predict(): Promise<void> {
  const startedMs = performance.now();
  let lastMs = startedMs;
  while (running) {
    const nowMs = performance.now();
    longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
    lastMs = nowMs;
    const due = Math.floor(((nowMs - startedMs) * PER_SECOND) / 1_000);
    for (; predictions < due; predictions++) {
      const answer = model.predict(row);
      if (!(answer >= 0)) failed++;
      else if (answer !== answers.get(model.hash)) mixed++;
    }
    if (live !== undefined && model.hash === live.hash) live.seen(performance.now());
    await Bun.sleep(SLICE_MS);
  }
}

const working = predict();
const flips: number[] = [];
const memory: number[] = [];
for (let i = 1; i <= SWAPS; i++) {
  const hash = hashes[i % hashes.length] as string;
  const seen = Promise.withResolvers<number>();
  const flippedMs = performance.now();
  live = { hash, seen: seen.resolve };
  flipTo(hash);
  flips.push((await seen.promise) - flippedMs);
  live = undefined;
  if (i % Math.max(1, Math.round(SWAPS / 10)) === 0) memory.push(process.memoryUsage.rss() / MIB);
}
running = false;
await working;
model.close();

const tries: number[] = [];
const opens: number[] = [];
for (let i = 0; i < PARTS; i++) {
  const path = pathOf(hashes[i % hashes.length] as string);
  const atMs = performance.now();
  await passGates(path, "arb");
  const triedMs = performance.now();
  const library = openTriedLibrary(path, "predict_arb");
  library.predict(row);
  opens.push(performance.now() - triedMs);
  tries.push(triedMs - atMs);
  library.close();
}
rmSync(folder, { recursive: true });

const share = (values: readonly number[], part: number): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return short(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number);
};
const figures = (name: string, values: readonly number[]) => [
  name,
  String(values.length),
  ...[0.5, 0.9, 0.99, 1].map((part) => share(values, part)),
];
process.stdout.write(`${table(
  ["ms", "count", "p50", "p90", "p99", "max"],
  [
    figures("flip to live", flips),
    figures("of it: tried in a child process", tries),
    figures("of it: opened and called", opens),
  ],
)}

${model.stats().swaps} swaps, ${predictions} predictions: ${failed} failed, ${mixed} mixed; ${alarms.length} versions refused
longest pause of the loop ${short(longestGapMs)} ms; resident memory at every tenth, MiB: ${memory.map(short).join(" ")}
${machine()}
`);
process.exit(failed + mixed + alarms.length === 0 && model.stats().swaps === SWAPS ? 0 : 1);
