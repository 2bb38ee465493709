/**
 * `sandpiper train …`: training jobs of this data folder (training/README.md).
 *
 *   start LIBRARY START END [name=value …]   LIBRARY xgb, lgbm or torch, START and END ISO 8601; names: maxDepth, nEstimators,
 *                                            learningRate, gpu (yes), include and exclude (features, commas between)
 *   list                                     jobs, newest first
 *   cancel ID                                ends one that is not over
 */
import { openBus } from "#bus/open.ts";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { checkRequest } from "#train/check-request.ts";
import { askToCancel, readJobs } from "#train/job.ts";
import { encodeTrainRequest, type TrainRequest } from "#wire/train-request.ts";
import { CLI_ERROR } from "./errors.ts";

const NAMES = ["maxDepth", "nEstimators", "learningRate", "gpu", "include", "exclude"] as const;
type Write = (text: string) => void;

export async function runTrain(
  args: readonly string[],
  nowMs: number,
  write: Write = (text) => void process.stdout.write(`${text}\n`),
): Promise<number> {
  const flagsAt = args.findIndex((word) => word.startsWith("--"));
  const [verb = "list", ...words] = flagsAt < 0 ? args : args.slice(0, flagsAt);
  const config = await readConfigWithSecrets(flagsAt < 0 ? [] : args.slice(flagsAt), process.env);
  const paths = runPaths(config.dataDir);
  const who = `operator ${process.env["USER"] ?? ""}`.trim();
  if (verb === "start") {
    const request = requestOf(words, who, nowMs);
    checkRequest(request, nowMs);
    const log = createLog({ process: "train", level: "error", format: "text" });
    const bus = await openBus(config, paths, log, "train");
    await bus.publish("train-requests-proto", request.jobId, encodeTrainRequest(request));
    await bus.close();
    write(`asked for: ${request.jobId}`);
  } else if (verb === "list") {
    for (const { id, state, progressShare, plan, message } of readJobs(paths.training).reverse())
      write(
        `${id.padEnd(24)}${state.padEnd(11)}${`${Math.round(progressShare * 100)} %`.padEnd(7)}${plan.library.padEnd(6)}${message}`,
      );
  } else if (verb === "cancel") {
    const [id = ""] = words;
    if (!askToCancel(paths.training, id, who)) refuse("a job of the list that is not over", id);
    write(`asked to cancel: ${id}`);
  } else refuse("start, list or cancel", verb);
  return EXIT_CODE.ok;
}

function requestOf(words: readonly string[], issuer: string, nowMs: number): TrainRequest {
  const [model = "", start = "", end = "", ...settings] = words;
  const said = new Map<string, string>();
  for (const setting of settings) {
    const [name = "", value = ""] = setting.split("=");
    if (!NAMES.some((one) => one === name)) refuse(`settings of ${NAMES.join(", ")}`, setting);
    said.set(name, value);
  }
  const number = (name: (typeof NAMES)[number]) => Number(said.get(name) ?? "0");
  const list = (name: (typeof NAMES)[number]) => said.get(name)?.split(",") ?? [];
  return {
    ...{ jobId: `${nowMs.toString(36)}-${process.pid}`, module: "arbitrage", model, issuer, range: { start, end } },
    features: { name: "", include: list("include"), exclude: list("exclude") },
    params: {
      maxDepth: number("maxDepth"),
      nEstimators: number("nEstimators"),
      learningRate: number("learningRate"),
      gpu: said.get("gpu") === "yes",
    },
  };
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot run train: ${want}, was ${JSON.stringify(was)}`);
}
