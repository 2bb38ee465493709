/**
 * Why a decision came out as it did. The number travels in a decision record and is never renumbered; the name is what
 * goes on record, the words are for people.
 */

export const REASONS = [
  { code: 1, name: "profitable", words: "expected value above the minimum: sent" },
  { code: 2, name: "killed", words: "the operator's kill switch is on" },
  { code: 3, name: "throttled", words: "passed over by the operator's throttle" },
  { code: 4, name: "ev_below_minimum", words: "the best tip's expected value is below the minimum" },
  { code: 5, name: "in_flight", words: "a bundle over one of its pools is still open on the same state" },
  { code: 6, name: "too_many_in_flight", words: "as many bundles are open as may be" },
  { code: 7, name: "no_affordable_tip", words: "no tip of the ladder leaves a profit within the tip share" },
  { code: 8, name: "stopped", words: "the operator has stopped the agent; what was open is followed to its end" },
  { code: 9, name: "risk_halted", words: "the risk limits of the day are used up" },
  { code: 10, name: "risk_pool", words: "one of its pools or tokens has lost what it may lose in a day" },
  { code: 11, name: "sends_per_minute", words: "as many attempts were made in the last minute as may be" },
] as const;

export type ReasonName = (typeof REASONS)[number]["name"];

export const REASON_CODE = Object.fromEntries(REASONS.map(({ name, code }) => [name, code])) as Record<
  ReasonName,
  number
>;

/** The reason of a code; a code that no version of ours wrote is a bug and reads as undefined. */
export function reasonOf(code: number): (typeof REASONS)[number] | undefined {
  return REASONS.find((reason) => reason.code === code);
}
