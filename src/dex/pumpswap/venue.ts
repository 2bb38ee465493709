/**
 * PumpSwap as a venue: `buy` (exact base out), `buy_exact_quote_in` and `sell` (exact base in). Constant product on the
 * base vault and on the quote vault plus the pool's signed virtual reserve; every fee is taken in quote, each rounded up
 * by itself. The lp fee stays in the vault, the others are paid out in the trade. There is no exact quote out of a sell.
 *
 * An order asks for one unit at least: the program lets nobody ask for none.
 */
import { err, ok, type Result } from "#core/result.ts";
import { PUMPSWAP_PROGRAM } from "#dex/program-addresses.ts";
import { ANCHOR_REFUSAL, panicked, tokenOverflow, U64_MAX } from "#dex/refusals.ts";
import { amountBeforeFee, feeForEpoch, feeOn, type TransferFee, type TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { ChainTime, SwapFill, SwapOrder, SwapRefusal, Venue } from "#dex/venue.ts";
import { ALL_BASIS_POINTS, DISABLE_FLAG, PUMPSWAP_REFUSAL } from "./layout.ts";
import { currentFees, effectiveQuote, loadPumpSwap, type PumpSwapState } from "./state.ts";
import { type PumpSwapReserves, priceBuy, priceBuyExactQuoteIn, priceSell, type Trade } from "./trade.ts";

type Swapped = Result<SwapFill<PumpSwapState>, SwapRefusal>;
const NO_FEE: TransferFee = { basisPoints: 0n, maximum: 0n };

export const pumpSwapVenue: Venue<PumpSwapState> = {
  name: "pumpswap",
  program: PUMPSWAP_PROGRAM,
  load: loadPumpSwap,
  swap,
  figures: ({ vaultAmounts, paid }) => ({
    vault_base: vaultAmounts[0],
    vault_quote: vaultAmounts[1],
    protocol_fee_recipient: paid.protocol,
    coin_creator_vault: paid.creator,
    buyback_recipient: paid.buyback,
    cashback_ata: paid.cashback,
  }),
};

function swap(state: PumpSwapState, order: SwapOrder, time: ChainTime): Swapped {
  if (order.amount < 0n || order.amount > U64_MAX) return panicked();
  const sells = order.inputSide === 0;
  const exactIn = order.mode === "exact-in";
  if (sells && !exactIn) return err(ANCHOR_REFUSAL.instructionFallbackNotFound);
  const disabled = state.global.disableFlags & (sells ? DISABLE_FLAG.sell : DISABLE_FLAG.buy);
  if (disabled !== 0) return err(sells ? PUMPSWAP_REFUSAL.disabledSell : PUMPSWAP_REFUSAL.disabledBuy);
  const fees = currentFees(state);
  const quote = effectiveQuote(state);
  if (fees === undefined) return err(PUMPSWAP_REFUSAL.divisionByZero);
  if (quote < 0n || quote > U64_MAX) return err(PUMPSWAP_REFUSAL.overflow);
  const reserves = { base: state.vaultAmounts[0], quote, realQuote: state.vaultAmounts[1], fees };
  const [baseFee, quoteFee] = [feeAt(state.transferFees[0], time), feeAt(state.transferFees[1], time)];
  if (sells) return sell(state, reserves, order.amount, baseFee, quoteFee);
  return buy(state, reserves, order, baseFee, quoteFee);
}

function buy(
  state: PumpSwapState,
  reserves: PumpSwapReserves,
  { mode, amount }: SwapOrder,
  baseFee: TransferFee,
  quoteFee: TransferFee,
): Swapped {
  const baseOut = mode === "exact-in" ? 0n : amountBeforeFee(amount, baseFee);
  if (baseOut === undefined) return err(PUMPSWAP_REFUSAL.overflow);
  const priced = mode === "exact-in" ? priceBuyExactQuoteIn(reserves, amount) : priceBuy(reserves, baseOut);
  if (!priced.ok) return priced;
  const trade = priced.value;
  const toVault = trade.quoteAmount + trade.lpFee;
  const [base, quote] = state.vaultAmounts;
  return settle(state, trade, quoteFee, {
    amountIn: toVault + trade.protocolFee + trade.creatorFee,
    amountOut: trade.baseAmount - feeOn(trade.baseAmount, baseFee),
    vaultAmounts: [base - trade.baseAmount, quote + toVault - feeOn(toVault, quoteFee)],
  });
}

function sell(
  state: PumpSwapState,
  reserves: PumpSwapReserves,
  amount: bigint,
  baseFee: TransferFee,
  quoteFee: TransferFee,
): Swapped {
  const priced = priceSell(reserves, amount);
  if (!priced.ok) return priced;
  const trade = priced.value;
  const [base, quote] = state.vaultAmounts;
  const toUser = trade.quoteAmount - trade.lpFee - trade.protocolFee - trade.creatorFee;
  return settle(state, trade, quoteFee, {
    amountIn: amount,
    amountOut: toUser - feeOn(toUser, quoteFee),
    vaultAmounts: [base + amount - feeOn(amount, baseFee), quote - trade.quoteAmount + trade.lpFee],
  });
}

type Moved = Pick<SwapFill<unknown>, "amountIn" | "amountOut"> & Pick<PumpSwapState, "vaultAmounts">;

/** Books what the fees' owners got: a cashback coin gives its creator's fee to the trader's account for it. */
function settle(state: PumpSwapState, trade: Trade, quoteFee: TransferFee, moved: Moved): Swapped {
  const { amountIn, amountOut, vaultAmounts } = moved;
  if (amountIn > U64_MAX || vaultAmounts.some((amount) => amount > U64_MAX)) return tokenOverflow();
  if (vaultAmounts.some((amount) => amount < 0n)) return err(PUMPSWAP_REFUSAL.overflow);
  const buyback = (trade.protocolFee * state.global.buybackBasisPoints) / ALL_BASIS_POINTS;
  const arrives = (amount: bigint) => amount - feeOn(amount, quoteFee);
  const { paid } = state;
  const creator = arrives(trade.creatorFee);
  const cashes = state.pool.isCashbackCoin;
  const after = {
    ...state,
    vaultAmounts,
    paid: {
      protocol: paid.protocol + arrives(trade.protocolFee - buyback),
      buyback: paid.buyback + arrives(buyback),
      creator: paid.creator + (cashes ? 0n : creator),
      cashback: paid.cashback + (cashes ? creator : 0n),
    },
  };
  return ok({ amountIn, amountOut, after });
}

const feeAt = (config: TransferFeeConfig | undefined, time: ChainTime): TransferFee =>
  config === undefined ? NO_FEE : feeForEpoch(config, time.epoch);
