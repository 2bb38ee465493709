/**
 * Front and back legs out of one trader's trades on a pool: the last trades one way, and the trades the other way right
 * before them. Split legs are matched as sets, by amounts: what the backs give back is what the fronts took.
 */
import type { PlacedTrade } from "./pool-window.ts";

export type MatchedLegs = {
  readonly fronts: readonly PlacedTrade[];
  readonly backs: readonly PlacedTrade[];
  /** How far the amounts are apart: 0 is equal. */
  readonly mismatch: number;
};

/** Legs on one side of a sandwich. */
const LEGS_MAX = 8;

/**
 * The legs that close with the last of `own`. With `whole`, only all trades of both runs together count as a match: then
 * nothing is left that a later trade could complete.
 */
export function matchLegs(own: readonly PlacedTrade[], tolerance: number, whole: boolean): MatchedLegs | undefined {
  const [fronts, backs] = lastTwoRuns(own);
  let best: MatchedLegs | undefined;
  for (let backCount = whole ? backs.length : 1; backCount <= backs.length; backCount++)
    for (let frontCount = whole ? fronts.length : 1; frontCount <= fronts.length; frontCount++) {
      if (frontCount === 0 || backCount === 0) continue;
      const legs = { fronts: fronts.slice(-frontCount), backs: backs.slice(-backCount) };
      const mismatch = mismatchOf(legs.fronts, legs.backs);
      if (mismatch <= tolerance && mismatch < (best?.mismatch ?? Number.POSITIVE_INFINITY))
        best = { ...legs, mismatch };
    }
  return best;
}

function lastTwoRuns(own: readonly PlacedTrade[]): [PlacedTrade[], PlacedTrade[]] {
  const mintIn = own.at(-1)?.trade.mintIn;
  let at = own.length;
  while (at > 0 && own[at - 1]?.trade.mintIn === mintIn) at--;
  const backsStart = at;
  while (at > 0 && own[at - 1]?.trade.mintIn !== mintIn) at--;
  return [own.slice(at, backsStart).slice(-LEGS_MAX), own.slice(backsStart).slice(-LEGS_MAX)];
}

/** Either side may match: a trader that began by selling buys back the same tokens, or spends the same money. */
function mismatchOf(fronts: readonly PlacedTrade[], backs: readonly PlacedTrade[]): number {
  const took = sum(fronts.map(({ trade }) => trade.amountOut));
  const gave = sum(fronts.map(({ trade }) => trade.amountIn));
  const returned = sum(backs.map(({ trade }) => trade.amountIn));
  const received = sum(backs.map(({ trade }) => trade.amountOut));
  return Math.min(apart(took, returned), apart(gave, received));
}

function apart(a: bigint, b: bigint): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return high === 0n ? 1 : Number(high - low) / Number(high);
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
