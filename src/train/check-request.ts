/** What a request must say to become a job: asked once at the API's door and once where it comes from the bus. */
import { SandpiperError } from "#core/error.ts";
import { FEATURE_SET, FEATURES } from "#model/features.ts";
import type { TrainRequest } from "#wire/train-request.ts";
import { TRAIN_ERROR } from "./errors.ts";
import { JOB_ID, type JobPlan } from "./job.ts";

const MODULES = ["arbitrage", "mev"];
const LIBRARIES = ["xgb", "lgbm", "torch"] as const;

type Limits = Readonly<
  Record<"maxDepth" | "nEstimators" | "learningRate", readonly [low: number, high: number, usual: number]>
>;
const TREES: Limits = { maxDepth: [1, 12, 5], nEstimators: [1, 2_000, 200], learningRate: [0.001, 1, 0.1] };
/** The same words for a network: hidden layers, passes over the rows, Adam's step. */
const NETWORK: Limits = { maxDepth: [1, 4, 2], nEstimators: [1, 2_000, 200], learningRate: [0.0001, 0.1, 0.002] };

const FEATURE_NAMES: readonly string[] = FEATURES.map(({ name }) => name);
const ISO_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Throws a SandpiperError that says what must hold. `nowMs` ends a range that reaches into the future. */
export function checkRequest(request: TrainRequest, nowMs: number): JobPlan {
  const { jobId, module, range, features, model, params } = request;
  if (!JOB_ID.test(jobId)) refuse(`a job id of the form ${JOB_ID.source}`, jobId);
  if (!MODULES.includes(module)) refuse("module arbitrage or mev", module);
  const library = LIBRARIES.find((name) => name === model) ?? refuse(`model ${LIBRARIES.join(" or ")}`, model);
  if (module === "mev")
    refuse(
      "module arbitrage: decisions of mev have no outcomes and no features on record, scripts/fit-mev-score.ts fits their score to labelled runs",
      module,
    );
  const startMs = timeOf("start", range.start);
  const endMs = Math.min(timeOf("end", range.end), nowMs);
  if (startMs >= endMs) refuse("a range that starts before it ends and before now", `${range.start} to ${range.end}`);
  const limits = library === "torch" ? NETWORK : TREES;
  return {
    ...{ kind: "arb", library, startMs, endMs },
    features: usedFeatures(features),
    maxDepth: within(limits, "maxDepth", params.maxDepth),
    trees: within(limits, "nEstimators", params.nEstimators),
    learningRate: within(limits, "learningRate", params.learningRate),
    gpu: params.gpu,
  };
}

/** All of the set, or those included, without those excluded. */
function usedFeatures({ name, include, exclude }: TrainRequest["features"]): string[] {
  if (name !== "" && name !== FEATURE_SET) refuse(`feature set ${FEATURE_SET}`, name);
  for (const one of [...include, ...exclude])
    if (!FEATURE_NAMES.includes(one)) refuse(`features of ${FEATURE_SET}: ${FEATURE_NAMES.join(", ")}`, one);
  const used = FEATURE_NAMES.filter((one) => (include.length === 0 || include.includes(one)) && !exclude.includes(one));
  return used.length > 0 ? used : refuse("at least one feature", "none");
}

function timeOf(which: string, text: string): number {
  const ms = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? refuse(`range.${which} as an ISO 8601 date or instant with its zone`, text) : ms;
}

function within(limits: Limits, name: keyof Limits, value: number): number {
  const [low, high, usual] = limits[name];
  const used = value === 0 ? usual : value;
  return used >= low && used <= high ? used : refuse(`${name} from ${low} to ${high}`, String(value));
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(TRAIN_ERROR.request, `Cannot train: ${want}, was ${JSON.stringify(was.slice(0, 100))}`);
}
