/**
 * The market before a single account exists: which tokens there are, what they cost, which pools trade them and how deep
 * those are. All of it follows from the seed; nothing here knows addresses.
 */
import { seededRandom } from "#core/random.ts";

type TokenPlan = {
  readonly symbol: string;
  readonly decimals: number;
  /** SOL per whole token, which prices keep returning to. For plans, never for settling. */
  readonly priceSol: number;
};

export type PoolPlan = {
  /** Places in `tokens`; 0 is wrapped SOL. */
  readonly tokens: readonly [number, number];
  /** Place in FEE_TIERS. */
  readonly feeTier: number;
  /** Worth of one of the two sides. */
  readonly depthSol: number;
};

export type MarketPlan = { readonly tokens: readonly TokenPlan[]; readonly pools: readonly PoolPlan[] };

/** Trade fees of the AmmConfig accounts, in millionths of the input: a pool's tier is its config. */
export const FEE_TIERS = [500, 2_500, 5_000, 10_000, 20_000] as const;
/** Shares of the trade fee, in millionths, as on Raydium: 12 % to the protocol, 4 % to the fund. */
export const PROTOCOL_FEE_RATE = 120_000;
export const FUND_FEE_RATE = 40_000;

/**
 * Waders, most traded first; none of them is a token of the real network. Cheap ones have few decimals so that a million
 * SOL of any of them, times every holder, stays inside a u64.
 */
const TOKENS: readonly (TokenPlan & { readonly solTiers: readonly number[] })[] = [
  { symbol: "STINT", decimals: 6, priceSol: 0.0065, solTiers: [0, 1, 2, 3] },
  { symbol: "KNOT", decimals: 9, priceSol: 1.18, solTiers: [0, 1, 2] },
  { symbol: "DUNLIN", decimals: 6, priceSol: 0.0032, solTiers: [1, 2, 3, 4] },
  { symbol: "PLOVER", decimals: 6, priceSol: 0.014, solTiers: [1, 2, 3, 4] },
  { symbol: "CURLEW", decimals: 8, priceSol: 640, solTiers: [1, 2, 3] },
  { symbol: "RUFF", decimals: 5, priceSol: 0.000_001_4, solTiers: [2, 3, 4] },
  { symbol: "GODWIT", decimals: 8, priceSol: 21.5, solTiers: [1, 2, 3] },
  { symbol: "AVOCET", decimals: 6, priceSol: 0.09, solTiers: [2, 3] },
  { symbol: "SNIPE", decimals: 6, priceSol: 0.000_12, solTiers: [2, 4] },
  { symbol: "TURNSTONE", decimals: 6, priceSol: 0.41, solTiers: [2, 3] },
  { symbol: "WHIMBREL", decimals: 6, priceSol: 0.000_9, solTiers: [2, 4] },
  { symbol: "PRATINCOLE", decimals: 9, priceSol: 3.3, solTiers: [2] },
  { symbol: "DOTTEREL", decimals: 6, priceSol: 0.027, solTiers: [2] },
];

/** Token-token pools, by symbol, and their fee tiers. */
const CROSS_POOLS: readonly (readonly [string, string, number])[] = [
  ["STINT", "KNOT", 1],
  ["STINT", "DUNLIN", 2],
  ["STINT", "PLOVER", 2],
  ["STINT", "CURLEW", 1],
  ["STINT", "GODWIT", 2],
  ["DUNLIN", "PLOVER", 2],
  ["KNOT", "CURLEW", 2],
  ["STINT", "PRATINCOLE", 2],
  ["STINT", "DOTTEREL", 2],
];

/** Depths are log-normal around this, shrinking with the token's rank. */
const DEPTH_SOL_MEDIAN = 1_600;
const DEPTH_DEVIATION = 1.35;
const DEPTH_RANK_POWER = 0.55;
const CROSS_DEPTH_SHARE = 0.6;
const DEPTH_SOL_MIN = 25;
const DEPTH_SOL_MAX = 45_000;
const PRICE_DEVIATION = 0.2;

export function planMarket(seed: string): MarketPlan {
  const random = seededRandom(`${seed}/market`);
  const listed = TOKENS.map(({ symbol, decimals, priceSol }) => ({
    symbol,
    decimals,
    priceSol: priceSol * Math.exp(PRICE_DEVIATION * random.normal()),
  }));
  const tokens: TokenPlan[] = [{ symbol: "wSOL", decimals: 9, priceSol: 1 }, ...listed];
  const placeOf = (symbol: string) => tokens.findIndex((token) => token.symbol === symbol);
  const depth = (rank: number, share: number) => {
    const median = (DEPTH_SOL_MEDIAN * share) / (1 + rank) ** DEPTH_RANK_POWER;
    const drawn = median * Math.exp(DEPTH_DEVIATION * random.normal());
    return Math.min(DEPTH_SOL_MAX, Math.max(DEPTH_SOL_MIN, drawn));
  };
  const solPools = TOKENS.flatMap(({ solTiers }, rank) =>
    solTiers.map((feeTier): PoolPlan => ({ tokens: [0, rank + 1], feeTier, depthSol: depth(rank, 1) })),
  );
  const crossPools = CROSS_POOLS.map(
    ([left, right, feeTier]): PoolPlan => ({
      tokens: [placeOf(left), placeOf(right)],
      feeTier,
      depthSol: depth(placeOf(right), CROSS_DEPTH_SHARE),
    }),
  );
  return { tokens, pools: [...solPools, ...crossPools] };
}
