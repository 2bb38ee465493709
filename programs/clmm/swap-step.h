/*
 * One step of a swap: from a price towards a target with one liquidity and one fee, in CLMM's order and with its
 * rounding: what comes in is rounded up, what goes out down, and the price so that the target is never passed. Prices are
 * square roots in Q64.64; token 0 in means that the price falls.
 */
#pragma once
#include "../common/big.h"
#include "../common/wide.h"
#include "layout.h"

typedef struct {
  /* Filled by the caller. */
  u128 price;
  u128 target;
  u128 liquidity;
  u64 remaining;
  u64 fee_rate;
  u8 base_input;
  u8 zero_for_one;
  /* Found; the fee comes on top of amount_in. */
  u128 next_price;
  u64 amount_in;
  u64 amount_out;
  u64 fee_amount;
} Step;

#define ROUND_DOWN 0
#define ROUND_UP 1

/* value = value · factor / divisor into a Big of at most 128 bits, the product in 256. */
CALLED u64 multiply_divide(Big *value, const Big *factor, const Big *divisor, int up) {
  Big product;
  if (!big_multiply(&product, value, factor)) return ABORTED;
  if (up) {
    Big round = *divisor;
    big_decrement(&round);
    if (!big_add(&product, &round)) return ABORTED;
  }
  big_divide(&product, divisor);
  *value = product;
  u128 fits;
  return big_get(&product, &fits) ? SUCCESS : ABORTED;
}

/* Δx = L · (high − low) / high / low: token 0 between two prices, of which the lower must not be 0. */
CALLED u64 amount_0_between(u128 *low, u128 *high, const u128 *liquidity, int up, u64 *amount) {
  Big value, factor, divisor;
  big_set_x64(&value, *liquidity);
  big_set(&factor, *high - *low);
  big_set(&divisor, *high);
  TRY(multiply_divide(&value, &factor, &divisor, up));
  big_set(&divisor, *low);
  u64 more = big_divide(&value, &divisor) && up ? 1 : 0;
  if (!big_get_u64(&value, amount) || *amount + more < more) return ABORTED;
  *amount += more;
  return SUCCESS;
}

/* Δy = L · (high − low): token 1 between two prices. */
CALLED u64 amount_1_between(u128 *low, u128 *high, const u128 *liquidity, int up, u64 *amount) {
  Big value, factor, divisor;
  big_set(&value, *liquidity);
  big_set(&factor, *high - *low);
  big_set_x64(&divisor, 1);
  TRY(multiply_divide(&value, &factor, &divisor, up));
  return big_get_u64(&value, amount) ? SUCCESS : ABORTED;
}

/* What comes in, or goes out, while the price moves from the step's start to `to`. */
CALLED u64 amount_to(Step *step, u128 *to, int incoming, u64 *amount) {
  u128 *low = step->zero_for_one ? to : &step->price;
  u128 *high = step->zero_for_one ? &step->price : to;
  int rounding = incoming ? ROUND_UP : ROUND_DOWN;
  if (incoming == step->zero_for_one) return amount_0_between(low, high, &step->liquidity, rounding, amount);
  return amount_1_between(low, high, &step->liquidity, rounding, amount);
}

/* √P' = L · √P / (L ± amount · √P), rounded up: token 0 came in (+) or went out (−). */
CALLED u64 price_after_amount_0(Step *step, u64 amount, int incoming) {
  step->next_price = step->price;
  if (amount == 0) return SUCCESS;
  Big liquidity, price, divisor, moved;
  big_set_x64(&liquidity, step->liquidity);
  big_set(&price, step->price);
  big_set(&divisor, amount);
  if (!big_multiply(&moved, &divisor, &price)) return ABORTED;
  divisor = liquidity;
  if (incoming ? !big_add(&divisor, &moved) : !big_subtract(&divisor, &moved)) return ABORTED;
  if (big_length(divisor.digits, BIG_DIGITS) == 0) return ABORTED;
  TRY(multiply_divide(&liquidity, &price, &divisor, ROUND_UP));
  return big_get(&liquidity, &step->next_price) ? SUCCESS : ABORTED;
}

/* √P' = √P ± amount / L, rounded down: token 1 came in (+) or went out (−). */
CALLED u64 price_after_amount_1(Step *step, u64 amount, int incoming) {
  Big quotient, divisor;
  u128 change;
  big_set_x64(&quotient, amount);
  big_set(&divisor, step->liquidity);
  u64 more = big_divide(&quotient, &divisor) && !incoming ? 1 : 0;
  if (!big_get(&quotient, &change)) return ABORTED;
  change += more;
  step->next_price = incoming ? step->price + change : step->price - change;
  return (incoming ? step->next_price < change : step->price < change) ? ABORTED : SUCCESS;
}

/* The named amount, all of it, moves the price to here. */
INLINE u64 price_after(Step *step, u64 amount) {
  if (step->liquidity == 0) return ABORTED;
  if (step->base_input == step->zero_for_one) return price_after_amount_0(step, amount, step->base_input);
  return price_after_amount_1(step, amount, step->base_input);
}

/* The fee on top of what reached the target, or all that is left over when the input did not reach it. */
INLINE u64 find_fee(Step *step) {
  if (step->base_input && step->next_price != step->target) {
    if (step->remaining < step->amount_in) return ABORTED;
    step->fee_amount = step->remaining - step->amount_in;
    return SUCCESS;
  }
  return multiply_divide_up(step->amount_in, step->fee_rate, FEE_RATE_DENOMINATOR - step->fee_rate, &step->fee_amount)
             ? SUCCESS
             : ABORTED;
}

CALLED u64 compute_step(Step *step) {
  if (step->fee_rate > FEE_RATE_DENOMINATOR) return ABORTED;
  u64 available = step->remaining;
  if (step->base_input && !multiply_divide_down(step->remaining, FEE_RATE_DENOMINATOR - step->fee_rate,
                                                FEE_RATE_DENOMINATOR, &available))
    return ABORTED;
  u64 *named = step->base_input ? &step->amount_in : &step->amount_out;
  TRY(amount_to(step, &step->target, step->base_input, named));
  if (available >= *named)
    step->next_price = step->target;
  else
    TRY(price_after(step, available));
  if (step->zero_for_one ? step->next_price < step->target : step->next_price > step->target)
    return REQUIRE_GREATER_OR_EQUAL_VIOLATED;

  int reached = step->next_price == step->target;
  if (!(reached && step->base_input)) TRY(amount_to(step, &step->next_price, 1, &step->amount_in));
  if (!(reached && !step->base_input)) TRY(amount_to(step, &step->next_price, 0, &step->amount_out));
  if (!step->base_input && step->amount_out > step->remaining) step->amount_out = step->remaining;
  return find_fee(step);
}
