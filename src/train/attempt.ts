/**
 * One attempt at a job, from rows to a shadow version:
 *
 *   packages ─▸ rows from the tables ─▸ fit (training/fit_model.py) ─▸ is it any good ─▸ export and build (abi/, CMake,
 *   parity with its trainer) ─▸ the gates that every agent asks too ─▸ the models folder ─▸ the symlink of the shadow
 *
 * Everything before the models folder happens in a folder of the attempt's own, so an attempt that ends anywhere, by
 * whatever, has published nothing; and in the models folder a version counts when its manifest stands, which comes last.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { FEATURES } from "#model/features.ts";
import { passGates } from "#model/gates.ts";
import { addVersion, flip, hashOf } from "#model/models-folder.ts";
import type { Store } from "#store/client.ts";
import { readDataset, writeDataset } from "./dataset.ts";
import { TRAIN_ERROR } from "./errors.ts";
import type { TrainingJob, TrainLibrary } from "./job.ts";
import { ensureTorchPython, ensureTrainingPython } from "./python.ts";
import { type Metrics, metricsOf, refuseBadMetrics } from "./verdict.ts";
import { runWorker, type WorkerOptions } from "./worker.ts";

export type AttemptParts = {
  readonly store: Pick<Store, "query">;
  readonly modelsDir: string;
  /** Where Python's environment is made. */
  readonly pythonDir: string;
  /** A Python that has torch and numpy, for torch jobs; empty: an environment of its own under pythonDir. */
  readonly torchPython: string;
  /** Folders of the Python and of the C sources. */
  readonly trainingDir: string;
  readonly abiDir: string;
  readonly mode: string;
  readonly rowsMin: number;
  readonly nowMs: () => number;
};

/** How far it is (0..1) and what it does. */
export type Tell = (progressShare: number, message: string) => void;

/** As fit_model.py names them. */
const MODEL_FILE: Readonly<Record<TrainLibrary, string>> = {
  xgb: "model.json",
  lgbm: "model.txt",
  torch: "model.pt",
};

const FIT_FROM = 0.1;
const FIT_TO = 0.7;

/** Answers the hash of the version that is the shadow from then on. Throws a SandpiperError with the reason. */
export async function attemptJob(
  job: TrainingJob,
  folder: string,
  parts: AttemptParts,
  { tell, signal }: { readonly tell: Tell; readonly signal: AbortSignal },
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  try {
    const gpu = job.plan.gpu ? "a gpu was asked for, models are fitted on the CPU here; " : "";
    const torch = job.plan.library === "torch";
    tell(
      0,
      `${gpu}installing the pinned packages, once${torch && parts.torchPython === "" ? "; torch is 2.4 GB" : ""}`,
    );
    const { pythonDir, trainingDir, torchPython } = parts;
    const ensured = torch
      ? ensureTorchPython(pythonDir, trainingDir, torchPython)
      : ensureTrainingPython(pythonDir, trainingDir);
    const python = await unlessAborted(ensured, signal);
    tell(0.05, `${gpu}reading the rows`);
    const dataset = await readDataset(parts.store, job.plan, parts);
    writeDataset(folder, dataset);
    signal.throwIfAborted();
    const { fit, tune, judge, leftOut } = dataset;
    const counts = `${fit.length} rows to fit, ${tune.length} to tune, ${judge.length} to judge, ${leftOut} left out`;
    const worker = { python, trainingDir, cwd: folder, signal };
    const model = await fitModel(job, folder, worker, (share, words) => tell(share, `${gpu}${counts}; ${words}`));
    const metrics = metricsOf(join(folder, "metrics.json"));
    refuseBadMetrics(metrics);
    tell(FIT_TO, `${gpu}${counts}; building the library and comparing it with its trainer`);
    const built = await build(job, model, folder, parts, worker);
    tell(0.95, `${gpu}asking the gates`);
    return await publish(job, built, metrics, fit.length, parts, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fitModel(job: TrainingJob, folder: string, worker: WorkerOptions, tell: Tell): Promise<string> {
  const { library, features, maxDepth, trees, learningRate } = job.plan;
  const names = FEATURES.map(({ name }) => name);
  const plan = { library, features: names, used: features, maxDepth, trees, learningRate };
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  const rounds = library === "torch" ? "passes over the rows" : "trees";
  tell(FIT_FROM, `fitting up to ${trees} ${rounds}`);
  await runWorker([worker.python.python, join(worker.trainingDir, "fit_model.py"), folder], {
    ...worker,
    onLine: (line) => {
      const { done = 0, of = 1 } = JSON.parse(line) as { done?: number; of?: number };
      tell(FIT_FROM + (FIT_TO - FIT_FROM) * (done / of), `fitted ${done} of up to ${of} ${rounds}`);
    },
  });
  return join(folder, MODEL_FILE[library]);
}

type Built = { readonly library: string; readonly golden: string; readonly compiledBy: string };

/** The CMake workflow of abi/, which names nothing before the parity test has passed. */
async function build(
  { plan }: TrainingJob,
  model: string,
  folder: string,
  { abiDir }: AttemptParts,
  worker: WorkerOptions,
): Promise<Built> {
  const out = join(folder, "out");
  const environment = { MODEL: model, MODEL_OUT: out, MODEL_KIND: plan.kind, PYTHON: worker.python.python };
  const said = await runWorker(["cmake", "--workflow", "--preset", "model"], { ...worker, cwd: abiDir, environment });
  const named = (end: string) => join(out, readdirSync(out).find((name) => name.endsWith(end)) ?? "");
  const compiler = /The C compiler identification is (.+)/.exec(said)?.[1] ?? "unknown";
  return { library: named(".so"), golden: named(".golden.csv"), compiledBy: compiler };
}

async function publish(
  job: TrainingJob,
  { library, golden, compiledBy }: Built,
  metrics: Metrics,
  rows: number,
  { modelsDir, nowMs }: AttemptParts,
  signal: AbortSignal,
): Promise<string> {
  const { kind, startMs, endMs, features, library: trainer } = job.plan;
  const { parity, latencyNsP50 } = await passGates(library, kind);
  signal.throwIfAborted();
  const largest = Math.max(0, ...parity.map((one) => one.largest));
  const hash = hashOf(readFileSync(library));
  addVersion(
    modelsDir,
    kind,
    { library, golden },
    {
      ...{
        compiledBy,
        madeAtMs: nowMs(),
        askedBy: job.askedBy,
        jobId: job.id,
        trainer,
        features,
        metrics,
        latencyNsP50,
      },
      trainedOn: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString(), rows },
      parity: { rows: parity[0]?.rows ?? 0, largest },
    },
  );
  flip(modelsDir, kind, "shadow", hash, {
    ...{ action: "shadow", by: job.askedBy, why: `training job ${job.id}`, atMs: nowMs() },
  });
  return hash;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const cancelled = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => cancelled.reject(signal.reason));
  return Promise.race([work, cancelled.promise]);
}

/** What an attempt is aborted with when somebody cancels the job. */
export const cancelledError = (by: string): SandpiperError =>
  new SandpiperError(TRAIN_ERROR.cancelled, `cancelled by ${by === "" ? "somebody" : by}`);
