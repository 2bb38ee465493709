/**
 * Why CLMM refuses a swap, by its own numbers (`error.rs`; 25xx are Anchor's, 1 and 17 the token program's). Between the
 * two builds that this folder knows, unused errors were dropped and the numbers moved.
 */
import { type Err, err } from "#core/result.ts";
import { panicked } from "#dex/refusals.ts";
import type { SwapRefusal } from "#dex/venue.ts";

/**
 * Which rules hold. 2024: before August 2024, static fees on the input, a wide observation account; a swap that runs out
 * of prices fills in part, and an overflow aborts the program. 2026: with dynamic fees and limit orders.
 */
export type ClmmBuild = "2024" | "2026";

/** Where a program aborts there is no custom number. */
const ABORTED = 0;

const NUMBERS = {
  NotApproved: [6001, 6000],
  InvalidTickArray: [6011, 6009],
  SqrtPriceLimitOverflow: [6013, 6011],
  SqrtPriceX64: [6014, 6012],
  LiquiditySubValueErr: [6015, 6013],
  LiquidityInsufficient: [6019, 6016],
  ZeroAmountSpecified: [6024, 6020],
  TooSmallInputOrOutputAmount: [6026, 6022],
  NotEnoughTickArrayAccount: [6027, 6023],
  InvalidFirstTickArrayAccount: [6028, 6024],
  MissingTickArrayBitmapExtensionAccount: [6040, 6035],
  InsufficientLiquidityForDirection: [6041, 6036],
  MaxTokenOverflow: [ABORTED, 6037],
  CalculateOverflow: [ABORTED, 6038],
  TransferFeeCalculateNotMatch: [ABORTED, 6039],
  InstructionDidNotDeserialize: [102, 102],
  RequireEqViolated: [2501, 2501],
  RequireGtViolated: [2505, 2505],
  RequireGteViolated: [2506, 2506],
  InsufficientFunds: [1, 1],
  AccountFrozen: [17, 17],
  MintPaused: [67, 67],
  ComputationalBudgetExceeded: [ABORTED, ABORTED],
} as const satisfies Record<string, readonly [number, number]>;

export type ClmmRefusal = keyof typeof NUMBERS;

export function refuse(build: ClmmBuild, name: ClmmRefusal): Err<SwapRefusal> {
  const custom = NUMBERS[name][build === "2024" ? 0 : 1];
  if (name === "ComputationalBudgetExceeded") return err({ custom, name });
  return custom === ABORTED ? panicked() : err({ custom, name });
}
