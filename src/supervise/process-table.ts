/**
 * Which processes a mode needs, in the order of their start, and in which order they stop: first those that make
 * records, last those that keep them.
 */
import type { Config } from "#core/config.ts";
import type { ProcessName } from "#core/run-report.ts";

type ChildName = Exclude<ProcessName, "supervisor">;

export type ChildSpec = {
  readonly name: ChildName;
  /** 0 stops first. */
  readonly stopPhase: 0 | 1 | 2;
  /** On the way of a market event: it beats in every turn of its loop, and a stall of 100 ms is seen. */
  readonly hot?: true;
  /** All of them when left out. */
  readonly modes?: readonly Config["mode"][];
};

const CHILDREN: readonly ChildSpec[] = [
  { name: "clickhouse", stopPhase: 2 },
  { name: "sim", stopPhase: 1, modes: ["sim", "fork"] },
  { name: "gateway", stopPhase: 1 },
  { name: "recorder", stopPhase: 1 },
  { name: "guard", stopPhase: 1 },
  { name: "trainer", stopPhase: 0 },
  { name: "mev", stopPhase: 0, hot: true },
  { name: "arbitrage", stopPhase: 0, hot: true },
  { name: "feed", stopPhase: 0, hot: true },
];

/** ms each stop phase may take before what is left is killed; together under the 5 s that a stop may last. */
export const STOP_PHASE_MS_MAX = [3_300, 900, 600] as const;

export function childrenOf(mode: Config["mode"]): readonly ChildSpec[] {
  return CHILDREN.filter(({ modes }) => modes === undefined || modes.includes(mode));
}
