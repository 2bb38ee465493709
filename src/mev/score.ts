/**
 * How sure a finding is: features of the candidate, each times a weight in log-odds, summed and brought into 0..1. The
 * weights are fitted (logistic regression with a ridge, scripts/fit-mev-score.ts) to labelled runs of seeds kept for it,
 * one set for attacks within a slot and one for those over several; docs/mev-scan.md says how well that holds.
 */
import type { Evidence } from "./finding.ts";
import { SCORE_WEIGHTS } from "./score-weights.ts";

/** What detection knows of a candidate that has legs, victims and a net profit. */
export type Circumstances = {
  /** Slots from the first front to the last back, and from the last victim to it. */
  readonly slots: number;
  readonly slotsAfterVictim: number;
  readonly victims: number;
  /** Trades of others on the pool between the legs that are no victims. */
  readonly bystanders: number;
  /** Trades of others on the pool between the fronts and the first victim, and between the last one and the backs. */
  readonly frontGap: number;
  readonly backGap: number;
  /** The legs and victims are neighbours in the block, with nothing else between. */
  readonly contiguous: boolean;
  /** The first front went against the trade before it on the pool, as those do who lean against the flow. */
  readonly reverting: boolean;
  readonly mismatch: number;
  /** What the fronts put in over what the victims did. */
  readonly sizeRatio: number;
  /** The largest loss of a victim over what it got; undefined without exact replay. */
  readonly lossShare: number | undefined;
  /** The part of the gross profit that is gone without the victims; undefined without exact replay. */
  readonly victimShare: number | undefined;
  readonly grossLamports: bigint;
  readonly tipLamports: bigint;
  /** Why several wallets are taken for one; empty for a single wallet. */
  readonly links: readonly string[];
  /** Front and back went through one program that is no DEX's own. */
  readonly ownProgram: boolean;
  /** Of these attackers before: legs of candidates like this one, other trades, and round trips that were no attack. */
  readonly earlierLegs: number;
  readonly earlierOthers: number;
  readonly earlierRoundTrips: number;
};

type Feature = {
  readonly name: string;
  /** About -3 to 3 within the default window; 0 says nothing. */
  readonly value: (seen: Circumstances) => number;
  readonly words: (seen: Circumstances) => string;
};

/** A victim that loses this share is in the middle. */
const LOSS_SHARE_MIDDLE = 0.003;
const GROSS_LAMPORTS_MIDDLE = 10_000_000;
const MISMATCH_EXACT = 0.001;

export function weigh(seen: Circumstances): { readonly score: number; readonly evidence: readonly Evidence[] } {
  const weights = SCORE_WEIGHTS[seen.slots === 0 ? "oneSlot" : "severalSlots"];
  const evidence: Evidence[] = [];
  let logOdds = 0;
  for (const { name, value, words } of FEATURES) {
    const found = value(seen);
    if (found === 0) continue;
    const weight = found * (weights[name] ?? 0);
    logOdds += weight;
    evidence.push({ name, value: found, weight, words: words(seen) });
  }
  return { score: 1 / (1 + Math.exp(-logOdds)), evidence };
}

const flag = (is: boolean): number => (is ? 1 : 0);
const clip = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const replayed = ({ lossShare }: Circumstances): boolean => lossShare !== undefined;
const legsShare = ({ earlierLegs, earlierOthers }: Circumstances): number =>
  (earlierLegs + 2) / (earlierLegs + earlierOthers + 2);

