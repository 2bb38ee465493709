/**
 * How sure a finding is: named evidence, each with a weight in log-odds, summed onto a base and brought into 0..1. The
 * weights are judgement, not yet fitted to labelled runs: a score ranks findings, it is no measured probability.
 */
import type { Evidence } from "./finding.ts";

/** What detection knows of a candidate that has legs, victims and a net profit. */
export type Circumstances = {
  /** Slots from the first front to the last back. */
  readonly slots: number;
  /** Trades of others on the pool between the legs that are no victims. */
  readonly bystanders: number;
  /** The legs and victims are neighbours in the block, with nothing else between. */
  readonly contiguous: boolean;
  readonly mismatch: number;
  /** The largest loss of a victim over what it got; undefined without exact replay. */
  readonly lossShare: number | undefined;
  /** The part of the gross profit that is gone without the victims; undefined without exact replay. */
  readonly victimShare: number | undefined;
  readonly tipLamports: bigint;
  /** Why several wallets are taken for one; empty for a single wallet. */
  readonly links: readonly string[];
  /** Front and back went through one program that is no DEX's own. */
  readonly ownProgram: boolean;
  /** Earlier findings of these attackers, and round trips of theirs that were none. */
  readonly earlierFindings: number;
  readonly earlierRoundTrips: number;
};

const BASE = -1;
/** Victims that lose a smaller part than this hardly noticed. */
const LOSS_SHARE_LARGE = 0.003;
const MISMATCH_EXACT = 0.001;
const SLOTS_NEAR = 3;
const HABIT_MAX = 3;

export function weigh(seen: Circumstances): { readonly score: number; readonly evidence: readonly Evidence[] } {
  const evidence = [timing(seen), adjacency(seen), amounts(seen), ...victimEvidence(seen), ...attackerEvidence(seen)];
  const logOdds = evidence.reduce((sum, { weight }) => sum + weight, BASE);
  return { score: 1 / (1 + Math.exp(-logOdds)), evidence };
}

function timing({ slots }: Circumstances): Evidence {
  if (slots === 0) return { name: "same slot", weight: 1, words: "all legs are in one slot" };
  const weight = slots <= SLOTS_NEAR ? 0 : -1.5;
  return { name: "slots apart", weight, words: `the last back leg came ${slots} slots after the first front leg` };
}

function adjacency({ contiguous, bystanders }: Circumstances): Evidence {
  if (contiguous)
    return {
      name: "neighbours",
      weight: 2,
      words: "legs and victims follow one another in the block, nothing between",
    };
  if (bystanders === 0)
    return { name: "alone on the pool", weight: 1, words: "between the legs only victims traded on the pool" };
  const weight = -Math.min(1, 0.25 * bystanders);
  return { name: "bystanders", weight, words: `${bystanders} other trades on the pool lie between the legs` };
}

function amounts({ mismatch }: Circumstances): Evidence {
  const words = `the legs' amounts differ by ${percent(mismatch)}`;
  if (mismatch <= MISMATCH_EXACT) return { name: "equal amounts", weight: 1, words };
  return { name: "unequal amounts", weight: mismatch <= 0.01 ? 0.3 : -0.7, words };
}

function victimEvidence({ lossShare, victimShare }: Circumstances): Evidence[] {
  if (lossShare === undefined || victimShare === undefined)
    return [{ name: "no exact replay", weight: -1.2, words: "the recording does not tell the pool's state" }];
  const large = lossShare >= LOSS_SHARE_LARGE;
  return [
    {
      name: "victim loss",
      weight: large ? 1 : -0.3,
      words: `without the attacker the worst hurt victim would have done ${percent(lossShare)} better`,
    },
    {
      name: "profit from victims",
      weight: victimShare >= 0.9 ? 0.7 : -0.7,
      words: `${percent(Math.min(victimShare, 1))} of the gross profit is gone without the victims' trades`,
    },
  ];
}

function attackerEvidence(seen: Circumstances): Evidence[] {
  const { tipLamports, links, ownProgram, earlierFindings, earlierRoundTrips } = seen;
  const evidence: Evidence[] = [];
  if (tipLamports > 0n)
    evidence.push({ name: "tip", weight: 0.7, words: `the legs paid ${tipLamports} lamports in tips for their place` });
  if (links.length > 0)
    evidence.push({ name: "linked wallets", weight: -0.5, words: `several wallets act as one: ${links.join("; ")}` });
  if (ownProgram)
    evidence.push({
      name: "own program",
      weight: 0.5,
      words: "front and back went through one program that is no DEX",
    });
  if (earlierFindings > 0) {
    const weight = 0.5 * Math.min(earlierFindings, HABIT_MAX);
    evidence.push({ name: "habit", weight, words: `${earlierFindings} earlier findings name these attackers` });
  }
  if (earlierRoundTrips > 0) {
    const weight = -0.3 * Math.min(earlierRoundTrips, HABIT_MAX);
    const words = `${earlierRoundTrips} earlier round trips of theirs hurt nobody or gained nothing`;
    evidence.push({ name: "round trips", weight, words });
  }
  return evidence;
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
