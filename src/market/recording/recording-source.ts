/**
 * A recording as a market source: its events in their order and with their own stamps, from a slot to a slot, at a speed.
 * What lies before `from` is read for the state that it left: the newest snapshot before it and all behind that go out
 * first, so that a replay from the middle knows what a replay from the start would.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { openSegments, readSegmentBlock, type Segments } from "#core/segments/reader.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import type { MarketEvent, MarketSink, MarketSource } from "#market/source.ts";
import { decodeEvents } from "./event-codec.ts";
import { RECORDING_FORMAT, type RecordingAbout } from "./recorder.ts";

export type Recording = {
  readonly about: RecordingAbout;
  readonly segments: Segments;
  readonly firstSlot: bigint;
  readonly lastSlot: bigint;
};

/** Whether this is the folder of a recording, whole or not. */
export const isRecording = (path: string): boolean => existsSync(join(path, "recording.json"));

/** Throws a SandpiperError when it is none, or a damaged one. */
export function openRecording(folder: string): Recording {
  const path = join(folder, "recording.json");
  let about: unknown;
  try {
    about = readJsonFile(path);
  } catch (thrown) {
    return refuse(path, "whole JSON", errorText(thrown));
  }
  const { format, zeroWallNs } = (about ?? {}) as Partial<RecordingAbout>;
  if (format !== RECORDING_FORMAT) return refuse(path, `a recording of format ${RECORDING_FORMAT}`, `${format}`);
  if (typeof zeroWallNs !== "string" || !/^-?\d{1,20}$/.test(zeroWallNs))
    return refuse(path, "zeroWallNs in ns", JSON.stringify(zeroWallNs) ?? "nothing");
  const segments = openSegments(join(folder, "market"));
  const slots = segments.blocks.flatMap(({ firstSlot, lastSlot }) => [firstSlot, lastSlot]);
  if (slots.length === 0) return refuse(folder, "at least one whole block", "none");
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  const most = (a: bigint, b: bigint) => (a > b ? a : b);
  return { about: about as RecordingAbout, segments, firstSlot: slots.reduce(least), lastSlot: slots.reduce(most) };
}

export type RecordingSourceOptions = {
  readonly recording: Recording;
  /** Events of slots from here on; all by default. */
  readonly fromSlot?: bigint;
  /** Events of slots up to here; all by default. */
  readonly toSlot?: bigint;
  /** Times the recorded pace; 0, the default, is as fast as it goes. */
  readonly speed?: number;
  readonly sleep?: (ms: number) => Promise<void>;
  /** Waited for before each block, so that a recording never outruns its readers. */
  readonly pace?: () => Promise<void>;
};

export function createRecordingSource(options: RecordingSourceOptions): MarketSource {
  const { recording, fromSlot = 0n, speed = 0, sleep = Bun.sleep } = options;
  const toSlot = options.toSlot ?? recording.lastSlot;
  let stopped = false;
  const run = async (sink: MarketSink) => {
    if (fromSlot > recording.lastSlot || toSlot < recording.firstSlot || fromSlot > toSlot)
      throw new SandpiperError(
        MARKET_ERROR.recording,
        `Cannot replay slots ${fromSlot} to ${toSlot}: slots of the recording, ${recording.firstSlot} to ${recording.lastSlot}, was outside`,
      );
    const events = function* (): Generator<MarketEvent | undefined> {
      for (const block of recording.segments.blocks) {
        if (block.firstSlot > toSlot) continue;
        yield undefined;
        yield* decodeEvents(readSegmentBlock(block));
      }
    };
    /** What the state at `fromSlot` is made of. */
    let before: MarketEvent[] = [];
    let begun = fromSlot <= recording.firstSlot;
    let last = { slot: fromSlot, arrivedNs: 0 };
    let paceNs: { readonly recorded: number; readonly real: number } | undefined;
    for (const event of events()) {
      if (stopped) return;
      if (event === undefined) {
        await options.pace?.();
        // Other work gets its turn; LiteSVM and timers need it.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const slot = slotOf(event);
      if (slot > toSlot || event.kind === "end") continue;
      if (!begun && slot < fromSlot) {
        if (event.kind === "snapshot") before = [];
        before.push(event);
        continue;
      }
      if (!begun) for (const earlier of before) sink(earlier);
      begun = true;
      if (speed > 0) {
        paceNs ??= { recorded: event.arrivedNs, real: Bun.nanoseconds() };
        const aheadNs = (event.arrivedNs - paceNs.recorded) / speed - (Bun.nanoseconds() - paceNs.real);
        if (aheadNs > 1e6) await sleep(aheadNs / 1e6);
      }
      sink(event);
      last = { slot, arrivedNs: event.arrivedNs };
    }
    sink({ kind: "end", ...last });
  };
  return {
    run,
    stop: () => {
      stopped = true;
    },
  };
}

const slotOf = (event: MarketEvent): bigint => (event.kind === "transaction" ? event.transaction.slot : event.slot);

function refuse(path: string, want: string, was: string): never {
  throw new SandpiperError(MARKET_ERROR.recording, `Cannot replay ${path}: ${want}, was ${was}`);
}
