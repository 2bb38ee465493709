/**
 * A swap inside one bin: first against the market makers' liquidity, then against limit orders of the matching side, those
 * being filled before those still untouched. Mirrors the deployed `state/bin.rs` as its executions show it (build of
 * `lb_clmm_prod.so`, sha256 942f609d…): the SDK's quote differs from it where it prices each layer of an exact output
 * apart and lets a rounding through that the program refuses.
 */
import { U64_MAX } from "#dex/refusals.ts";
import type { Bin } from "./decode.ts";
import { feeInside, feeOnTop, protocolFee } from "./fees.ts";
import { amountInAtPrice, amountOutAtPrice } from "./price.ts";
import { DLMM_REFUSAL, type DlmmRefusal } from "./refusals.ts";

/** What holds for every bin of one swap, and the rate in this one. */
export type BinRules = OutputRules & {
  readonly feeOnInput: boolean;
  readonly protocolShare: number;
  readonly feeRate: bigint;
};

/** What decides which liquidity of a bin a swap can reach. */
type OutputRules = { readonly swapForY: boolean; readonly limitOrders: boolean };

/** Amounts as the trader sees them, fees included. */
export type BinFill = {
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly protocolFee: bigint;
  readonly after: Bin;
};

/** What can leave the bin at all. */
export function binOutputMax(bin: Bin, rules: OutputRules): bigint {
  const maker = rules.swapForY ? bin.amountY : bin.amountX;
  return ordersMatch(bin, rules) ? maker + bin.processedOrderRemainingAmount + bin.openOrderAmount : maker;
}

/** Takes up to `amountIn`; the bin must have a price and something to give. */
export function fillExactIn(bin: Bin, amountIn: bigint, rules: BinRules): BinFill | DlmmRefusal {
  if (bin.price === 0n && rules.swapForY) return DLMM_REFUSAL.mathOverflow;
  const { feeOnInput, feeRate, swapForY } = rules;
  let fee = feeOnInput ? feeInside(amountIn, feeRate) : 0n;
  const layers = fillLayers(bin, amountIn - fee, rules);
  if (layers === undefined) return DLMM_REFUSAL.typeCastFailed;
  const { taken, makerTaken, given, makerGiven } = layers;
  let paid = amountIn;
  if (taken < amountIn - fee) {
    if (feeOnInput) fee = feeOnTop(taken, feeRate);
    paid = taken + fee;
  }
  let amountOut = given;
  if (!feeOnInput) {
    fee = feeInside(given, feeRate);
    amountOut = given - fee;
  }
  const protocol = protocolFee(fee, rules.protocolShare, makerTaken, taken);
  if (protocol === undefined) return DLMM_REFUSAL.mathOverflow;
  const amountX = swapForY ? bin.amountX + makerTaken : bin.amountX - makerGiven;
  const amountY = swapForY ? bin.amountY - makerGiven : bin.amountY + makerTaken;
  if (amountX > U64_MAX || amountY > U64_MAX || paid > U64_MAX) return DLMM_REFUSAL.mathOverflow;
  const after = afterOrders({ ...bin, amountX, amountY }, given - makerGiven);
  return { amountIn: paid, amountOut, protocolFee: protocol, after };
}

/** Gives exactly `amountOut`, or all that the bin has where that is less. */
export function fillExactOut(bin: Bin, amountOut: bigint, rules: BinRules): BinFill | DlmmRefusal {
  const { feeOnInput, feeRate } = rules;
  const withFee = feeOnInput ? amountOut : amountOut + feeOnTop(amountOut, feeRate);
  if (withFee > U64_MAX) return DLMM_REFUSAL.mathOverflow;
  if (withFee >= binOutputMax(bin, rules)) return fillExactIn(bin, U64_MAX, rules);
  if (bin.price === 0n) return rules.swapForY ? DLMM_REFUSAL.mathOverflow : DLMM_REFUSAL.notExactAmountOut;
  const net = amountInAtPrice(withFee, bin.price, rules.swapForY);
  const fill = fillExactIn(bin, feeOnInput ? net + feeOnTop(net, feeRate) : net, rules);
  if ("custom" in fill) return fill;
  if (fill.amountOut < amountOut) return DLMM_REFUSAL.undeterminedError;
  // What the rounded-up input would buy beyond the order stays in the reserve; where fees are kept in the same token, it
  // is the protocol's.
  const beyond = fill.amountOut - amountOut;
  if (beyond === 0n) return fill;
  const protocol = !feeOnInput ? fill.protocolFee + beyond : fill.protocolFee;
  return { ...fill, amountOut, protocolFee: protocol };
}

type Layers = {
  readonly taken: bigint;
  readonly given: bigint;
  /** The market makers' part of both. */
  readonly makerTaken: bigint;
  readonly makerGiven: bigint;
};

function fillLayers(bin: Bin, amountIn: bigint, rules: BinRules): Layers | undefined {
  const { swapForY } = rules;
  const maker = fillLayer(swapForY ? bin.amountY : bin.amountX, amountIn, bin.price, swapForY);
  if (maker === undefined) return undefined;
  let { taken, given } = maker;
  if (taken < amountIn && ordersMatch(bin, rules))
    for (const available of [bin.processedOrderRemainingAmount, bin.openOrderAmount]) {
      if (taken === amountIn) break;
      const orders = fillLayer(available, amountIn - taken, bin.price, swapForY);
      if (orders === undefined) return undefined;
      taken += orders.taken;
      given += orders.given;
    }
  return { taken, given, makerTaken: maker.taken, makerGiven: maker.given };
}

function fillLayer(available: bigint, amountIn: bigint, price: bigint, swapForY: boolean) {
  if (available === 0n) return { taken: 0n, given: 0n };
  const whole = amountInAtPrice(available, price, swapForY);
  if (whole > U64_MAX) return undefined;
  if (amountIn >= whole) return { taken: whole, given: available };
  return { taken: amountIn, given: amountOutAtPrice(amountIn, price, swapForY) };
}

/** Orders bought on the bid side fill sales of X, orders on the ask side sales of Y. */
const ordersMatch = (bin: Bin, rules: OutputRules): boolean =>
  rules.limitOrders && bin.limitOrderAskSide !== rules.swapForY;

/** Untouched orders come under way as soon as one of them is filled in part. */
function afterOrders(bin: Bin, given: bigint): Bin {
  if (given === 0n) return bin;
  if (given <= bin.processedOrderRemainingAmount)
    return { ...bin, processedOrderRemainingAmount: bin.processedOrderRemainingAmount - given };
  const remaining = bin.processedOrderRemainingAmount + bin.openOrderAmount - given;
  return { ...bin, processedOrderRemainingAmount: remaining, openOrderAmount: 0n };
}
