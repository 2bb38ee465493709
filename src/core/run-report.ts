/** What the supervisor knows about the run; the gateway, the doctor and the status block all show this one report. */
import { readJsonFile } from "./atomic-file.ts";

/** Every process of an instance. Its place in this list is its place in the heartbeat table. */
export const PROCESS_NAMES = [
  "supervisor",
  "clickhouse",
  "sim",
  "feed",
  "arbitrage",
  "mev",
  "recorder",
  "gateway",
  "guard",
  "trainer",
] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];
export type ProcessState = "starting" | "ready" | "stalled" | "restarting" | "stopping" | "stopped";

/** What the kernel counts of one thread (/proc/…/schedstat), since the thread began. */
export type ThreadReport = {
  /** Its seat in the placement plan; a main thread has the name of its process. */
  readonly name: string;
  /** The kernel's number of it: of a main thread, the process's. */
  readonly id: number;
  /** The core that it owns, or "shared". */
  readonly core: string;
  readonly ranMs: number;
  /** It could have run and waited for a core. */
  readonly waitedMs: number;
  /** Times it was given a core. */
  readonly turns: number;
};

export type ProcessReport = {
  readonly name: ProcessName;
  readonly pid: number;
  readonly state: ProcessState;
  /** The core it is pinned to, or "shared". */
  readonly core: string;
  readonly restarts: number;
  readonly startedAtMs: number;
  /** Since its last beat when this was written; -1 when it is not running. */
  readonly heartbeatAgeMs: number;
  /** Times it stood still while it should have served, and for how long: together and at most. */
  readonly stalls: { readonly count: number; readonly totalMs: number; readonly longestMs: number };
  /** Absent where the kernel does not count, and in the report of a supervisor that did not. */
  readonly threads?: readonly ThreadReport[];
  /** Why it last ended, if it did. */
  readonly lastExit: string;
};

/** A part that is not running, and why, in words for the operator. */
export type OffReport = { readonly part: string; readonly why: string };

export type RunReport = {
  readonly version: string;
  /** Unique per start of the supervisor. */
  readonly runId: string;
  readonly mode: string;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  readonly page: string;
  readonly processes: readonly ProcessReport[];
  readonly off: readonly OffReport[];
};

/**
 * The report at `path`, or undefined when no supervisor has written one that can be read. Our own supervisor writes the
 * file; the look at its shape is for one of another version or one edited by hand.
 */
export function readRunReport(path: string): RunReport | undefined {
  try {
    const found = readJsonFile(path);
    if (typeof found !== "object" || found === null) return undefined;
    const report = found as Partial<RunReport>;
    const whole =
      Array.isArray(report.processes) && Array.isArray(report.off) && typeof report.startedAtMs === "number";
    return whole ? (report as RunReport) : undefined;
  } catch {
    return undefined;
  }
}
