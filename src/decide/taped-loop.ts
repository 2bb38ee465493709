/** The hot loop as an agent makes it, over its shared memory: with its tape when the run is recorded, plain otherwise. */
import type { Config } from "#core/config.ts";
import { VERSION } from "#core/version.ts";
import { SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import type { AgentMemory } from "./agent-memory.ts";
import { createHotLoop, type HotLoop, type HotLoopParts } from "./hot-loop.ts";
import { loopSettings, openRiskGate, openTipBandit } from "./loop-settings.ts";
import { Tape, tapedLoop, tapedParts } from "./tape.ts";
import { keepCatalogue, writeTapeAbout } from "./tape-recorder.ts";

export type HotLoopMemory = Pick<AgentMemory, "decisions" | "outcomes" | "risk" | "tipStatistics" | "tape"> & {
  /** The ring that the feed fills. */
  readonly market: ArrayBufferLike;
};

export type HotLoopRun = {
  readonly config: Config;
  /** Unix ms; seeds the draws of tips. */
  readonly runStartMs: number;
  readonly modelHash: string;
  /** The folder of the run's recording; undefined when there is none. */
  readonly recording: string | undefined;
};

export function openHotLoop(
  own: Omit<HotLoopParts, "market" | "decisions" | "outcomes" | "settings" | "risk" | "tips">,
  memory: HotLoopMemory,
  { config, runStartMs, modelHash, recording }: HotLoopRun,
): HotLoop {
  const settings = loopSettings(config, 0);
  const parts: HotLoopParts = {
    ...own,
    settings,
    risk: openRiskGate(config, memory.risk),
    tips: openTipBandit(config["arbitrage.tipPolicy"], runStartMs, memory.tipStatistics),
    market: new SlotConsumer(memory.market),
    decisions: new SlotProducer(memory.decisions),
    outcomes: new SlotConsumer(memory.outcomes),
  };
  if (recording === undefined || memory.tape === undefined) return createHotLoop(parts);
  const tipPolicy = config["arbitrage.tipPolicy"];
  writeTapeAbout(recording, { version: VERSION, modelHash, settings, tipPolicy, runStartMs });
  const tape = new Tape(memory.tape);
  return tapedLoop(createHotLoop(tapedParts(parts, memory, tape)), tape, (catalogue) =>
    keepCatalogue(recording, catalogue),
  );
}
