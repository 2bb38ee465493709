/**
 * What a model library must pass before it may decide: asked in a child process, so that a bad one cannot hurt whoever
 * asks. Used by whoever publishes a version and again by every agent that is told to use it.
 */
import { readFileSync } from "node:fs";
import { SandpiperError } from "#core/error.ts";
import { type ModelReport, tryModelLibrary } from "#ffi/model-library.ts";
import { PARITY_MAX } from "#ffi/model-trial.ts";
import { MODEL_ERROR } from "./errors.ts";
import { FEATURES } from "./features.ts";
import { goldenOf, hashInName, hashOf, type ModelKind, manifestOf } from "./models-folder.ts";

/** ns of one row at the median, on a busy machine; the models that we make take 1 to 10 µs. */
const LATENCY_NS_MAX = 200_000;
/** Fewer golden rows prove nothing. */
const GOLDEN_ROWS_MIN = 100;

/** Rejects with a SandpiperError that says which gate refused; resolves with what was seen. */
export async function passGates(path: string, kind: ModelKind): Promise<ModelReport> {
  const hash = hashInName(path);
  const bytes = hashOf(readFileSync(path));
  if (hash !== bytes) refuse(path, `bytes of the hash in its name, ${hash ?? "none"}`, bytes);
  const golden = goldenOf(path);
  const isDefault = manifestOf(path)?.sourceHash !== undefined;
  if (golden === undefined && !isDefault) refuse(path, "golden rows beside it", "none");
  const entry = `predict_${kind}` as const;
  const report = await tryModelLibrary(path, [entry], golden);
  if (!report.has.includes(entry))
    refuse(path, `a table of ABI version 1 with ${entry}`, report.has.join(", ") || "none");
  if (report.featureCount !== FEATURES.length) refuse(path, `${FEATURES.length} features`, report.featureCount);
  if (!(report.defaultThreshold >= 0 && report.defaultThreshold <= 1))
    refuse(path, "a default threshold from 0 to 1", report.defaultThreshold);
  for (const { name, differing, largest } of report.parity)
    if (differing > 0)
      refuse(path, `its golden rows within ${PARITY_MAX}`, `${largest} in ${name}, ${differing} rows differ`);
  if (golden !== undefined && report.rows < GOLDEN_ROWS_MIN)
    refuse(path, `at least ${GOLDEN_ROWS_MIN} golden rows`, report.rows);
  if (report.latencyNsP50 > LATENCY_NS_MAX)
    refuse(path, `a row within ${LATENCY_NS_MAX} ns at the median`, report.latencyNsP50);
  return report;
}

function refuse(path: string, want: string, was: string | number): never {
  throw new SandpiperError(MODEL_ERROR.gate, `Cannot use model ${path}: ${want}, was ${was}`);
}
