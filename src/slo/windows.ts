/**
 * What the guard remembers of one agent: an hour of seconds. Histograms are kept for the newest minute, counts for all
 * of it; nothing grows beyond that.
 */
import { type HistogramView, mergeViews } from "#memory/histogram.ts";

/** One second of one agent. */
export type Second = {
  readonly hotPath: HistogramView;
  readonly send: HistogramView;
  readonly settled: number;
  readonly landed: number;
  readonly lostTrades: number;
  readonly lostLamports: number;
  /** Of the pool that the chain disproves most: in how many %, and of how many simulations, of late. */
  readonly falseQuotesPct: number;
  readonly falseQuotesSamples: number;
  /** Age of the newest market event at the end of the second; undefined before the first event. */
  readonly marketLagMs: number | undefined;
  /** Since the cluster last answered the agent, at the end of the second; undefined before it first did. */
  readonly chainLagMs: number | undefined;
  /** How far the wall clock moved against the monotonic one in this second, ms, without its sign. */
  readonly clockStepMs: number;
  /** How wrong the kernel believes the wall clock to be, ms; undefined where nobody keeps it. */
  readonly clockErrorMs: number | undefined;
};

/** Seconds whose histograms are kept, and seconds whose counts are. */
const HISTOGRAM_SECONDS = 60;
const COUNT_SECONDS = 3_600;

type Counts = {
  readonly settled: number;
  readonly landed: number;
  readonly lostTrades: number;
  readonly lostLamports: number;
  readonly decided: number;
  /** Of those, the ones slower than the hot path's limit. */
  readonly slow: number;
};
export type CountName = keyof Counts;

export class Windows {
  /** Oldest first. */
  readonly #seconds: Second[] = [];
  readonly #counts: Counts[] = [];
  /** Seconds since the last mark. */
  #sinceMark = 0;

  /** `slowNs`: from how many ns on a decision counts as slow. */
  constructor(private readonly slowNs: number) {}

  push(second: Second): void {
    const { settled, landed, lostTrades, lostLamports, hotPath } = second;
    this.#sinceMark++;
    this.#seconds.push(second);
    if (this.#seconds.length > HISTOGRAM_SECONDS) this.#seconds.shift();
    this.#counts.push({
      ...{ settled, landed, lostTrades, lostLamports },
      decided: hotPath.count,
      slow: hotPath.countAbove(this.slowNs),
    });
    if (this.#counts.length > COUNT_SECONDS) this.#counts.shift();
  }

  /** Something was done about what was seen: what is recent begins anew, so that the next verdict is on its effect. */
  mark(): void {
    this.#sinceMark = 0;
  }

  /** Recordings of the newest `seconds` (at most HISTOGRAM_SECONDS) since the mark, as one histogram. */
  latency(which: "hotPath" | "send", seconds: number): HistogramView {
    return mergeViews(newest(this.#seconds, Math.min(seconds, this.#sinceMark)).map((second) => second[which]));
  }

  /** How many seconds there are since the mark. */
  get recentSeconds(): number {
    return this.#sinceMark;
  }

  /** A count over the newest `seconds` since the mark. */
  recent(which: CountName, seconds: number): number {
    return this.sum(which, Math.min(seconds, this.#sinceMark));
  }

  /** A count over the newest `seconds` (at most COUNT_SECONDS), marks or not. */
  sum(which: CountName, seconds: number): number {
    return newest(this.#counts, seconds).reduce((sum, counts) => sum + counts[which], 0);
  }

  /** The second that was pushed last. */
  get last(): Second | undefined {
    return this.#seconds.at(-1);
  }

  /** Largest step of the clock within the newest minute, ms. */
  clockStepMs(): number {
    return this.#seconds.reduce((largest, second) => Math.max(largest, second.clockStepMs), 0);
  }
}

const newest = <T>(list: readonly T[], count: number): readonly T[] => list.slice(Math.max(0, list.length - count));
