/**
 * Recorded blocks as a market source: every transaction in execution order, block after block. Time comes from the
 * recording, never from the clock: a transaction happened at its block's time, plus its place in the block.
 */
import { SandpiperError } from "#core/error.ts";
import { blockFiles, readBlockFile } from "./block-file.ts";
import type { RecordedBlock } from "./block-shape.ts";
import { MARKET_ERROR } from "./errors.ts";
import type { MarketSink, MarketSource } from "./source.ts";

/** Apart in time by this much are two neighbours in a block: a recording has no finer time than the block's. */
const TRANSACTION_STEP_NS = 1_000;
const SECOND_NS = 1_000_000_000;

export type ReplaySourceOptions = {
  /** A block file, or a folder of them. */
  readonly path: string;
  /** Waited for before each block, so that a recording never outruns its readers. */
  readonly pace?: () => Promise<void>;
  /** Sees each block before its transactions go out. */
  readonly onBlock?: (block: RecordedBlock) => void;
};

export function createReplaySource(options: ReplaySourceOptions): MarketSource {
  let stopped = false;
  const run = async (sink: MarketSink) => {
    let firstSecond: number | undefined;
    let last = { slot: 0n, arrivedNs: 0 };
    for (const file of blockFiles(options.path)) {
      const block = readBlockFile(file);
      if (block.slot <= last.slot)
        throw new SandpiperError(
          MARKET_ERROR.block,
          `Cannot replay ${file}: a slot after ${last.slot}, was ${block.slot}`,
        );
      await options.pace?.();
      if (stopped) return;
      firstSecond ??= block.blockTime;
      last = feedBlock(block, Math.max((block.blockTime - firstSecond) * SECOND_NS, last.arrivedNs), options, sink);
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

function feedBlock(block: RecordedBlock, startNs: number, options: ReplaySourceOptions, sink: MarketSink) {
  options.onBlock?.(block);
  sink({ kind: "slot", slot: block.slot, slotStartMs: block.blockTime * 1_000, arrivedNs: startNs });
  let arrivedNs = startNs;
  for (const transaction of block.transactions) {
    arrivedNs = startNs + (transaction.indexInSlot + 1) * TRANSACTION_STEP_NS;
    sink({ kind: "transaction", arrivedNs, transaction, accounts: [] });
  }
  return { slot: block.slot, arrivedNs };
}
