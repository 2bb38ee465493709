/** One decision's way from the market event to its end, as steps in the order of their times. */
import type { Arb, Outcome } from "#wire/envelope.ts";

export type TimelineStep = {
  readonly name: string;
  readonly atNs: bigint;
  /** Since the step before; 0 for the first. */
  readonly afterNs: bigint;
  /** Since the first step. */
  readonly sinceNs: bigint;
};

/** A step that never happened has the time 0 and is left out. */
export function timeline(decision: Arb, outcome: Outcome | undefined): TimelineStep[] {
  const known = [
    { name: "market event left its source", atNs: decision.eventNs },
    { name: "feed wrote it to the agent's ring", atNs: decision.feedNs },
    { name: "decided", atNs: decision.decideNs },
    { name: "send started", atNs: decision.sendNs },
    { name: "route acknowledged", atNs: outcome?.acceptedNs ?? 0n },
    { name: outcome?.landed ? "landed, known here" : "ended, known here", atNs: outcome?.landNs ?? 0n },
  ].filter(({ atNs }) => atNs > 0n);
  // Several processes stamp these: an end may be known from the chain before the route's own answer is here.
  known.sort((left, right) => Number(left.atNs - right.atNs));
  const firstNs = known[0]?.atNs ?? 0n;
  return known.map(({ name, atNs }, i) => ({
    name,
    atNs,
    afterNs: atNs - (known[i - 1]?.atNs ?? atNs),
    sinceNs: atNs - firstNs,
  }));
}
