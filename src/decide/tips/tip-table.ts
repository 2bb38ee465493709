/**
 * What the bandit knows: for each kind of auction and each rung of the ladder, how often a tip of that size won.
 *
 * Kinds are counted twice, coarse and fine. The coarse ones (profit × how much of it the tip floor is) fill quickly; the
 * fine ones (also × congestion × leader) begin from what their coarse one believes, so that a new leader is no blank page:
 *
 *   belief(fine, rung) = Beta(K·m + wins, K·(1 − m) + losses),   m = the coarse belief, whose own m is the model's score
 *
 * A lost auction with the winner's tip known, and every won one, tells about all rungs from the one that was played
 * upwards: they would have won or lost for certain. Below it a win tells nothing, so nothing is learnt there, or the low
 * rungs would only ever be told of their losses. Counts fade by FADE for every auction of their kind: markets change.
 */
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";

/** One auction, as it is known before the tip is chosen. */
export type TipAuction = {
  grossLamports: number;
  feeLamports: number;
  /** Share of the own bundles that were outbid lately, 0..1. */
  congestion: number;
  /** 75th percentile of the tips that landed lately; 0 unknown. */
  tipFloorLamports: number;
  /** Any whole number that stands for the leader; 0 unknown. */
  leader: number;
};

export const TIP_RESULT = { none: 0, landed: 1, outbid: 2, lost: 3 } as const;
export type TipResult = (typeof TIP_RESULT)[keyof typeof TIP_RESULT];

const PROFIT_KINDS = 5;
const FLOOR_KINDS = 6;
const CONGESTION_KINDS = 3;
const LEADER_KINDS = 4;
export const COARSE_KINDS = PROFIT_KINDS * FLOOR_KINDS;
const FINE_PER_COARSE = CONGESTION_KINDS * LEADER_KINDS;
/** How many auctions a belief that is inherited counts for. */
const PRIOR_COARSE = 4;
const PRIOR_FINE = 16;
/** About the last 300 auctions of a kind count. */
const FADE = 1 - 1 / 300;

export class TipTable {
  readonly #coarse = new Float64Array(new ArrayBuffer(COARSE_KINDS * TIP_LADDER_MAX * 16));
  readonly #fine = new Float64Array(new ArrayBuffer(COARSE_KINDS * FINE_PER_COARSE * TIP_LADDER_MAX * 16));
  /** Beta parameters of each rung, as `believe` left them. */
  readonly wins = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));
  readonly losses = new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8));

  /** Fills `wins` and `losses` for the first `count` rungs. `scores`: the model's word on each, 0..1. */
  believe(kind: number, count: number, scores: Float64Array): void {
    const coarse = Math.floor(kind / FINE_PER_COARSE) * TIP_LADDER_MAX;
    const fine = kind * TIP_LADDER_MAX;
    for (let rung = 0; rung < count; rung++) {
      const c = 2 * (coarse + rung);
      const f = 2 * (fine + rung);
      // Never quite certain, so that no belief is stuck at its end.
      const score = Math.min(0.98, Math.max(0.02, scores[rung] as number));
      const coarseWins = (this.#coarse[c] as number) + PRIOR_COARSE * score;
      const coarseMean = coarseWins / ((this.#coarse[c] as number) + (this.#coarse[c + 1] as number) + PRIOR_COARSE);
      this.wins[rung] = (this.#fine[f] as number) + PRIOR_FINE * coarseMean;
      this.losses[rung] = (this.#fine[f + 1] as number) + PRIOR_FINE * (1 - coarseMean);
    }
  }

  /** Takes in how an auction of this kind ended that was played with `rung` of `ladder`. */
  learn(
    kind: number,
    ladder: Float64Array,
    count: number,
    played: { readonly rung: number; readonly result: TipResult; readonly rivalTipLamports: number },
  ): void {
    const coarse = Math.floor(kind / FINE_PER_COARSE) * TIP_LADDER_MAX;
    const fine = kind * TIP_LADDER_MAX;
    const { result, rivalTipLamports } = played;
    for (let rung = 0; rung < TIP_LADDER_MAX; rung++) {
      fade(this.#coarse, coarse + rung);
      fade(this.#fine, fine + rung);
      if (rung < played.rung || rung >= count) continue;
      const wouldWin =
        result === TIP_RESULT.landed ||
        (result === TIP_RESULT.outbid && rung > played.rung && (ladder[rung] as number) > rivalTipLamports);
      const at = wouldWin ? 0 : 1;
      this.#coarse[2 * (coarse + rung) + at] = (this.#coarse[2 * (coarse + rung) + at] as number) + 1;
      this.#fine[2 * (fine + rung) + at] = (this.#fine[2 * (fine + rung) + at] as number) + 1;
    }
  }

  forget(): void {
    this.#coarse.fill(0);
    this.#fine.fill(0);
  }
}

/** Which kind of auction it is. */
export function kindOf(auction: Readonly<TipAuction>): number {
  const crowd = bucket(auction.congestion * 2 * CONGESTION_KINDS, CONGESTION_KINDS);
  return coarseKindOf(auction) * FINE_PER_COARSE + crowd * LEADER_KINDS + (auction.leader & (LEADER_KINDS - 1));
}

/** The kind by profit and tip floor alone, below COARSE_KINDS. */
export function coarseKindOf({
  grossLamports,
  tipFloorLamports,
}: Pick<TipAuction, "grossLamports" | "tipFloorLamports">) {
  const profit = bucket(Math.log10(Math.max(1, grossLamports)) - 5, PROFIT_KINDS);
  // Unknown, then the floor below 1, 3, 10, 30 % of the profit and above.
  const share = (100 * tipFloorLamports) / grossLamports;
  const floor = tipFloorLamports <= 0 ? 0 : 1 + bucket(2 * Math.log10(share) + 1, FLOOR_KINDS - 1);
  return profit * FLOOR_KINDS + floor;
}

/** NaN and what lies outside go to an end. */
const bucket = (value: number, count: number): number => (value > 0 ? Math.min(count - 1, Math.floor(value)) : 0);

function fade(counts: Float64Array, place: number): void {
  counts[2 * place] = (counts[2 * place] as number) * FADE;
  counts[2 * place + 1] = (counts[2 * place + 1] as number) * FADE;
}
