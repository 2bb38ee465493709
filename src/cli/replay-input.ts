/** What a replay reads: a recording of Sandpiper or recorded blocks, all of it or from a slot to a slot, at a speed. */
import { SandpiperError } from "#core/error.ts";
import { createRecordingSource, isRecording, openRecording } from "#market/recording/recording-source.ts";
import { createReplaySource } from "#market/replay-source.ts";
import type { MarketSink, MarketSource } from "#market/source.ts";
import { CLI_ERROR } from "./errors.ts";

export type ReplayRange = {
  readonly fromSlot?: bigint;
  readonly toSlot?: bigint;
  /** Times the recorded pace; 0 is as fast as it goes. */
  readonly speed: number;
};

/** What went by, counted while it is replayed. */
export type ReplayedBlocks = {
  count: number;
  votes: number;
  firstSlot: bigint;
  lastSlot: bigint;
  /** Unix ms at 0 of the recording's clock. */
  startMs: number;
};

/** Takes `name VALUE` out of the arguments. */
export function takeFlag(args: string[], name: string): string | undefined {
  const at = args.indexOf(name);
  const [, value] = at < 0 ? [] : args.splice(at, 2);
  return value;
}

export function takeRange(args: string[]): ReplayRange {
  const slot = (name: string): bigint | undefined => {
    const text = takeFlag(args, name);
    if (text === undefined) return undefined;
    return /^\d{1,15}$/.test(text) ? BigInt(text) : refuse(`${name} with a slot`, text);
  };
  const [fromSlot, toSlot] = [slot("--from"), slot("--to")];
  const speedText = takeFlag(args, "--speed") ?? "0";
  const speed = Number(speedText);
  if (!(speed >= 0 && speed <= 1e9)) refuse("--speed from 0 (as fast as it goes) to 1e9", speedText);
  return { speed, ...(fromSlot !== undefined && { fromSlot }), ...(toSlot !== undefined && { toSlot }) };
}

export function openReplay(
  { path, ...range }: ReplayRange & { readonly path: string },
  blocks: ReplayedBlocks,
): MarketSource {
  return isRecording(path) ? openRecorded(path, range, blocks) : openBlocks(path, range, blocks);
}

function openRecorded(path: string, range: ReplayRange, blocks: ReplayedBlocks): MarketSource {
  const recording = openRecording(path);
  blocks.startMs = Number(BigInt(recording.about.zeroWallNs) / 1_000_000n);
  const source = createRecordingSource({ recording, ...range });
  const counted =
    (sink: MarketSink): MarketSink =>
    (event) => {
      if (event.kind === "slot") count(blocks, event.slot);
      sink(event);
    };
  return { run: (sink) => source.run(counted(sink)), stop: source.stop };
}

function openBlocks(path: string, { fromSlot, toSlot, speed }: ReplayRange, blocks: ReplayedBlocks): MarketSource {
  if (fromSlot !== undefined || toSlot !== undefined || speed > 0)
    refuse("a recording with --from, --to and --speed", `${path}, which is none`);
  return createReplaySource({
    path,
    onBlock: (block) => {
      if (blocks.count === 0) blocks.startMs = block.blockTime * 1_000;
      count(blocks, block.slot);
      blocks.votes += block.transactions.filter(({ vote }) => vote).length;
    },
  });
}

function count(blocks: ReplayedBlocks, slot: bigint): void {
  if (blocks.count === 0) blocks.firstSlot = slot;
  blocks.count++;
  blocks.lastSlot = slot;
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot replay: ${want}, was ${JSON.stringify(was)}`);
}
