/**
 * Puts a hot loop's tape on disk: `tape/` of a recording, with `tape.json` beside it (settings, model) and one file per
 * catalogue. Entries of a segment: u32 kind │ u32 bytes │ f64 number │ payload, as in the ring but without the rest.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { PoolCatalogue } from "#core/pool.ts";
import { SegmentWriter } from "#core/segments/writer.ts";
import { SlotConsumer } from "#memory/slot-ring.ts";
import { DECIDE_ERROR } from "./errors.ts";
import type { HotLoopSettings } from "./hot-loop.ts";
import { TAPE_PAYLOAD_AT } from "./tape-ring.ts";
import type { TipPolicy } from "./tips/tip-bandit.ts";

export type TapeAbout = {
  readonly format: 1;
  readonly version: string;
  readonly modelHash: string;
  readonly settings: HotLoopSettings;
  readonly tipPolicy: TipPolicy;
  readonly runStartMs: number;
};

const FORMAT = 1;

/** Written by the hot thread's process before its loop runs. */
export function writeTapeAbout(folder: string, about: Omit<TapeAbout, "format">): void {
  writeFileAtomic(join(folder, "tape.json"), `${JSON.stringify({ format: FORMAT, ...about }, undefined, 2)}\n`);
}

export function readTapeAbout(folder: string): TapeAbout {
  const path = join(folder, "tape.json");
  const about = readJsonFile(path) as Partial<TapeAbout> | undefined;
  if (about?.format !== FORMAT || typeof about.modelHash !== "string" || typeof about.settings !== "object")
    throw new SandpiperError(
      DECIDE_ERROR.tape,
      `Cannot replay ${path}: a tape of format ${FORMAT}, was ${about === undefined ? "nothing" : JSON.stringify(about).slice(0, 80)}`,
    );
  return about as TapeAbout;
}

export const hasTape = (folder: string): boolean => existsSync(join(folder, "tape.json"));

const cataloguePath = (folder: string, version: number): string => join(folder, "catalogues", `${version}.json`);

/** Where a replay finds the catalogue that a tape names. */
export function keepCatalogue(folder: string, catalogue: PoolCatalogue): void {
  writeFileAtomic(cataloguePath(folder, catalogue.version), `${JSON.stringify(catalogue)}\n`);
}

export function readKeptCatalogue(folder: string, version: number): PoolCatalogue {
  const path = cataloguePath(folder, version);
  const catalogue = readJsonFile(path) as PoolCatalogue | undefined;
  if (catalogue?.version !== version || !Array.isArray(catalogue.pools))
    throw new SandpiperError(DECIDE_ERROR.tape, `Cannot replay ${path}: catalogue ${version}, was something else`);
  return catalogue;
}

/** Often enough for a ring of thousands at any pace the hot loop has. */
const DRAIN_MS = 5;
const FLUSH_MS = 1_000;

/**
 * Empties the tape into the recording until the answer is called. A disk that takes no more ends the recording, with one
 * line, and never the agent.
 */
export function drainTape(tape: SharedArrayBuffer | undefined, folder: string | undefined, log: Log): () => void {
  if (tape === undefined || folder === undefined) return () => {};
  const recorder = new TapeRecorder(tape, folder);
  const timers: ReturnType<typeof setInterval>[] = [];
  const guarded = (work: () => void) => () => {
    try {
      work();
    } catch (thrown) {
      for (const timer of timers) clearInterval(timer);
      log.error(`Cannot go on recording: room on the disk, was ${errorText(thrown)}`);
    }
  };
  timers.push(
    setInterval(
      guarded(() => recorder.drain()),
      DRAIN_MS,
    ),
    setInterval(
      guarded(() => recorder.flush()),
      FLUSH_MS,
    ),
  );
  return guarded(() => {
    for (const timer of timers) clearInterval(timer);
    recorder.close();
  });
}

/** The io thread's end of the tape. */
class TapeRecorder {
  readonly #ring: SlotConsumer;
  readonly #writer: SegmentWriter;

  constructor(buffer: ArrayBufferLike, folder: string) {
    this.#ring = new SlotConsumer(buffer);
    this.#writer = new SegmentWriter(join(folder, "tape"));
  }

  /** Takes all there is; to be called every few ms, or the ring fills. */
  drain(): void {
    const { u8, u32 } = this.#ring;
    let taken = 0;
    for (let at = this.#ring.peek(); at >= 0; at = this.#ring.peek()) {
      const bytes = TAPE_PAYLOAD_AT + (u32[(at >> 2) + 1] as number);
      this.#writer.append(u8.slice(at, at + bytes), 0n);
      this.#ring.advance();
      taken++;
    }
    if (taken > 0) this.#ring.release();
  }

  flush(): void {
    this.#writer.flush();
  }

  close(): void {
    this.drain();
    this.#writer.close();
  }
}
