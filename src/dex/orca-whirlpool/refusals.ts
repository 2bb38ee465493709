/** Refusals of the Whirlpool program by number and name (`errors.rs`), and those of the token program that it calls. */
import type { SwapRefusal } from "#dex/venue.ts";

const refusal = (custom: number, name: string): SwapRefusal => ({ custom, name });

export const REFUSAL = {
  divideByZero: refusal(6006, "DivideByZero"),
  numberCast: refusal(6007, "NumberCastError"),
  numberDownCast: refusal(6008, "NumberDownCastError"),
  sqrtPriceOutOfBounds: refusal(6011, "SqrtPriceOutOfBounds"),
  liquidityOverflow: refusal(6014, "LiquidityOverflow"),
  liquidityUnderflow: refusal(6015, "LiquidityUnderflow"),
  tokenMaxExceeded: refusal(6017, "TokenMaxExceeded"),
  tokenMinSubceeded: refusal(6018, "TokenMinSubceeded"),
  invalidTimestamp: refusal(6022, "InvalidTimestamp"),
  invalidTickArraySequence: refusal(6023, "InvalidTickArraySequence"),
  multiplicationShiftRightOverflow: refusal(6030, "MultiplicationShiftRightOverflow"),
  multiplicationOverflow: refusal(6033, "MultiplicationOverflow"),
  invalidSqrtPriceLimitDirection: refusal(6034, "InvalidSqrtPriceLimitDirection"),
  zeroTradableAmount: refusal(6035, "ZeroTradableAmount"),
  tickArraySequenceInvalidIndex: refusal(6038, "TickArraySequenceInvalidIndex"),
  amountCalcOverflow: refusal(6039, "AmountCalcOverflow"),
  amountRemainingOverflow: refusal(6040, "AmountRemainingOverflow"),
  transferFeeCalculation: refusal(6052, "TransferFeeCalculationError"),
  partialFill: refusal(6057, "PartialFillError"),
  tradeIsNotEnabled: refusal(6064, "TradeIsNotEnabled"),
  /** The token program's: the vault does not hold what the swap pays. */
  insufficientFunds: refusal(1, "InsufficientFunds"),
  /** The token program's: the vault cannot hold what comes in, which no supply allows. */
  overflow: refusal(14, "Overflow"),
  /** No number of a program: the runtime stops it. */
  computeBudgetExceeded: refusal(0, "ComputationalBudgetExceeded"),
} as const;
