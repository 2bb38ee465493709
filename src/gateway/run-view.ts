/**
 * The supervisor's report of the run, read from its file. The file is replaced by rename, so a read sees a whole report;
 * reads are shared for a moment because every page and every scrape asks.
 */
import { readJsonFile } from "#core/atomic-file.ts";
import type { RunReport } from "#core/run-report.ts";

const REREAD_MS = 200;

export class RunView {
  readonly #path: string;
  readonly #nowMs: () => number;
  #report: RunReport | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
  }

  /** The last report, or undefined when no supervisor has written one that can be read. */
  report(): RunReport | undefined {
    if (this.#nowMs() - this.#readAtMs < REREAD_MS) return this.#report;
    this.#readAtMs = this.#nowMs();
    this.#report = read(this.#path) ?? this.#report;
    return this.#report;
  }
}

function read(path: string): RunReport | undefined {
  try {
    const found = readJsonFile(path);
    // Our own supervisor writes this file; the look is for a file of another version or one edited by hand.
    if (typeof found !== "object" || found === null) return undefined;
    const report = found as Partial<RunReport>;
    const whole =
      Array.isArray(report.processes) && Array.isArray(report.off) && typeof report.startedAtMs === "number";
    return whole ? (report as RunReport) : undefined;
  } catch {
    return undefined;
  }
}
