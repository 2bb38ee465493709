/**
 * Which processes a mode needs, in the order of their start, and in which order they stop: first those that make
 * records, last those that keep them.
 */
import type { ProcessName } from "#core/run-report.ts";

type ChildName = Exclude<ProcessName, "supervisor">;

export type ChildSpec = {
  readonly name: ChildName;
  /** 0 stops first. */
  readonly stopPhase: 0 | 1 | 2;
  readonly modes: readonly ("sim" | "replay")[];
};

const CHILDREN: readonly ChildSpec[] = [
  { name: "clickhouse", stopPhase: 2, modes: ["sim", "replay"] },
  { name: "sim", stopPhase: 1, modes: ["sim"] },
  { name: "gateway", stopPhase: 1, modes: ["sim", "replay"] },
  { name: "recorder", stopPhase: 1, modes: ["sim", "replay"] },
  { name: "guard", stopPhase: 1, modes: ["sim", "replay"] },
  { name: "mev", stopPhase: 0, modes: ["sim", "replay"] },
  { name: "arbitrage", stopPhase: 0, modes: ["sim", "replay"] },
  { name: "feed", stopPhase: 0, modes: ["sim", "replay"] },
];

/** ms each stop phase may take before what is left is killed; together under the 5 s that a stop may last. */
export const STOP_PHASE_MS_MAX = [3_300, 900, 600] as const;

export function childrenOf(mode: "sim" | "replay"): readonly ChildSpec[] {
  return CHILDREN.filter((child) => child.modes.includes(mode));
}
