/**
 * The arithmetic of one CP-Swap trade, by `curve/calculator.rs` and `curve/fees.rs`: constant product on effective
 * reserves, the trade fee on the input, the creator's fee on the input or on the output, protocol and fund paid out of
 * the trade fee. Amounts here are what the curve sees: transfer fees of the tokens lie outside. Reserves are above 0.
 */
import { err, ok, type Result } from "#core/result.ts";
import { divideUp, panicked } from "#dex/refusals.ts";
import type { SwapRefusal } from "#dex/venue.ts";
import { CPMM_REFUSAL, FEE_RATE_DENOMINATOR } from "./layout.ts";

export type CpmmRates = {
  readonly tradeFeeRate: bigint;
  /** 0n in pools that do not pay their creator. */
  readonly creatorFeeRate: bigint;
  readonly protocolFeeRate: bigint;
  readonly fundFeeRate: bigint;
  readonly creatorFeeOnInput: boolean;
};

export type CpmmTrade = {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly protocolFee: bigint;
  readonly fundFee: bigint;
  readonly creatorFee: bigint;
};

type Traded = Result<CpmmTrade, SwapRefusal>;
const MILLION = BigInt(FEE_RATE_DENOMINATOR);

export function tradeBaseInput(rates: CpmmRates, reserveIn: bigint, reserveOut: bigint, amountIn: bigint): Traded {
  const inputFeeRate = rates.tradeFeeRate + (rates.creatorFeeOnInput ? rates.creatorFeeRate : 0n);
  const inputFee = divideUp(amountIn * inputFeeRate, MILLION);
  const net = amountIn - inputFee;
  const split = splitCreatorFee(rates, inputFee);
  if (net < 0n || split === undefined) return noTrade();
  const swapped = (net * reserveOut) / (reserveIn + net);
  const outputFee = rates.creatorFeeOnInput ? 0n : divideUp(swapped * rates.creatorFeeRate, MILLION);
  if (outputFee > swapped) return noTrade();
  return trade(rates, { amountIn, amountOut: swapped - outputFee, inputFee, creatorFee: split + outputFee });
}

export function tradeBaseOutput(rates: CpmmRates, reserveIn: bigint, reserveOut: bigint, amountOut: bigint): Traded {
  const swapped = rates.creatorFeeOnInput ? amountOut : amountBeforeRate(amountOut, rates.creatorFeeRate);
  if (swapped === undefined) return noTrade();
  if (swapped >= reserveOut) return panicked();
  const net = divideUp(reserveIn * swapped, reserveOut - swapped);
  const amountIn = amountBeforeRate(net, rates.tradeFeeRate + (rates.creatorFeeOnInput ? rates.creatorFeeRate : 0n));
  if (amountIn === undefined) return panicked();
  const inputFee = amountIn - net;
  const split = splitCreatorFee(rates, inputFee);
  if (split === undefined) return noTrade();
  return trade(rates, { amountIn, amountOut, inputFee, creatorFee: split + swapped - amountOut });
}

/** The creator's part of a fee on the input, rounded down; the program divides by the sum of both rates even when it is 0. */
function splitCreatorFee(rates: CpmmRates, inputFee: bigint): bigint | undefined {
  if (!rates.creatorFeeOnInput) return 0n;
  const sum = rates.tradeFeeRate + rates.creatorFeeRate;
  return sum === 0n ? undefined : (inputFee * rates.creatorFeeRate) / sum;
}

function trade(
  rates: CpmmRates,
  {
    amountIn,
    amountOut,
    inputFee,
    creatorFee,
  }: Pick<CpmmTrade, "amountIn" | "amountOut" | "creatorFee"> & { inputFee: bigint },
): Traded {
  const tradeFee = rates.creatorFeeOnInput ? inputFee - creatorFee : inputFee;
  const protocolFee = (tradeFee * rates.protocolFeeRate) / MILLION;
  const fundFee = (tradeFee * rates.fundFeeRate) / MILLION;
  return ok({ amountIn, amountOut, protocolFee, fundFee, creatorFee });
}

/** What must come so that `amount` is left after a fee of `rate`; undefined when the fee takes all. */
function amountBeforeRate(amount: bigint, rate: bigint): bigint | undefined {
  if (rate === 0n) return amount;
  return rate >= MILLION ? undefined : divideUp(amount * MILLION, MILLION - rate);
}

const noTrade = (): Result<never, SwapRefusal> => err(CPMM_REFUSAL.zeroTradingTokens);
