/**
 * Matched legs on one pool, judged: who between them is a victim, what they lost, what the attacker made, and whether it
 * made it from them.
 */
import type { Address } from "#core/units.ts";
import { tellAgain } from "./constant-product.ts";
import { attackerProfit, lossOf } from "./counterfactual.ts";
import type { SandwichLeg, Victim } from "./finding.ts";
import type { MatchedLegs } from "./match-legs.ts";
import type { PlacedTrade } from "./pool-window.ts";
import type { PriceTable } from "./price-table.ts";
import type { Trade } from "./trade.ts";

/** Victims paid at least this many times the profit: nobody accepts to lose more than half, so more came from elsewhere. */
const VICTIM_PAYMENT_OVER_PROFIT_MIN = 2n;

/** Matched legs that hurt nobody or gained nothing: a round trip like any other. */
export type IdleLegs = {
  readonly kind: "idle";
  readonly placed: readonly PlacedTrade[];
  /** Undefined where a price is not known. */
  readonly grossLamports: bigint | undefined;
};

export type Candidate = {
  readonly kind: "candidate";
  readonly legs: readonly SandwichLeg[];
  readonly placed: readonly PlacedTrade[];
  readonly victims: readonly Victim[];
  readonly grossLamports: bigint;
  readonly mismatch: number;
  readonly bystanders: number;
  /** As in Circumstances. */
  readonly frontGap: number;
  readonly backGap: number;
  readonly sizeRatio: number;
  readonly reverting: boolean;
  /** As in Circumstances. */
  readonly lossShare: number | undefined;
  readonly victimShare: number | undefined;
};

/** `before` is the trade on the pool before the first front. */
export function judgeLegs(
  { fronts, backs, mismatch }: MatchedLegs,
  between: readonly PlacedTrade[],
  group: ReadonlySet<Address>,
  prices: PriceTable,
  before: Trade | undefined,
): Candidate | IdleLegs {
  const placed = [...fronts, ...backs];
  const ownTrades = new Set(placed.map(({ trade }) => trade));
  const ownSignatures = new Set(placed.map(({ trade }) => trade.transaction.signature));
  const direction = fronts[0]?.trade.mintIn as Address;
  const hurtable = (trade: Trade) =>
    trade.mintIn === direction &&
    !group.has(trade.actor) &&
    !trade.cyclic &&
    !ownSignatures.has(trade.transaction.signature);
  const trades = between.map(({ trade }) => trade);
  const targets = trades.filter(hurtable);
  const other = fronts[0]?.trade.mintOut as Address;
  const value = ([gainIn, gainOut]: readonly [bigint, bigint]) =>
    add(prices.lamports(direction, gainIn), prices.lamports(other, gainOut));
  const gross = value(profitOf([...ownTrades], direction));
  const idle: IdleLegs = { kind: "idle", placed, grossLamports: gross };
  if (targets.length === 0 || gross === undefined || gross <= 0n) return idle;
  const told = tellLosses(trades, direction, (trade) =>
    ownTrades.has(trade) ? "attacker" : hurtable(trade) ? "victim" : "other",
  );
  const victims = targets.flatMap((trade): Victim[] => {
    if (told === undefined) return [{ trade, loss: undefined }];
    const loss = told.losses.get(trade);
    if (loss === undefined || loss.amount <= 0n) return [];
    return [{ trade, loss: { ...loss, lamports: prices.lamports(loss.mint, loss.amount) } }];
  });
  const withoutVictims = told && value(told.profitWithoutVictims);
  if (victims.length === 0) return idle;
  const paid = prices.lamports(direction, sum(victims.map(({ trade }) => trade.amountIn)));
  if (paid === undefined || gross * VICTIM_PAYMENT_OVER_PROFIT_MIN > paid) return idle;
  const victimShare = withoutVictims === undefined ? undefined : Number(gross - withoutVictims) / Number(gross);
  if (victimShare !== undefined && victimShare <= 0) return idle;
  const put = sum(fronts.map(({ trade }) => trade.amountIn));
  const victimPlaces = victims.map(({ trade }) => trades.indexOf(trade));
  const lastFront = trades.indexOf(fronts.at(-1)?.trade as Trade);
  const firstBack = trades.indexOf(backs[0]?.trade as Trade);
  return {
    kind: "candidate",
    legs: placed.map((leg, i) => ({ role: i < fronts.length ? "front" : "back", trade: leg.trade })),
    placed,
    victims,
    grossLamports: gross,
    mismatch,
    bystanders: trades.length - ownTrades.size - victims.length,
    frontGap: Math.max(0, Math.min(...victimPlaces) - lastFront - 1),
    backGap: Math.max(0, firstBack - Math.max(...victimPlaces) - 1),
    sizeRatio: Number(put) / Number(sum(victims.map(({ trade }) => trade.amountIn))),
    reverting: before !== undefined && before.mintIn !== direction && !group.has(before.actor),
    lossShare: told && shareLost(victims),
    victimShare,
  };
}

/** Each victim's exact loss, and what the legs would have made without the victims. */
function tellLosses(trades: readonly Trade[], direction: Address, partOf: Parameters<typeof tellAgain>[2]) {
  const again = tellAgain(trades, direction, partOf);
  if (again === undefined) return undefined;
  const { steps, told } = again;
  const losses = new Map<Trade, { mint: Address; amount: bigint }>();
  steps.forEach((step, i) => {
    const trade = trades[i] as Trade;
    const amount = step.part === "victim" ? lossOf(step, i, told) : undefined;
    const mint = step.order.mode === "exact-in" ? trade.mintOut : trade.mintIn;
    if (amount !== undefined) losses.set(trade, { mint, amount });
  });
  return { losses, profitWithoutVictims: attackerProfit(steps, told.withoutVictims) };
}

/** Net of the legs, in the token the fronts paid with and in the other. */
function profitOf(legs: readonly Trade[], direction: Address): readonly [bigint, bigint] {
  const [profit, other]: [bigint[], bigint[]] = [[], []];
  for (const { mintIn, amountIn, amountOut } of legs) {
    profit.push(mintIn === direction ? -amountIn : amountOut);
    other.push(mintIn === direction ? amountOut : -amountIn);
  }
  return [sum(profit), sum(other)];
}

function shareLost(victims: readonly Victim[]): number {
  const shares = victims.map(({ trade, loss }) => {
    const base = loss?.mint === trade.mintOut ? trade.amountOut : trade.amountIn;
    return loss === undefined || base === 0n ? 0 : Number(loss.amount) / Number(base);
  });
  return Math.max(...shares);
}

const add = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || b === undefined ? undefined : a + b;
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
