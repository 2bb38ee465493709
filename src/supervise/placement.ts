/**
 * Which process owns a core. On a small box nobody does: pinning a busy thread beside everything else makes both slower.
 * From four cores on, the arbitrage agent's hot thread owns the last core.
 */
import type { ProcessName } from "#core/run-report.ts";

/** With fewer cores than this all processes share. */
export const CORES_TO_PIN_MIN = 4;

/** The core a process is pinned to; undefined when it shares. */
export function coreOf(name: ProcessName, cores: number): number | undefined {
  return name === "arbitrage" && cores >= CORES_TO_PIN_MIN ? cores - 1 : undefined;
}
