/**
 * A pool of a labelled run. Raydium's AMM v4 and CP-Swap are priced by dex/ to the unit, and their logs tell the reserves;
 * the other four programs hold one range of liquidity as virtual reserves, and a recording tells no reserves of them.
 */
import type { Address, Signature } from "#core/units.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import type { VenueName } from "#dex/venue.ts";

/** Money side first: what the pool's token is priced in (wrapped SOL, or a dollar). */
export type Reserves = readonly [money: bigint, tokens: bigint];

export type PaperPool = {
  readonly address: Address;
  readonly venue: VenueName;
  readonly money: Address;
  readonly token: Address;
  readonly feeNumerator: number;
  readonly feeDenominator: number;
  reserves: Reserves;
  /** Orders since the oldest attack that is under way began, for the replay without its attacker. */
  readonly history: PoolEvent[];
  /** Attacks that are under way here. */
  watchers: number;
};

/** Buying pays money for tokens. */
export type PaperOrder = { readonly buy: boolean; readonly exact: "in" | "out"; readonly amount: bigint };
export type PaperFill = { readonly amountIn: bigint; readonly amountOut: bigint; readonly after: Reserves };
export type PoolSwap = {
  readonly order: PaperOrder;
  readonly fill: PaperFill;
  readonly before: Reserves;
  readonly signature: Signature;
  /** A hop of a circle: whoever made it saw the price and chose. */
  readonly cyclic: boolean;
};
type PoolEvent = PoolSwap | { readonly moved: readonly [numerator: bigint, denominator: bigint] };

/** The parts of CP-Swap's trade fee that leave the reserves, in millionths. */
const CPMM_ASIDE_RATES = [120_000n, 40_000n] as const;

export const tellsReserves = ({ venue }: PaperPool): boolean => venue === "raydium-amm-v4" || venue === "raydium-cpmm";

/** Undefined where the program would refuse. */
export function fillOf(pool: PaperPool, reserves: Reserves, order: PaperOrder): PaperFill | undefined {
  const [reserveIn, reserveOut] = order.buy ? reserves : [reserves[1], reserves[0]];
  const amountIn = order.exact === "in" ? order.amount : quoteExactOut(pool, reserveIn, reserveOut, order.amount);
  const amountOut = order.exact === "out" ? order.amount : quoteExactIn(pool, reserveIn, reserveOut, order.amount);
  if (amountIn <= 0n || amountOut <= 0n) return undefined;
  const [nextIn, nextOut] = [reserveIn + amountIn - setAside(pool, amountIn), reserveOut - amountOut];
  return { amountIn, amountOut, after: order.buy ? [nextIn, nextOut] : [nextOut, nextIn] };
}

export function applyOrder(
  pool: PaperPool,
  order: PaperOrder,
  { signature, cyclic }: Pick<PoolSwap, "signature" | "cyclic">,
): PaperFill | undefined {
  const fill = fillOf(pool, pool.reserves, order);
  if (fill === undefined) return undefined;
  if (pool.watchers > 0) pool.history.push({ order, fill, before: pool.reserves, signature, cyclic });
  pool.reserves = fill.after;
  return fill;
}

/** Liquidity comes or goes at the price there is. */
export function moveLiquidity(pool: PaperPool, numerator: bigint, denominator: bigint): void {
  if (pool.watchers > 0) pool.history.push({ moved: [numerator, denominator] });
  pool.reserves = scaled(pool.reserves, numerator, denominator);
}

export function watch(pool: PaperPool): void {
  pool.watchers++;
}

export function unwatch(pool: PaperPool): void {
  if (--pool.watchers === 0) pool.history.length = 0;
}

/**
 * The fills of the pool's history from `first` on, had the orders in `without` not been given. Undefined for those, for
 * moves of liquidity and where the program would have refused.
 */
export function replayWithout(
  pool: PaperPool,
  first: number,
  without: ReadonlySet<PaperFill>,
): ReadonlyMap<PaperFill, PaperFill> {
  const start = pool.history[first];
  const told = new Map<PaperFill, PaperFill>();
  if (start === undefined || "moved" in start) return told;
  let state = start.before;
  for (const event of pool.history.slice(first)) {
    if ("moved" in event) {
      state = scaled(state, ...event.moved);
      continue;
    }
    if (without.has(event.fill)) continue;
    const fill = fillOf(pool, state, event.order);
    if (fill === undefined) continue;
    told.set(event.fill, fill);
    state = fill.after;
  }
  return told;
}

function setAside(pool: PaperPool, amountIn: bigint): bigint {
  if (pool.venue !== "raydium-cpmm") return 0n;
  const denominator = BigInt(pool.feeDenominator);
  const fee = (amountIn * BigInt(pool.feeNumerator) + denominator - 1n) / denominator;
  return CPMM_ASIDE_RATES.reduce((sum, rate) => sum + (fee * rate) / 1_000_000n, 0n);
}

const scaled = ([money, tokens]: Reserves, numerator: bigint, denominator: bigint): Reserves => [
  (money * numerator) / denominator,
  (tokens * numerator) / denominator,
];
