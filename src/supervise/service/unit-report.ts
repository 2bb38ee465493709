/**
 * The run report in the layout of one unit per process, where no supervisor keeps it: `service prepare` begins it, the
 * gateway keeps it from the heartbeat table. It knows less than the supervisor's: a process that beats no more is shown as
 * stalled, and why it ended is for systemd to tell.
 */
import { writeFileAtomicUnsynced } from "#core/atomic-file.ts";
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import {
  PROCESS_NAMES,
  type ProcessName,
  type ProcessReport,
  type RunReport,
  readRunReport,
} from "#core/run-report.ts";
import { VERSION } from "#core/version.ts";
import { readHeartbeat } from "#memory/heartbeat.ts";
import { openRegion } from "#memory/region.ts";
import { planPlacement } from "#supervise/placement/plan.ts";
import { readTopology } from "#supervise/placement/topology.ts";
import { partsOff } from "#supervise/preflight.ts";
import { childrenOf } from "#supervise/process-table.ts";
import { NO_STALLS } from "#supervise/stall-watch.ts";

const LOOK_EVERY_MS = 1_000;
/** Longer than systemd takes to start a killed process again, so that a stall is not shown for each restart. */
const STALL_SHOWN_MS = 3_000;

type Line = { beats: number; beatenAtMs: number; pid: number; startedAtMs: number; restarts: number };

/** Whether this process is a unit of its own: systemd waits for its word, and no supervisor gave it a run. */
export function isUnit(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment["NOTIFY_SOCKET"] !== undefined && environment["SANDPIPER_RUN_ID"] === undefined;
}

export class UnitReport {
  readonly #config: Config;
  readonly #paths: RunPaths;
  readonly #heartbeats: ArrayBuffer;
  readonly #seats = planPlacement(readTopology()).seats;
  readonly #lines = new Map<ProcessName, Line>();
  readonly #runId: string;
  readonly #startedAtMs: number;

  /** Goes on with the report that is there, unless a supervisor kept it. */
  constructor(config: Config, paths: RunPaths, nowMs: number) {
    const before = readRunReport(paths.runReport);
    const goesOn = before !== undefined && !before.processes.some(({ name }) => name === "supervisor");
    this.#config = config;
    this.#paths = paths;
    this.#heartbeats = openRegion(paths.heartbeats);
    this.#runId = goesOn ? before.runId : `units-${nowMs.toString(36)}`;
    this.#startedAtMs = goesOn ? before.startedAtMs : nowMs;
  }

  /** Looks at every process and writes what it sees. Throws where the file cannot be written. */
  look(nowMs: number): void {
    const config = this.#config;
    const report: RunReport = {
      version: VERSION,
      runId: this.#runId,
      mode: config.mode,
      startedAtMs: this.#startedAtMs,
      updatedAtMs: nowMs,
      page: `http://${config["gateway.host"]}:${config["gateway.port"]}/`,
      processes: childrenOf(config.mode).map(({ name }) => this.#process(name, nowMs)),
      off: partsOff(config),
    };
    writeFileAtomicUnsynced(this.#paths.runReport, JSON.stringify(report));
  }

  #process(name: ProcessName, nowMs: number): ProcessReport {
    const { beats, state, pid } = readHeartbeat(this.#heartbeats, PROCESS_NAMES.indexOf(name));
    const before = this.#lines.get(name);
    const line = before ?? { beats, beatenAtMs: nowMs, pid, startedAtMs: nowMs, restarts: 0 };
    this.#lines.set(name, line);
    if (line.beats !== beats) Object.assign(line, { beats, beatenAtMs: nowMs });
    if (line.pid !== pid)
      Object.assign(line, { pid, startedAtMs: nowMs, restarts: line.restarts + (line.pid > 0 ? 1 : 0) });
    const silentMs = nowMs - line.beatenAtMs;
    return {
      name,
      pid,
      state: pid > 0 && silentMs > STALL_SHOWN_MS ? "stalled" : state,
      core: String(this.#seats.find((seat) => seat.name === name)?.core ?? "shared"),
      restarts: line.restarts,
      startedAtMs: line.startedAtMs,
      heartbeatAgeMs: pid > 0 ? silentMs : -1,
      stalls: NO_STALLS,
      lastExit: "",
    };
  }
}

/** Keeps the report until it is told to stop. */
export function keepUnitReport(config: Config, paths: RunPaths, log: Log): () => void {
  const report = new UnitReport(config, paths, Date.now());
  const look = () => {
    try {
      report.look(Date.now());
    } catch (thrown) {
      log.error(`Cannot write the run report ${paths.runReport}: ${errorText(thrown)}`);
    }
  };
  look();
  const looking = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(looking);
}
