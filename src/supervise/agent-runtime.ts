/**
 * The frame of every process of ours: reads the configuration, takes its place in the heartbeat table, dies with the
 * supervisor, turns SIGTERM into a clean stop with a deadline, and turns an error into one line and an exit code that
 * the supervisor understands. What the process is for stands in agents/<name>.ts.
 */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog, type Log } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { PROCESS_NAMES, type ProcessName } from "#core/run-report.ts";
import { openSecrets } from "#core/secrets/secrets.ts";
import { notifyService, watchdogEveryMs } from "#ffi/service-notify.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { dieWithParent, nameThread } from "#ffi/thread.ts";
import { HEARTBEAT_BYTES, Heartbeat } from "#memory/heartbeat.ts";
import { createRegion } from "#memory/region.ts";
import { ownPlace, type Place, placeHelpers, planOwnPlace, takePlace } from "./placement/take-place.ts";
import { isUnit } from "./service/unit-report.ts";

export type AgentContext = {
  readonly name: ProcessName;
  readonly config: Config;
  readonly paths: RunPaths;
  readonly log: Log;
  readonly clock: Clock;
  /** The run of the supervisor this process belongs to; a run of its own when started by hand. */
  readonly runId: string;
  /** Tells the supervisor that this process serves. */
  ready(): void;
  /**
   * A turn of the process's own loop was made. From the first call on only these are beats, so that a turn that does not
   * end shows as a stall, whatever else goes on in the process. A loop must turn every 20 ms, with or without work.
   */
  beat(): void;
  /** Ends the process at once with a code of core/exit-code.ts. */
  exit(code: number): never;
};

type Stop = () => Promise<void> | void;

/** The heartbeat of a process without a loop of its own. */
const BEAT_EVERY_MS = 50;
/** When the runtime's helper threads are placed again: after the start, and when the code is warm. */
const PLACE_AGAIN_MS = [2_000, 30_000] as const;
/** A stop that takes longer is cut off; the supervisor waits a little longer than this. */
const STOP_MS_MAX = 4_000;

/** Runs one process. `body` starts everything, calls `ready()` when it serves, and returns its stop function. */
export function runAgent(name: ProcessName, body: (agent: AgentContext) => Promise<Stop>): void {
  void start(name, body).catch((thrown: unknown) => fail(name, undefined, thrown));
}

async function start(name: ProcessName, body: (agent: AgentContext) => Promise<Stop>): Promise<void> {
  nameThread(name);
  const firstFlag = process.argv.findIndex((argument, i) => i > 0 && argument.startsWith("--"));
  const loaded = readConfig(firstFlag < 0 ? [] : process.argv.slice(firstFlag), process.env);
  const secrets = await openSecrets(loaded, process.env, (key) => name === "gateway" || key !== "control.signKey");
  const { config } = secrets;
  const log = createLog({ process: name, level: config["log.level"], format: config["log.format"] });
  const supervised = process.env["SANDPIPER_RUN_ID"];
  if (supervised !== undefined) dieWithParent();
  if (isUnit(process.env)) planOwnPlace(name);
  const place = ownPlace(process.env);
  if (place !== undefined) settle(place, name, log);
  const paths = runPaths(config.dataDir);
  const heartbeat = new Heartbeat(createRegion(paths.heartbeats, HEARTBEAT_BYTES), PROCESS_NAMES.indexOf(name));
  heartbeat.begin(process.pid);
  let beating: Timer | undefined = setInterval(() => heartbeat.beat(), BEAT_EVERY_MS);
  const watchdog = supervised === undefined ? watchdogEveryMs(process.env) : undefined;
  if (watchdog !== undefined) setInterval(() => notifyService("WATCHDOG=1"), watchdog).unref();
  const exit = (code: number): never => process.exit(code);
  const agent: AgentContext = {
    name,
    config,
    paths,
    log,
    clock: createSystemClock(),
    runId: supervised ?? `by-hand-${process.pid}`,
    ready: () => {
      heartbeat.setState("ready");
      // Under a supervisor the service manager's socket is the supervisor's.
      if (supervised === undefined) notifyService("READY=1");
    },
    beat: () => {
      if (beating !== undefined) clearInterval(beating);
      beating = undefined;
      heartbeat.beat();
    },
    exit,
  };
  let stop: Stop | undefined;
  let stopping = false;
  const end = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    heartbeat.setState("stopping");
    log.debug("stopping", { signal });
    const deadline = setTimeout(() => {
      log.error(`Cannot stop ${name} cleanly: it must end within ${STOP_MS_MAX} ms, was still busy`);
      process.exit(EXIT_CODE.failure);
    }, STOP_MS_MAX);
    try {
      await stop?.();
    } catch (thrown) {
      fail(name, log, thrown);
    }
    clearTimeout(deadline);
    clearInterval(beating);
    process.exit(EXIT_CODE.ok);
  };
  process.on("SIGTERM", () => void end("SIGTERM"));
  secrets.watch(log, (key) => {
    log.warn("a secret was changed in Vault: this process ends, to begin with the new one", { key });
    void end("secret");
  });
  // A terminal's Ctrl-C reaches every process at once; under a supervisor the order of the stop is the supervisor's.
  process.on("SIGINT", () => {
    if (supervised === undefined) void end("SIGINT");
  });
  process.on("uncaughtException", (thrown) => fail(name, log, thrown));
  process.on("unhandledRejection", (thrown) => fail(name, log, thrown));
  try {
    stop = await body(agent);
  } catch (thrown) {
    fail(name, log, thrown);
  }
}

function settle(place: Place, name: ProcessName, log: Log): void {
  const { got, refused } = takePlace(place, name);
  log.info(`placed: ${got.join(", ") || "nowhere"}`);
  for (const what of refused) log.warn(`not granted: ${what}`);
  placeHelpers(place, name);
  for (const afterMs of PLACE_AGAIN_MS) setTimeout(() => placeHelpers(place, name), afterMs).unref();
}

/** One line and the exit code: an error that trying again cannot mend stops the run, any other is tried again. */
function fail(name: ProcessName, log: Log | undefined, thrown: unknown): never {
  const speaker = log ?? createLog({ process: name, level: "error", format: "text" });
  speaker.error(errorText(thrown));
  if (!(thrown instanceof SandpiperError) && thrown instanceof Error && thrown.stack) speaker.debug(thrown.stack);
  const final = thrown instanceof SandpiperError && thrown.retry === "never" && thrown.code !== 100;
  process.exit(final ? EXIT_CODE.badInput : EXIT_CODE.failure);
}
