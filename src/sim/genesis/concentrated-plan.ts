/**
 * The concentrated pools before a single account exists: which pairs trade on them, at which fee and spacing, and between
 * which ticks their positions lie. All of it follows from the seed, by a random stream of its own, so that the other pools
 * and their flow stay what they are.
 */
import { seededRandom } from "#core/random.ts";
import type { MarketPlan } from "./market-plan.ts";

type PositionPlan = {
  /** Ticks from the pool's first tick, before they are rounded to the tier's grid; lower is less than upper. */
  readonly lower: number;
  readonly upper: number;
  /** Liquidity, as a share of what a constant-product pool of the same depth has. */
  readonly share: number;
};

export type ConcentratedPlan = {
  /** Places in the plan's `tokens`; 0 is wrapped SOL. */
  readonly tokens: readonly [number, number];
  /** Place in CONCENTRATED_TIERS. */
  readonly tier: number;
  readonly depthSol: number;
  readonly positions: readonly PositionPlan[];
};

/**
 * Fee, in millionths of the input, and tick spacing of the AmmConfig accounts: a pool's tier is its config. Positions end on
 * `gridTicks`: a swap names three tick arrays, so those of spacing 1, only 60 ticks wide, must not all hold an end.
 */
export const CONCENTRATED_TIERS = [
  { tradeFeeRate: 100, tickSpacing: 1, gridTicks: 200 },
  { tradeFeeRate: 500, tickSpacing: 10, gridTicks: 10 },
  { tradeFeeRate: 2_500, tickSpacing: 60, gridTicks: 60 },
  { tradeFeeRate: 10_000, tickSpacing: 120, gridTicks: 120 },
] as const;

/**
 * The popular pairs first, then one whose price lies so far from 1 that its tick arrays, 60 ticks wide, are beyond the
 * pool's own bitmap: it needs the bitmap extension.
 */
const POOLS: readonly (readonly [left: string, right: string, tier: number, depthSol: number])[] = [
  ["wSOL", "STINT", 1, 900],
  ["wSOL", "KNOT", 0, 700],
  ["wSOL", "STINT", 2, 600],
  ["wSOL", "DUNLIN", 2, 500],
  ["STINT", "KNOT", 1, 400],
  ["wSOL", "CURLEW", 2, 450],
  ["wSOL", "PLOVER", 3, 350],
  ["wSOL", "RUFF", 0, 300],
];
export const CONCENTRATED_POOLS_MAX = POOLS.length;

/** One position far around the price, so that there always is a next tick, and these around it. */
const WIDE: PositionPlan = { lower: -16_000, upper: 16_000, share: 0.6 };
const POSITIONS = 20;
/** Centres are normal around the price, widths log-uniform, both in ticks. */
const CENTRE_DEVIATION = 350;
const WIDTH = { low: 60, high: 2_400 } as const;
const SHARE = { low: 0.1, high: 0.4 } as const;

/** The first `count` concentrated pools of a plan. */
export function planConcentrated(seed: string, { tokens }: MarketPlan, count: number): readonly ConcentratedPlan[] {
  const random = seededRandom(`${seed}/concentrated`);
  const placeOf = (symbol: string) => tokens.findIndex((token) => token.symbol === symbol);
  const position = (): PositionPlan => {
    const centre = CENTRE_DEVIATION * random.normal();
    const half = (WIDTH.low * (WIDTH.high / WIDTH.low) ** random.unit()) / 2;
    const share = SHARE.low + (SHARE.high - SHARE.low) * random.unit();
    return { lower: Math.floor(centre - half), upper: Math.ceil(centre + half), share };
  };
  return POOLS.slice(0, count).map(([left, right, tier, depthSol]) => ({
    tokens: [placeOf(left), placeOf(right)],
    tier,
    depthSol: depthSol * (0.75 + random.unit() / 2),
    positions: [WIDE, ...Array.from({ length: POSITIONS }, position)],
  }));
}
