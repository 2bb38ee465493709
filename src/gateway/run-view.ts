/**
 * The supervisor's report of the run, read from its file. The file is replaced by rename, so a read sees a whole report;
 * reads are shared for a moment because every page and every scrape asks.
 */
import { type RunReport, readRunReport } from "#core/run-report.ts";

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
    this.#report = readRunReport(this.#path) ?? this.#report;
    return this.#report;
  }
}
