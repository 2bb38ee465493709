/*
 * The arithmetic of one swap: fees and the constant product, in CP-Swap's order and with its rounding. The trade fee is
 * rounded up and taken from the input; protocol and fund get their shares of it, rounded down, and wait in the vault; the
 * rest of the fee belongs to the pool. The product of the effective reserves never falls.
 */
#pragma once
#include "layout.h"
#include "../common/wide.h"

typedef struct {
  /* Filled by the caller. */
  u64 input_reserve;
  u64 output_reserve;
  u64 trade_fee_rate;
  u64 protocol_fee_rate;
  u64 fund_fee_rate;
  /* Given for one side by the caller, found for the other. */
  u64 input_amount;
  u64 output_amount;
  /* Found. */
  u64 trade_fee;
  u64 protocol_fee;
  u64 fund_fee;
} Swap;

INLINE u64 share_trade_fee(Swap *swap) {
  if (!multiply_divide_down(swap->trade_fee, swap->protocol_fee_rate, FEE_RATE_DENOMINATOR, &swap->protocol_fee) ||
      !multiply_divide_down(swap->trade_fee, swap->fund_fee_rate, FEE_RATE_DENOMINATOR, &swap->fund_fee))
    return MATH_OVERFLOW;
  return SUCCESS;
}

/* The invariant, over the reserves as the curve moves them: what the fee adds comes on top. */
INLINE u64 check_product(const Swap *swap, u64 input_without_fee) {
  u64 input_after = swap->input_reserve + input_without_fee;
  if (input_after < swap->input_reserve) return MATH_OVERFLOW;
  Wide before = wide_multiply(swap->input_reserve, swap->output_reserve);
  Wide after = wide_multiply(input_after, swap->output_reserve - swap->output_amount);
  return wide_less(after, before) ? REQUIRE_GREATER_OR_EQUAL_VIOLATED : SUCCESS;
}

/* From input_amount: out = floor(y · x' / (x + x')), where x' is the input without the fee. */
CALLED u64 swap_exact_input(Swap *swap) {
  if (!multiply_divide_up(swap->input_amount, swap->trade_fee_rate, FEE_RATE_DENOMINATOR, &swap->trade_fee))
    return MATH_OVERFLOW;
  if (swap->trade_fee > swap->input_amount) return ZERO_TRADING_TOKENS;
  TRY(share_trade_fee(swap));
  u64 input_without_fee = swap->input_amount - swap->trade_fee;
  u64 denominator = swap->input_reserve + input_without_fee;
  if (denominator < input_without_fee) return MATH_OVERFLOW;
  if (!multiply_divide_down(input_without_fee, swap->output_reserve, denominator, &swap->output_amount))
    return MATH_OVERFLOW;
  return check_product(swap, input_without_fee);
}

/* From output_amount: x' = ceil(x · out / (y - out)), and the input is what leaves x' after its fee. */
CALLED u64 swap_exact_output(Swap *swap) {
  if (swap->output_amount >= swap->output_reserve) return INSUFFICIENT_VAULT;
  if (swap->trade_fee_rate >= FEE_RATE_DENOMINATOR) return MATH_OVERFLOW;
  u64 input_without_fee;
  if (!multiply_divide_up(swap->input_reserve, swap->output_amount, swap->output_reserve - swap->output_amount,
                          &input_without_fee))
    return MATH_OVERFLOW;
  if (!multiply_divide_up(input_without_fee, FEE_RATE_DENOMINATOR, FEE_RATE_DENOMINATOR - swap->trade_fee_rate,
                          &swap->input_amount))
    return MATH_OVERFLOW;
  swap->trade_fee = swap->input_amount - input_without_fee;
  TRY(share_trade_fee(swap));
  return check_product(swap, input_without_fee);
}
