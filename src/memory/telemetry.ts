/**
 * What a trading agent measures about itself, in a region of its own: the guard reads it every second with bus, store
 * and gateway away. The region outlives the agent, so all of it only grows, over any number of the agent's lives: a
 * reader takes differences.
 *
 *   byte 0     f64 × FIGURES               see FIGURES; each is written by one thread of the agent
 *        128   Histogram                   feed's stamp to decision; hot thread
 *        128 + Histogram.bytes  Histogram  decision to the route's acknowledgement; io thread
 */
import { Histogram, HistogramReader, type HistogramView } from "./histogram.ts";

const FIGURES = [
  /** Bundles that came to an end, those of them that landed, and those that landed with a loss. */
  "settled",
  "landed",
  "lostTrades",
  /** Gained and lost by landed bundles, lamports, each as a sum that grows. */
  "gainedLamports",
  "lostLamports",
  /** CLOCK_MONOTONIC ns: the feed's stamp on the newest market record, and when these figures were last written. */
  "newestFeedNs",
  "writtenNs",
  /** CLOCK_MONOTONIC ns: when the cluster last told the agent a blockhash. */
  "chainReadNs",
  /** CLOCK_MONOTONIC ns: when the bus last acknowledged something of the agent's, which publishes every second. */
  "publishedNs",
  /** Of the pool that simulations on the chain's own accounts disprove most: in how many %, and of how many. */
  "falseQuotesPct",
  "falseQuotesSamples",
  /** How often an operator has started the agent. */
  "starts",
] as const;
export type TelemetryFigure = (typeof FIGURES)[number];

const HOT_PATH_AT = 128;
const SEND_AT = HOT_PATH_AT + Histogram.bytes;

/** Size of the region. */
export const TELEMETRY_BYTES = SEND_AT + Histogram.bytes;

/** Where the hot thread records each decision's latency. */
export const hotPathHistogram = (region: ArrayBufferLike): Histogram => new Histogram(region, HOT_PATH_AT);

/** The io thread's end: what it records itself, and what it reads of both for the metrics. */
export class TelemetryDesk {
  readonly figures: TelemetryFigures;
  readonly sends: Histogram;
  readonly hotPathWindows: HistogramReader;
  readonly sendWindows: HistogramReader;

  constructor(region: ArrayBufferLike) {
    this.figures = new TelemetryFigures(region);
    this.sends = new Histogram(region, SEND_AT);
    this.hotPathWindows = new HistogramReader(region, HOT_PATH_AT);
    this.sendWindows = new HistogramReader(region, SEND_AT);
  }
}

/** The figures, each for one thread of the agent to write. */
export class TelemetryFigures {
  readonly #figures: Float64Array;

  constructor(region: ArrayBufferLike) {
    this.#figures = new Float64Array(region, 0, FIGURES.length);
  }

  add(figure: TelemetryFigure, by: number): void {
    const at = FIGURES.indexOf(figure);
    this.#figures[at] = (this.#figures[at] as number) + by;
  }

  set(figure: TelemetryFigure, value: number): void {
    this.#figures[FIGURES.indexOf(figure)] = value;
  }
}

/** What happened between two looks at a region. */
export type TelemetryWindow = {
  readonly hotPath: HistogramView;
  readonly send: HistogramView;
  readonly settled: number;
  readonly landed: number;
  readonly lostTrades: number;
  readonly gainedLamports: number;
  readonly lostLamports: number;
  /** As they stand, not differences; 0 before the first. */
  readonly newestFeedNs: number;
  readonly writtenNs: number;
  readonly chainReadNs: number;
  readonly publishedNs: number;
  readonly falseQuotesPct: number;
  readonly falseQuotesSamples: number;
  readonly starts: number;
};

export class TelemetryReader {
  readonly #figures: Float64Array;
  readonly #hotPath: HistogramReader;
  readonly #send: HistogramReader;
  #before: Float64Array;

  constructor(region: ArrayBufferLike) {
    this.#figures = new Float64Array(region, 0, FIGURES.length);
    this.#hotPath = new HistogramReader(region, HOT_PATH_AT);
    this.#send = new HistogramReader(region, SEND_AT);
    this.#before = this.#figures.slice();
  }

  /** Everything since the last call (or since the reader was made), and the start of the next window. */
  takeWindow(): TelemetryWindow {
    const now = this.#figures.slice();
    const since = (figure: TelemetryFigure) => {
      const at = FIGURES.indexOf(figure);
      return (now[at] as number) - (this.#before[at] as number);
    };
    const window = {
      hotPath: this.#hotPath.takeWindow(),
      send: this.#send.takeWindow(),
      settled: since("settled"),
      landed: since("landed"),
      lostTrades: since("lostTrades"),
      gainedLamports: since("gainedLamports"),
      lostLamports: since("lostLamports"),
      newestFeedNs: now[FIGURES.indexOf("newestFeedNs")] as number,
      writtenNs: now[FIGURES.indexOf("writtenNs")] as number,
      falseQuotesPct: now[FIGURES.indexOf("falseQuotesPct")] as number,
      falseQuotesSamples: now[FIGURES.indexOf("falseQuotesSamples")] as number,
      publishedNs: now[FIGURES.indexOf("publishedNs")] as number,
      chainReadNs: now[FIGURES.indexOf("chainReadNs")] as number,
      starts: now[FIGURES.indexOf("starts")] as number,
    };
    this.#before = now;
    return window;
  }
}
