/**
 * The counterfactual of a stretch of recorded trades on a constant-product pool. Recordings do not tell a pool's fee; it is
 * the published one that gives every recorded amount and every reserve found by the next trade, to the unit. Where none
 * does (liquidity moved in between, an unknown fee), nothing is told: a loss is exact or it is not stated.
 */
import type { Address } from "#core/units.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import type { SwapOrder, VenueName } from "#dex/venue.ts";
import { type Counterfactual, counterfactual, type Run, type Step } from "./counterfactual.ts";
import type { Trade } from "./trade.ts";

type Reserves = readonly [bigint, bigint];
type Fee = { readonly feeNumerator: number; readonly feeDenominator: number };
type Curve = Fee & {
  /** How much of an input leaves the reserves for the fees' owners. */
  readonly setAside: (amountIn: bigint) => bigint;
};

const AMM_V4: Curve = { feeNumerator: 25, feeDenominator: 10_000, setAside: () => 0n };
const CPMM_DENOMINATOR = 1_000_000;
/** Trade fees of CP-Swap's public configurations. */
const CPMM_FEE_RATES = [2_500, 3_000, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000];
/** Parts of the trade fee that CP-Swap's public configurations take for the protocol and the fund. */
const CPMM_PROTOCOL_RATE = 120_000n;
const CPMM_FUND_RATE = 40_000n;

const CURVES: ReadonlyMap<VenueName, readonly Curve[]> = new Map([
  ["raydium-amm-v4", [AMM_V4]],
  ["raydium-cpmm", CPMM_FEE_RATES.map(cpmmCurve)],
]);

export type ToldTrades = { readonly steps: readonly Step[]; readonly told: Counterfactual };

/** Side 0 is the token of `mint`. */
export function tellAgain(
  trades: readonly Trade[],
  mint: Address,
  partOf: (trade: Trade) => Step["part"],
): ToldTrades | undefined {
  const first = trades[0];
  if (first?.reading === undefined) return undefined;
  const start = reservesFound(first, mint);
  const orders = trades.map((trade) => orderOf(trade, mint));
  const curve = CURVES.get(first.venue)?.find((one) => gives(one, start, trades, orders, mint));
  if (curve === undefined) return undefined;
  const steps = trades.map((trade, i): Step => ({ order: orders[i] as SwapOrder, part: partOf(trade) }));
  return { steps, told: counterfactual(start, steps, runOn(curve)) };
}

function cpmmCurve(rate: number): Curve {
  const denominator = BigInt(CPMM_DENOMINATOR);
  return {
    feeNumerator: rate,
    feeDenominator: CPMM_DENOMINATOR,
    setAside: (amountIn) => {
      const fee = (amountIn * BigInt(rate) + denominator - 1n) / denominator;
      return (fee * CPMM_PROTOCOL_RATE) / denominator + (fee * CPMM_FUND_RATE) / denominator;
    },
  };
}

/** Whether this curve leads through all the trades as they were recorded. */
function gives(
  curve: Curve,
  start: Reserves,
  trades: readonly Trade[],
  orders: readonly SwapOrder[],
  mint: Address,
): boolean {
  const run = runOn(curve);
  let state = start;
  return trades.every((trade, i) => {
    const { reading } = trade;
    if (reading === undefined) return false;
    const [found0, found1] = reservesFound(trade, mint);
    const filled = run(state, orders[i] as SwapOrder);
    if (filled === undefined || found0 !== state[0] || found1 !== state[1]) return false;
    state = filled.after;
    return filled.amountIn === reading.amountIn && filled.amountOut === reading.amountOut;
  });
}

const runOn =
  (curve: Curve): Run<Reserves> =>
  (reserves, { inputSide, mode, amount }) => {
    const [reserveIn, reserveOut] = inputSide === 0 ? reserves : [reserves[1], reserves[0]];
    const amountIn = mode === "exact-in" ? amount : quoteExactOut(curve, reserveIn, reserveOut, amount);
    const amountOut = mode === "exact-out" ? amount : quoteExactIn(curve, reserveIn, reserveOut, amount);
    if (amountIn === 0n || amountOut === 0n) return undefined;
    const [nextIn, nextOut] = [reserveIn + amountIn - curve.setAside(amountIn), reserveOut - amountOut];
    return { amountIn, amountOut, after: inputSide === 0 ? [nextIn, nextOut] : [nextOut, nextIn] };
  };

function orderOf({ reading, mintIn, amountIn }: Trade, mint: Address): SwapOrder {
  const inputSide = mintIn === mint ? 0 : 1;
  if (reading?.exact === "out") return { inputSide, mode: "exact-out", amount: reading.amountOut };
  return { inputSide, mode: "exact-in", amount: reading?.amountIn ?? amountIn };
}

function reservesFound({ reading, mintIn }: Trade, mint: Address): Reserves {
  const [reserveIn, reserveOut] = [reading?.reserveIn ?? 0n, reading?.reserveOut ?? 0n];
  return mintIn === mint ? [reserveIn, reserveOut] : [reserveOut, reserveIn];
}