export const FEATURES: readonly Feature[] = [
  {
    name: "round trip around others",
    value: () => 1,
    words: ({ victims }) => `a round trip with ${victims} trades of others in its direction inside, who got less by it`,
  },
  {
    name: "slots apart",
    // Not clipped: in a window far wider than what the weights were fitted to, time apart must go on speaking against it.
    value: ({ slots }) => slots / 4,
    words: ({ slots }) => `the last back leg came ${slots} slots after the first front leg`,
  },
  {
    name: "back behind victim",
    value: ({ slots, slotsAfterVictim }) => flag(slots > 0 && slotsAfterVictim === 0),
    words: () => "the last back leg is in the last victim's slot",
  },
  {
    name: "neighbours",
    value: ({ contiguous }) => flag(contiguous),
    words: () => "legs and victims follow one another in the block, nothing between",
  },
  {
    name: "bystanders",
    value: ({ bystanders }) => Math.log1p(bystanders),
    words: ({ bystanders }) => `${bystanders} other trades on the pool lie between the legs`,
  },
  {
    name: "front gap",
    value: ({ frontGap }) => Math.log1p(frontGap),
    words: ({ frontGap }) => `${frontGap} trades of others came between the fronts and the first victim`,
  },
  {
    name: "back gap",
    value: ({ backGap }) => Math.log1p(backGap),
    words: ({ backGap }) => `${backGap} trades of others came between the last victim and the backs`,
  },
  {
    name: "against the flow",
    value: ({ reverting }) => flag(reverting),
    words: () => "the front went against the trade before it, as a market maker's does",
  },
  {
    name: "equal amounts",
    value: ({ mismatch }) => flag(mismatch <= MISMATCH_EXACT),
    words: ({ mismatch }) => `the legs' amounts differ by ${percent(mismatch)}`,
  },
  {
    name: "unequal amounts",
    value: ({ mismatch }) => (mismatch > MISMATCH_EXACT ? mismatch * 40 : 0),
    words: ({ mismatch }) => `the legs' amounts differ by ${percent(mismatch)}`,
  },
  {
    name: "several victims",
    value: ({ victims }) => Math.log(victims),
    words: ({ victims }) => `${victims} trades were hurt`,
  },
  {
    name: "size against victims",
    value: ({ sizeRatio }) => clip(Math.log(sizeRatio), 4),
    words: ({ sizeRatio }) => `the fronts put in ${sizeRatio.toPrecision(2)} times what the victims did`,
  },
  {
    name: "far from victims' size",
    value: ({ sizeRatio }) => Math.abs(clip(Math.log(sizeRatio), 4)),
    words: () => "how far the fronts are from the victims' size, either way",
  },
  {
    name: "no exact replay",
    value: (seen) => flag(!replayed(seen)),
    words: () => "the recording does not tell the pool's state",
  },
  {
    name: "victim loss",
    value: ({ lossShare }) => (lossShare === undefined ? 0 : clip(Math.log((lossShare + 1e-6) / LOSS_SHARE_MIDDLE), 4)),
    words: ({ lossShare = 0 }) =>
      `without the attacker the worst hurt victim would have done ${percent(lossShare)} better`,
  },
  {
    name: "profit from victims",
    value: ({ victimShare }) => (victimShare === undefined ? 0 : Math.min(victimShare, 1)),
    words: ({ victimShare = 0 }) =>
      `${percent(Math.min(victimShare, 1))} of the gross profit is gone without the victims' trades`,
  },
  {
    name: "profit beyond victims",
    value: ({ victimShare = 0 }) => clip(Math.log(Math.max(victimShare, 1)), 3),
    words: () => "without the victims the legs would have lost",
  },
  {
    name: "gross profit",
    value: ({ grossLamports }) => clip(Math.log10(Number(grossLamports) / GROSS_LAMPORTS_MIDDLE), 3),
    words: ({ grossLamports }) => `the legs made ${grossLamports} lamports before fees and tips`,
  },
  {
    name: "tip",
    value: ({ tipLamports }) => flag(tipLamports > 0n),
    words: ({ tipLamports }) => `the legs paid ${tipLamports} lamports in tips for their place`,
  },
  {
    name: "linked wallets",
    value: ({ links }) => flag(links.length > 0),
    words: ({ links }) => `several wallets act as one: ${links.join("; ")}`,
  },
  {
    name: "own program",
    value: ({ ownProgram }) => flag(ownProgram),
    words: () => "front and back went through one program that is no DEX",
  },
  {
    name: "habit",
    value: ({ earlierLegs }) => Math.log1p(earlierLegs),
    words: ({ earlierLegs }) => `${earlierLegs} earlier trades of these wallets were legs like these`,
  },
  {
    name: "other trades",
    value: ({ earlierOthers }) => Math.log1p(earlierOthers),
    words: ({ earlierOthers }) => `${earlierOthers} earlier trades of these wallets were no legs`,
  },
  {
    name: "share of legs",
    value: (seen) => 1 - legsShare(seen),
    words: (seen) => `${percent(legsShare(seen))} of all that these wallets traded are legs`,
  },
  {
    name: "mostly other trades",
    value: (seen) => (1 - legsShare(seen)) * Math.log1p(seen.earlierOthers),
    words: (seen) => `of many earlier trades of these wallets, ${percent(1 - legsShare(seen))} were no legs`,
  },
  {
    name: "very many other trades",
    value: ({ earlierOthers }) => Math.log1p(earlierOthers) ** 2 / 4,
    words: ({ earlierOthers }) => `${earlierOthers} earlier trades that were no legs make a trader of another kind`,
  },
  {
    name: "round trips",
    value: ({ earlierRoundTrips }) => Math.log1p(earlierRoundTrips),
    words: ({ earlierRoundTrips }) =>
      `${earlierRoundTrips} earlier round trips of theirs hurt nobody or gained nothing`,
  },
  {
    name: "round trips of a tipper",
    value: ({ earlierRoundTrips, tipLamports }) => flag(tipLamports > 0n) * Math.log1p(earlierRoundTrips),
    words: ({ earlierRoundTrips }) => `the legs paid tips, as ${earlierRoundTrips} earlier round trips need not`,
  },
];
