/**
 * What must hold before anything is started, so that a start that cannot work says why in one line and leaves nothing
 * behind.
 */
import { accessSync, constants, existsSync, mkdirSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { readJsonFile } from "#core/atomic-file.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { RunPaths } from "#core/paths.ts";
import type { OffReport, RunReport } from "#core/run-report.ts";
import { SUPERVISE_ERROR } from "./errors.ts";
import { CORES_TO_PIN_MIN } from "./placement/plan.ts";

type UrlKey =
  | "market.rpcUrl"
  | "market.grpcUrl"
  | "market.wsUrl"
  | "execute.blockEngineUrl"
  | "execute.blockEngineRegions"
  | "execute.tipFloorUrl";

/** A report older than this belongs to a supervisor that is gone. */
const REPORT_FRESH_MS = 5_000;

/** Throws a SandpiperError for the first thing that does not hold. */
export async function preflight(config: Config, paths: RunPaths): Promise<void> {
  checkMode(config);
  checkDataDir(config);
  checkFreeSpace(config);
  checkNotRunning(paths, Date.now());
  for (const [key, port] of portsOf(config)) await checkPort(key, port, config["gateway.host"]);
}

function checkMode(config: Config): void {
  if (config.mode === "fork") checkUrl(config, "market.rpcUrl", "required");
  if (config.mode === "live") {
    checkUrl(config, "market.rpcUrl", "required");
    checkUrl(config, "execute.blockEngineUrl", "required");
    checkUrl(config, "execute.blockEngineRegions", "or empty");
    checkUrl(config, "execute.tipFloorUrl", "or empty");
    if (config["market.grpcUrl"] === "" && config["market.wsUrl"] === "")
      throw new SandpiperError(
        SUPERVISE_ERROR.mode,
        "Cannot start mode live: market.grpcUrl or market.wsUrl must be set, was neither",
      );
  }
  if (config.mode === "fork" || config.mode === "live")
    for (const key of ["market.grpcUrl", "market.wsUrl"] as const) checkUrl(config, key, "or empty");
  if (config.mode === "replay" && !existsSync(config["replay.path"]))
    throw new SandpiperError(
      SUPERVISE_ERROR.mode,
      `Cannot start a replay: replay.path must be a file or folder of recorded blocks, was ${JSON.stringify(config["replay.path"])}`,
    );
}

/** Says what is missing without saying what is there: an address may hold a key. */
function checkUrl(config: Config, key: UrlKey, need: "required" | "or empty"): void {
  const url = config[key];
  if (url === "" && need === "or empty") return;
  const [schemes, example] = key === "market.wsUrl" ? [["ws:", "wss:"], "wss://…"] : [["http:", "https:"], "https://…"];
  const urls = key === "execute.blockEngineRegions" ? url.split(",").map((one) => one.trim()) : [url];
  if (urls.every((one) => URL.canParse(one) && schemes.includes(new URL(one).protocol))) return;
  const was = url === "" ? "empty" : "another text";
  throw new SandpiperError(
    SUPERVISE_ERROR.mode,
    `Cannot start mode ${config.mode}: ${key} must be an address like ${example}, was ${was}`,
  );
}

function checkDataDir(config: Config): void {
  try {
    mkdirSync(config.dataDir, { recursive: true });
    accessSync(config.dataDir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new SandpiperError(
      SUPERVISE_ERROR.dataDir,
      `Cannot use the data folder ${config.dataDir}: a folder that can be written, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}

/** MiB that an ordinary user may still write under the folder. */
export function freeMiB(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return Math.floor((bavail * bsize) / 2 ** 20);
}

function checkFreeSpace(config: Config): void {
  const free = freeMiB(config.dataDir);
  if (free < config["data.freeMiBMin"])
    throw new SandpiperError(
      SUPERVISE_ERROR.freeSpace,
      `Cannot start on ${config.dataDir}: at least ${config["data.freeMiBMin"]} MiB must be free (data.freeMiBMin), was ${free} MiB`,
    );
}

function checkNotRunning(paths: RunPaths, nowMs: number): void {
  const report = readJsonFile(paths.runReport) as RunReport | undefined;
  const pid = report?.processes?.find((one) => one.name === "supervisor")?.pid;
  if (report === undefined || pid === undefined || nowMs - report.updatedAtMs > REPORT_FRESH_MS) return;
  if (pid !== process.pid && existsSync(`/proc/${pid}`))
    throw new SandpiperError(
      SUPERVISE_ERROR.alreadyRunning,
      `Cannot start on this data folder: one supervisor at a time, was already running as pid ${pid}`,
    );
}

function portsOf(config: Config): [key: string, port: number][] {
  const keys = ["gateway.port", "clickhouse.port"] as const;
  const simKeys = ["sim.rpcPort", "sim.wsPort", "sim.blockEnginePort"] as const;
  return (config.mode === "sim" || config.mode === "fork" ? [...keys, ...simKeys] : [...keys]).map((key) => [
    key,
    config[key],
  ]);
}

function checkPort(key: string, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause) =>
      reject(
        new SandpiperError(
          SUPERVISE_ERROR.port,
          `Cannot start: ${key} must be a free TCP port, was ${port} (${(cause as NodeJS.ErrnoException).code ?? errorText(cause)})`,
          "never",
          { cause },
        ),
      ),
    );
    probe.listen({ port, host: key === "gateway.port" ? host : "127.0.0.1", exclusive: true }, () =>
      probe.close(() => resolve()),
    );
  });
}

/** The parts that this start leaves off, and why. */
export function partsOff(config: Pick<Config, "bus.engine">): OffReport[] {
  const cores = availableParallelism();
  const off: OffReport[] = [];
  if (config["bus.engine"] === "embedded")
    off.push({ part: "Kafka", why: "not configured: the embedded bus carries everything" });
  if (cores < CORES_TO_PIN_MIN)
    off.push({
      part: "core pinning",
      why: `${cores} cores: all threads share and wait; with ${CORES_TO_PIN_MIN} or more the hot thread gets one of its own`,
    });
  return off;
}
