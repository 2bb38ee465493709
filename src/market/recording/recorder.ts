/**
 * Records market events: `market/` of a recording's folder, beside `recording.json`, which says what time the events'
 * clock was. A recorder that cannot write any more stops and says so; it never takes the feed with it.
 */
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import type { Clock } from "#core/clock.ts";
import { errorText } from "#core/error.ts";
import { SegmentWriter } from "#core/segments/writer.ts";
import type { MarketEvent, MarketSink } from "#market/source.ts";
import { EventEncoder } from "./event-codec.ts";

export const RECORDING_FORMAT = 1;
/** Events lie in memory for so long at most before they are on disk. */
const FLUSH_MS = 1_000;

export type RecordingAbout = {
  readonly format: number;
  readonly version: string;
  /** Of the market: sim, live, fork, or what was imported. */
  readonly source: string;
  /** Unix ns at 0 of the events' clock, as text. */
  readonly zeroWallNs: string;
};

export type RecorderOptions = {
  readonly folder: string;
  readonly version: string;
  readonly source: string;
  /** Unix ns at 0 of the events' clock. */
  readonly zeroWallNs: bigint;
  readonly onFailure?: (why: string) => void;
  readonly blockBytes?: number;
};

/** For events whose stamps are this clock's. */
export const zeroWallNsOf = (clock: Clock): bigint => clock.wallNs() - BigInt(Math.round(clock.monotonicNs()));

export class MarketRecorder {
  readonly #options: RecorderOptions;
  readonly #encoder = new EventEncoder();
  readonly #writer: SegmentWriter;
  readonly #timer: ReturnType<typeof setInterval>;
  #failed = false;

  /** Throws a SandpiperError when the folder holds a recording already. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#writer = new SegmentWriter(join(options.folder, "market"), {
      ...(options.blockBytes !== undefined && { blockBytes: options.blockBytes }),
      onBlock: () => this.#encoder.restart(),
    });
    const about: RecordingAbout = {
      format: RECORDING_FORMAT,
      version: options.version,
      source: options.source,
      zeroWallNs: `${options.zeroWallNs}`,
    };
    writeFileAtomic(join(options.folder, "recording.json"), `${JSON.stringify(about, undefined, 2)}\n`);
    this.#timer = setInterval(() => this.#guarded(() => this.#writer.flush()), FLUSH_MS);
  }

  get counters() {
    return this.#writer.counters;
  }

  /** The sink of a market source. */
  readonly take = (event: MarketEvent): void =>
    this.#guarded(() => {
      const slot = event.kind === "transaction" ? event.transaction.slot : event.slot;
      this.#writer.append(this.#encoder.encode(event), slot);
    });

  /** A sink that records each event and hands it on. */
  before(sink: MarketSink): MarketSink {
    return (event) => {
      this.take(event);
      sink(event);
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#guarded(() => this.#writer.close());
  }

  #guarded(work: () => void): void {
    if (this.#failed) return;
    try {
      work();
    } catch (thrown) {
      this.#failed = true;
      clearInterval(this.#timer);
      if (this.#options.onFailure === undefined) throw thrown;
      this.#options.onFailure(errorText(thrown));
    }
  }
}
