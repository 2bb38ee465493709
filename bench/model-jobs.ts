/**
 * One training job of each library on the same rows, from the API to the shadow version, and then decisions of each
 * promoted version made again from the record: how long, how good on rows behind those it was fitted on, how far the
 * library is from the trainer's own predictor, what a row costs.
 *
 *   bun bench/model-jobs.ts [rows = 24000] [decisions = 100] [torchPython = an environment of its own, 2.4 GB]
 */
import { statSync } from "node:fs";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { listVersions } from "#model/models-folder.ts";
import { readJob } from "#train/job.ts";
import { encodeEnvelope } from "#wire/envelope.ts";
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";
import { PYTHON_DIR } from "../test/support/training-python.ts";
import { trainingPairs } from "../test/support/training-rows.ts";
import { machine, table } from "./report.ts";

const ROWS = Number(process.argv[2] ?? 24_000);
const DECISIONS = Number(process.argv[3] ?? 100);
const TORCH_PYTHON = process.argv[4] ?? "";
const MAIN = `${import.meta.dir}/../src/cli/main.ts`;
const WAIT_MS_MAX = 1_800_000;
const PAIRS_PER_TURN = 2_000;

const flags = ["--training.pythonDir", PYTHON_DIR, "--training.torchPython", TORCH_PYTHON];
const run = await SupervisedRun.start(flags);
await run.allReady();
const endMs = Date.now() - 60_000;
const range = { startMs: endMs - 3_600_000, endMs };
const log = createLog({ process: "bench", level: "error", format: "text" });
const bus = openEmbeddedBus({ path: run.paths.bus, lingerMs: 1, retainMiB: 2_048, log });
const pairs = trainingPairs(ROWS, range);
for (let at = 0; at < ROWS; at += PAIRS_PER_TURN)
  await Promise.all(
    pairs
      .slice(at, at + PAIRS_PER_TURN)
      .flatMap(({ decision, outcome }) => [
        bus.publish("arbitrage-decisions-proto", "bench", encodeEnvelope(decision)),
        bus.publish("bundle-outcomes-proto", "bench", encodeEnvelope(outcome)),
      ]),
  );
await bus.close();
const count = async (from: string) =>
  Number((await run.store.query<{ n: string }>(`SELECT count() AS n FROM sandpiper.${from}`))[0]?.n);
const seeded = "bundle_outcomes_typed WHERE decision_id LIKE 'rows-%'";
await eventually(
  "the rows are on record",
  async () => ((await count(seeded)) === ROWS ? true : undefined),
  WAIT_MS_MAX,
);

const cli = (...words: string[]) => {
  const port = String(run.clickhousePort);
  const ran = Bun.spawnSync([process.execPath, MAIN, ...words, "--dataDir", run.dataDir, "--clickhouse.port", port]);
  return `${ran.stdout}${ran.stderr}`.trim();
};

const token = await run.signIn();
const asked = { start: new Date(range.startMs).toISOString(), end: new Date(range.endMs).toISOString() };
const rows: string[][] = [];
let failed = false;
for (const library of ["xgb", "lgbm", "torch"]) {
  const { id } = await run.post<{ id: string }>("/api/training/start", { kind: "arb", library, range: asked }, token);
  const job = await eventually(
    `the job for ${library} is over`,
    () => {
      const found = readJob(run.paths.training, id);
      return found === undefined || found.state === "queued" || found.state === "running" ? undefined : found;
    },
    WAIT_MS_MAX,
  );
  const version = listVersions(run.paths.models, "arb").find(({ hash }) => hash === job.modelHash);
  if (version === undefined) {
    process.stdout.write(`${library}: ${job.state}: ${job.message}\n`);
    failed = true;
    continue;
  }
  cli("models", "promote", version.hash);
  const decided = `arb_opportunities WHERE model_hash = '${version.hash}'`;
  await eventually(
    `${library} has decided often enough`,
    async () => ((await count(decided)) >= DECISIONS ? true : undefined),
    WAIT_MS_MAX,
  );
  const ids = await run.store.query<{ decision_id: string }>(
    `SELECT decision_id FROM sandpiper.${decided} ORDER BY rand() LIMIT {n:UInt32}`,
    { n: DECISIONS },
  );
  const equal = ids.filter((one) => cli("explain", one.decision_id).includes("equal bit for bit")).length;
  const { metrics = {}, parity, latencyNsP50 = 0 } = version.manifest;
  rows.push([
    ...[library, ((job.endedMs - job.startedMs) / 1_000).toFixed(0), String(version.manifest.trainedOn?.rows)],
    ...["logLoss", "calibratedLogLoss", "baseLogLoss", "auc"].map((name) => (metrics[name] ?? Number.NaN).toFixed(4)),
    ...[String(parity?.rows), parity?.largest.toExponential(2) ?? "-", String(Math.round(latencyNsP50))],
    ...[String(Math.round(statSync(version.path).size / 1_024)), `${equal} of ${ids.length}`],
  ]);
}
const heads = [
  "library",
  "job s",
  "rows fitted",
  "log loss",
  "by calibrate_tip",
  "knowing nothing",
  "auc",
  "golden rows",
];
process.stdout.write(
  `${table([...heads, "largest difference", "ns a row", "KiB", "explained equal"], rows)}\n\n${machine()}\n`,
);
await run.stop();
await run.discard();
process.exit(failed ? 1 : 0);
