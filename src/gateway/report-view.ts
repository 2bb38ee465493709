/**
 * A report that another process replaces by rename every second, read from its file: a read sees a whole one. Reads are
 * shared for a moment because every page and every scrape asks.
 */
const REREAD_MS = 200;

export class ReportView<Report> {
  #report: Report | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    /** Undefined when there is none that can be read. */
    private readonly read: () => Report | undefined,
    private readonly nowMs: () => number,
  ) {}

  /** The last report, or undefined when nobody has written one that can be read. */
  report(): Report | undefined {
    if (this.nowMs() - this.#readAtMs < REREAD_MS) return this.#report;
    this.#readAtMs = this.nowMs();
    this.#report = this.read() ?? this.#report;
    return this.#report;
  }
}
