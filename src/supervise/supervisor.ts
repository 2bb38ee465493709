/**
 * The supervisor: checks that a start can work, makes what the processes share, starts and watches them, keeps the run
 * report, and stops everything in order. It holds no trading state, so it can be killed and started again at any time;
 * its children die with it.
 */
import { randomBytes } from "node:crypto";
import { ensureControlKeys } from "#control/key-files.ts";
import { writeFileAtomicUnsynced } from "#core/atomic-file.ts";
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog, type Log } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import { type OffReport, PROCESS_NAMES, type ProcessReport, type RunReport } from "#core/run-report.ts";
import { VERSION } from "#core/version.ts";
import { notifyService, watchdogEveryMs } from "#ffi/service-notify.ts";
import { Heartbeat, readHeartbeat } from "#memory/heartbeat.ts";
import { childCommand, environmentOf } from "./child-command.ts";
import { ensureWallet, makeRegions, removeRegions } from "./first-start.ts";
import { watchLauncher } from "./launcher.ts";
import { type PlacementPlan, planPlacement } from "./placement/plan.ts";
import { PLACE_VARIABLE, placeOf, takePlace } from "./placement/take-place.ts";
import { readTopology, type Topology } from "./placement/topology.ts";
import { freeMiB, partsOff, preflight } from "./preflight.ts";
import { type ChildSpec, childrenOf, STOP_PHASE_MS_MAX } from "./process-table.ts";
import { LOOK_EVERY_MS, NO_STALLS } from "./stall-watch.ts";
import { statusBlock } from "./status-block.ts";
import { ThreadTimes } from "./thread-times.ts";
import { WatchedProcess } from "./watched-process.ts";

const REPORT_EVERY_MS = 1_000;
/** A start that is not complete by then says what is missing. */
const START_MS_MAX = 60_000;
/** What a rolling restart waits for one process to serve again before it leaves the others as they are. */
const RENEW_MS_MAX = 60_000;

/** Runs until it is told to stop or cannot go on; answers the exit code. Throws a SandpiperError when it cannot start. */
export async function runSupervisor(config: Config, flags: readonly string[]): Promise<number> {
  const paths = runPaths(config.dataDir);
  await preflight(config, paths);
  return await new Supervisor(config, paths, flags).run();
}

class Supervisor {
  readonly #config: Config;
  readonly #paths: RunPaths;
  readonly #log: Log;
  readonly #runId = `${Date.now().toString(36)}-${randomBytes(3).toString("hex")}`;
  readonly #startedAtMs = Date.now();
  readonly #heartbeats: ArrayBuffer;
  readonly #topology: Topology;
  readonly #plan: PlacementPlan;
  readonly #threadTimes: ThreadTimes;
  readonly #processes: WatchedProcess[];
  readonly #off: readonly OffReport[];
  readonly #launcherIsGone = watchLauncher();
  readonly #done = Promise.withResolvers<number>();
  #stopping = false;
  #reportedAtMs = 0;
  /** The report is written each second, and at once when a process changed. */
  #reportedStates = "";
  #announced = false;
  #renewing = false;

