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

/** How the loop is set up for a pass: its settings, and whether a bandit chooses the tips behind a risk gate. */
export type HotThreadSetup = { readonly settings: HotLoopSettings; readonly guarded: boolean };

export const SETUPS = {
  own: { settings: BENCH_SETTINGS, guarded: false },
  /** As an agent runs without a word of its operator: what the C side does not have, so its records are others. */
  "as shipped": { settings: { ...BENCH_SETTINGS, splitGainLamportsMin: 10_000 }, guarded: true },
  /** A fee that no cycle pays: every event is screened and none decides. */
  "nothing found": { settings: { ...BENCH_SETTINGS, feeLamports: 1e15 }, guarded: false },
} as const satisfies Record<string, HotThreadSetup>;
export type HotThreadSetupName = keyof typeof SETUPS;

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
