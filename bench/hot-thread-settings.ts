/** What both sides of bench/hot-thread.ts are told, and what each answers. */
import type { HotLoopSettings } from "#decide/hot-loop.ts";
import type { PolicyFields } from "#memory/switchboard.ts";
import type { Quantiles } from "./hot-thread-times.ts";

export const BENCH_SETTINGS: HotLoopSettings = {
  hopsMax: 3,
  splitGainLamportsMin: 0,
  inputLamportsMax: 50_000_000_000,
  tipShareMax: 0.5,
  feeLamports: 5_000,
  missCostLamports: 0,
  slotMs: 400,
  walletLamports: 1_000_000_000_000,
};

export const POLICY: PolicyFields = {
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: 10_000,
  tipLadderLamports: [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000],
};

/** The same with split hops, which the C side does not have: timed beside it, its records are others. */
const SPLITTING_SETTINGS: HotLoopSettings = { ...BENCH_SETTINGS, splitGainLamportsMin: 10_000 };

/** A fee that no cycle pays: every event is screened and none decides, which is to allocate nothing at all. */
const NOTHING_FOUND_SETTINGS: HotLoopSettings = { ...BENCH_SETTINGS, feeLamports: 1e15 };

export const SETTINGS_OF: Readonly<Record<string, HotLoopSettings>> = {
  own: BENCH_SETTINGS,
  splitting: SPLITTING_SETTINGS,
  "nothing found": NOTHING_FOUND_SETTINGS,
};

/** The just-in-time compiler needs these; C gets the same. */
export const WARM_UP_EVENTS = 1_000_000;

export type HotThreadResult = {
  /** FNV-1a over the bytes of all decision records of the pass under the counted clock. */
  readonly hash: number;
  readonly decisions: number;
  readonly sends: number;
  /** Events that led to no decision record, and those that did; ns. */
  readonly plain: Quantiles;
  readonly deciding: Quantiles;
  /** Of the timed pass, on Sandpiper's side: bytes by which the heap grew, which is all that was allocated if nothing was collected. */
  readonly heapGrowthBytes?: number;
};

/** On stderr around the timed pass: what the collector says between them (BUN_JSC_logGC) are its collections. */
export const TIMED_PASS = { begins: "timed pass begins", ends: "timed pass ends" } as const;