  constructor(config: Config, paths: RunPaths, flags: readonly string[]) {
    this.#config = config;
    this.#paths = paths;
    this.#off = partsOff(config);
    this.#log = createLog({ process: "supervisor", level: config["log.level"], format: config["log.format"] });
    ensureWallet(paths);
    ensureControlKeys(paths, process.env);
    this.#heartbeats = makeRegions(paths);
    this.#topology = readTopology();
    this.#plan = planPlacement(this.#topology);
    this.#threadTimes = new ThreadTimes(this.#plan);
    // Whatever it starts inherits the shared cores.
    const own = placeOf(this.#plan, "supervisor", this.#topology.nodes.length);
    if (own !== undefined) takePlace(own, "supervisor");
    this.#processes = childrenOf(config.mode).map((spec) => this.#watch(spec, flags));
  }

  async run(): Promise<number> {
    const onSignal = () => void this.#stop(EXIT_CODE.ok);
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    // Not SIGHUP, which is also how a terminal says that it closes.
    process.on("SIGUSR2", () => void this.#renewAll());
    const ticking = setInterval(() => this.#tick(Date.now()), LOOK_EVERY_MS);
    this.#tick(Date.now());
    // The supervisor's own loop is what the service manager watches; the children are the supervisor's to watch.
    const watchdog = watchdogEveryMs(process.env);
    const telling = watchdog === undefined ? undefined : setInterval(() => notifyService("WATCHDOG=1"), watchdog);
    const exitCode = await this.#done.promise;
    clearInterval(ticking);
    clearInterval(telling);
    return exitCode;
  }

  #watch(spec: ChildSpec, flags: readonly string[]): WatchedProcess {
    const place = placeOf(this.#plan, spec.name, this.#topology.nodes.length);
    const index = PROCESS_NAMES.indexOf(spec.name);
    const environment = { ...environmentOf(spec.name, process.env), SANDPIPER_RUN_ID: this.#runId };
    return new WatchedProcess({
      spec,
      core: this.#plan.seats.find(({ name }) => name === spec.name)?.core,
      log: this.#log,
      spawn: () =>
        Bun.spawn(childCommand(spec.name, flags), {
          stdin: "ignore",
          stdout: "inherit",
          stderr: "inherit",
          env: place === undefined ? environment : { ...environment, [PLACE_VARIABLE]: JSON.stringify(place) },
        }),
      readHeartbeat: () => readHeartbeat(this.#heartbeats, index),
      resetHeartbeat: () => new Heartbeat(this.#heartbeats, index).setState("starting"),
      onFatal: (why, exitCode) => {
        if (!this.#stopping) this.#log.error(`Cannot go on: ${why}`);
        void this.#stop(exitCode);
      },
    });
  }

  #tick(nowMs: number): void {
    // During a stop nothing is started again: a signal to the whole group ends some before their turn.
    for (const watched of this.#processes) if (watched.running || !this.#stopping) watched.tick(nowMs);
    const states = this.#processes.map(reportedState).join();
    if (states !== this.#reportedStates || nowMs - this.#reportedAtMs >= REPORT_EVERY_MS) this.#keepReport(nowMs);
    this.#reportedStates = states;
    if (!this.#announced && !this.#stopping) this.#announce(nowMs);
  }

  #keepReport(nowMs: number): void {
    this.#reportedAtMs = nowMs;
    if (this.#launcherIsGone()) void this.#stop(EXIT_CODE.ok);
    const free = freeMiB(this.#config.dataDir);
    const floor = Math.floor(this.#config["data.freeMiBMin"] / 2);
    if (free < floor && !this.#stopping) {
      this.#log.error(
        `Cannot go on: at least ${floor} MiB must stay free under ${this.#config.dataDir}, was ${free} MiB`,
      );
      void this.#stop(EXIT_CODE.failure);
      return;
    }
    try {
      // Of a run that is alive: nobody needs it after the machine, and a sync would keep the watcher from looking.
      writeFileAtomicUnsynced(this.#paths.runReport, JSON.stringify(this.#report(nowMs)));
    } catch (thrown) {
      this.#log.error(`Cannot write the run report ${this.#paths.runReport}: ${errorText(thrown)}`);
    }
  }

  #announce(nowMs: number): void {
    const complete = this.#processes.every((watched) => watched.ready);
    if (!complete && nowMs - this.#startedAtMs < START_MS_MAX) return;
    this.#announced = true;
    notifyService(`READY=1\nSTATUS=mode ${this.#config.mode}, ${this.#processes.length} processes`);
    const waiting = this.#processes.filter((watched) => !watched.ready).map((watched) => watched.spec.name);
    if (!complete) this.#log.warn(`Not everything serves after ${START_MS_MAX} ms`, { waiting: waiting.join(",") });
    this.#keepReport(nowMs);
    process.stdout.write(`${statusBlock(this.#report(nowMs))}\n`);
  }

  #report(nowMs: number): RunReport {
    const own: ProcessReport = {
      name: "supervisor",
      pid: process.pid,
      state: this.#stopping ? "stopping" : "ready",
      core: "shared",
      restarts: 0,
      startedAtMs: this.#startedAtMs,
      heartbeatAgeMs: 0,
      stalls: NO_STALLS,
      lastExit: "",
    };
    return {
      version: VERSION,
      runId: this.#runId,
      mode: this.#config.mode,
      startedAtMs: this.#startedAtMs,
      updatedAtMs: nowMs,
      page: `http://${this.#config["gateway.host"]}:${this.#config["gateway.port"]}/`,
      processes: [own, ...this.#processes.map((watched) => watched.report())].map((report) =>
        this.#withThreads(report),
      ),
      off: this.#off,
    };
  }

  #withThreads(report: ProcessReport): ProcessReport {
    const threads = report.pid === 0 ? undefined : this.#threadTimes.of(report.name, report.pid);
    return threads === undefined ? report : { ...report, threads };
  }

  /**
   * The rolling restart: each process in turn ends cleanly and serves again before the next one goes. What happens on the
   * market meanwhile waits in the rings, and a new feed goes on where the old one ended. The sim is left alone: it is the
   * market.
   */
  async #renewAll(): Promise<void> {
    if (this.#renewing || this.#stopping) return;
    this.#renewing = true;
    this.#log.info("rolling restart");
    for (const watched of this.#processes.filter(({ spec }) => spec.name !== "sim")) {
      const { pid } = watched.report();
      watched.renew();
      const deadlineMs = Date.now() + RENEW_MS_MAX;
      const done = () => watched.ready && watched.report().pid !== pid;
      while (!done() && !this.#stopping && Date.now() < deadlineMs) await Bun.sleep(LOOK_EVERY_MS);
      if (this.#stopping || done()) continue;
      this.#log.error(
        `Cannot go on with the rolling restart: ${watched.spec.name} must serve within ${RENEW_MS_MAX} ms, was ${watched.report().state}`,
      );
      break;
    }
    if (!this.#stopping) this.#log.info("rolling restart ended");
    this.#renewing = false;
  }

  /** Phase by phase, so that what was decided is recorded before the store goes away. */
  async #stop(exitCode: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    notifyService("STOPPING=1");
    this.#log.info("stopping");
    for (const [phase, longestMs] of STOP_PHASE_MS_MAX.entries()) {
      const those = this.#processes.filter((watched) => watched.spec.stopPhase === phase);
      for (const watched of those) watched.signal("SIGTERM");
      const deadlineMs = Date.now() + longestMs;
      while (those.some((watched) => watched.running) && Date.now() < deadlineMs) await Bun.sleep(10);
      for (const watched of those.filter((one) => one.running)) {
        this.#log.warn(`${watched.spec.name} did not stop in ${longestMs} ms: killed`);
        watched.signal("SIGKILL");
      }
    }
    this.#keepReport(Date.now());
    removeRegions(this.#paths);
    this.#log.info("stopped");
    this.#done.resolve(exitCode);
  }
}

/** What is reported at once when it changes: each life, its state, and that it stands still. */
function reportedState(watched: WatchedProcess): string {
  const { pid, state, stalls } = watched.report();
  return `${pid} ${state} ${stalls.count}`;
}
