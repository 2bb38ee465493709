/**
 * The arithmetic of PumpSwap's three trades. With reserves B of base and Q of quote (virtual ones counted), and each fee
 * ⌈quote · bps / 10000⌉:
 *
 *   sell                 quote = ⌊in · Q / (B + in)⌋                     the user gets quote − fees
 *   buy                  quote = ⌈Q · out / (B − out)⌉                   the user pays quote + fees
 *   buy_exact_quote_in   quote = ⌊in · 10000 / (10000 + all bps)⌋, less what quote + fees exceed the input by; the fees
 *                        stay those of the first quote; out = ⌊B · (quote − 1) / (Q + quote − 1)⌋
 */
import { err, ok, type Result } from "#core/result.ts";
import { divideUp, U64_MAX } from "#dex/refusals.ts";
import type { SwapRefusal } from "#dex/venue.ts";
import type { PumpSwapFees } from "./fees.ts";
import { ALL_BASIS_POINTS, PUMPSWAP_REFUSAL } from "./layout.ts";

export type PumpSwapReserves = {
  /** Above 0. */
  readonly base: bigint;
  readonly quote: bigint;
  /** What the quote vault really holds: the most it can pay. */
  readonly realQuote: bigint;
  readonly fees: PumpSwapFees;
};

export type Trade = {
  readonly baseAmount: bigint;
  /** What the curve moves, before fees. */
  readonly quoteAmount: bigint;
  readonly lpFee: bigint;
  readonly protocolFee: bigint;
  readonly creatorFee: bigint;
};

type Priced = Result<Trade, SwapRefusal>;

export function priceSell(reserves: PumpSwapReserves, baseIn: bigint): Priced {
  if (baseIn === 0n) return err(PUMPSWAP_REFUSAL.zeroBaseAmount);
  const quoteAmount = (baseIn * reserves.quote) / (reserves.base + baseIn);
  const trade = withFees(reserves.fees, baseIn, quoteAmount);
  const toUser = quoteAmount - trade.lpFee - trade.protocolFee - trade.creatorFee;
  if (toUser < 0n) return err(PUMPSWAP_REFUSAL.overflow);
  if (toUser === 0n) return err(PUMPSWAP_REFUSAL.exceededSlippage);
  if (quoteAmount - trade.lpFee > reserves.realQuote) return err(PUMPSWAP_REFUSAL.insufficientRealQuoteReserves);
  return ok(trade);
}

export function priceBuy(reserves: PumpSwapReserves, baseOut: bigint): Priced {
  if (baseOut === 0n) return err(PUMPSWAP_REFUSAL.zeroBaseAmount);
  if (baseOut >= reserves.base) return err(PUMPSWAP_REFUSAL.buyMoreBaseAmountThanPoolReserves);
  const quoteAmount = divideUp(reserves.quote * baseOut, reserves.base - baseOut);
  if (quoteAmount > U64_MAX) return err(PUMPSWAP_REFUSAL.overflow);
  return ok(withFees(reserves.fees, baseOut, quoteAmount));
}

export function priceBuyExactQuoteIn(reserves: PumpSwapReserves, quoteIn: bigint): Priced {
  if (quoteIn === 0n) return err(PUMPSWAP_REFUSAL.zeroQuoteAmount);
  const { lpBps, protocolBps, creatorBps } = reserves.fees;
  const first = (quoteIn * ALL_BASIS_POINTS) / (ALL_BASIS_POINTS + lpBps + protocolBps + creatorBps);
  const fees = withFees(reserves.fees, 0n, first);
  const excess = first + fees.lpFee + fees.protocolFee + fees.creatorFee - quoteIn;
  const quoteAmount = excess > 0n ? first - excess : first;
  if (first === 0n || quoteAmount < 0n) return err(PUMPSWAP_REFUSAL.buyNotEnoughQuoteTokensToCoverFees);
  const pricing = quoteAmount === 0n ? 0n : quoteAmount - 1n;
  const baseAmount = pricing === 0n ? 0n : (reserves.base * pricing) / (reserves.quote + pricing);
  if (baseAmount === 0n) return err(PUMPSWAP_REFUSAL.buySlippageBelowMinBaseAmountOut);
  return ok({ ...fees, baseAmount, quoteAmount });
}

function withFees(fees: PumpSwapFees, baseAmount: bigint, quoteAmount: bigint): Trade {
  const feeOf = (bps: bigint) => divideUp(quoteAmount * bps, ALL_BASIS_POINTS);
  return {
    baseAmount,
    quoteAmount,
    lpFee: feeOf(fees.lpBps),
    protocolFee: feeOf(fees.protocolBps),
    creatorFee: feeOf(fees.creatorBps),
  };
}
