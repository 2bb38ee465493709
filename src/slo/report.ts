/**
 * What the guard sees and has done, as a file that anybody on the box can read with everything else down: written every
 * second beside the run report, and read back by the next guard, so that a kill outlives a restart of the machine.
 */
import { readFileSync } from "node:fs";
import { writeFileAtomic } from "#core/atomic-file.ts";
import type { ClockQuality } from "#core/clock.ts";
import type { GuardAction } from "./guard.ts";
import type { ObjectiveName, Verdict } from "./objectives.ts";
import type { GuardBefore } from "./watch.ts";

/** Actions kept in the report, newest first. */
const ACTIONS_KEPT = 50;

export type ObjectiveReport = {
  readonly name: ObjectiveName;
  readonly about: string;
  readonly unit: string;
  readonly bad: "above" | "below";
  readonly limit: number;
  readonly severeLimit: number;
  readonly value: number;
  readonly samples: number;
  readonly state: Verdict["state"];
};

export type ActionReport = {
  readonly atMs: number;
  readonly agent: string;
  readonly kind: GuardAction["kind"];
  readonly throttlePct: number;
  /** What it was done for, with its figures, in words. */
  readonly because: string;
  /** The level that it was done for; a restore and a lift have none. */
  readonly objective?: ObjectiveName | undefined;
};

type AgentReport = GuardBefore & {
  readonly agent: string;
  readonly objectives: readonly ObjectiveReport[];
  /** Since the bus last acknowledged something of the agent's, ms. */
  readonly publishLagMs?: number | undefined;
};

export type GuardReport = {
  readonly atMs: number;
  /** false: it only watches. */
  readonly acts: boolean;
  /** The kernel's word on the wall clock. */
  readonly clock?: ClockQuality | undefined;
  readonly agents: readonly AgentReport[];
  readonly actions: readonly ActionReport[];
};

export function objectiveReport({ objective, value, samples, state }: Verdict): ObjectiveReport {
  const { name, about, unit, bad, limit, severeLimit } = objective;
  return { name, about, unit, bad, limit, severeLimit, value, samples, state };
}

/** "hot-path-p99 was 31.2 ms, at most 20 ms is asked for (1,204 samples)". */
export function wordsOf({ kind, because }: GuardAction): string {
  if (because === undefined) return kind === "lift" ? "an operator started it" : "nothing is violated any more";
  const { objective, value, samples } = because;
  const figure = (number: number) => `${Number(number.toPrecision(4)).toLocaleString("en")} ${objective.unit}`;
  const asked = objective.bad === "above" ? "at most" : "at least";
  return `${objective.name} was ${figure(value)}, ${asked} ${figure(objective.limit)} is asked for (${samples} samples)`;
}

/** Keeps the report and its file. */
export class GuardRecord {
  #actions: readonly ActionReport[];
  readonly #before: GuardReport | undefined;

  constructor(private readonly path: string) {
    this.#before = readGuardReport(path);
    this.#actions = this.#before?.actions ?? [];
  }

  /** What the report of an earlier guard says is in force on an agent. */
  before(agent: string): GuardBefore | undefined {
    return this.#before?.agents.find((entry) => entry.agent === agent);
  }

  did(action: ActionReport): void {
    this.#actions = [action, ...this.#actions].slice(0, ACTIONS_KEPT);
  }

  /** Replaces the file. Throws when the disk is full; the guard goes on without it. */
  write(report: Omit<GuardReport, "actions">): void {
    writeFileAtomic(this.path, JSON.stringify({ ...report, actions: this.#actions }));
  }
}

/** Undefined when there is none, or one of another shape: a guard that cannot read its past begins anew. */
export function readGuardReport(path: string): GuardReport | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isGuardReport(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Only our own file stands at that path; its outline is enough. */
function isGuardReport(value: unknown): value is GuardReport {
  if (typeof value !== "object" || value === null) return false;
  return "agents" in value && Array.isArray(value.agents) && "actions" in value && Array.isArray(value.actions);
}
