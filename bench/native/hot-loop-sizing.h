/* Exact quotes in 128-bit integers and the sizing of a winner: src/dex/quote.ts and src/arbitrage/sizing.ts in C. */
#ifndef HOT_LOOP_SIZING_H
#define HOT_LOOP_SIZING_H

#include "hot-loop-state.h"

typedef struct { int count; int32_t hop[HOPS_MAX]; uint64_t in[HOPS_MAX], out[HOPS_MAX]; } Cycle;

static uint64_t quote_hop(const Cycle *cycle, int i, uint64_t amount) {
  uint64_t in = cycle->in[i], out = cycle->out[i];
  if (amount == 0 || in == 0 || out == 0 || amount > UINT64_MAX - in) return 0;
  uint32_t pool = (uint32_t)(cycle->hop[i] >> 1);
  uint64_t fee = (uint64_t)(((u128)amount * fee_numerator[pool] + fee_denominator[pool] - 1) / fee_denominator[pool]);
  if (amount <= fee) return 0;
  uint64_t net = amount - fee;
  return (uint64_t)((u128)net * out / (in + net));
}

static uint64_t quote(const Cycle *cycle, uint64_t amount) {
  for (int i = 0; i < cycle->count && amount > 0; i++) amount = quote_hop(cycle, i, amount);
  return amount;
}

/* The least input that gives `amount` or more; 0 when there is none. */
static uint64_t input_for(const Cycle *cycle, uint64_t amount) {
  for (int i = cycle->count - 1; i >= 0; i--) {
    uint64_t in = cycle->in[i], out = cycle->out[i];
    if (amount >= out || in == 0) return 0;
    uint32_t pool = (uint32_t)(cycle->hop[i] >> 1);
    uint64_t kept = fee_denominator[pool] - fee_numerator[pool], left = out - amount;
    u128 net = ((u128)amount * in + left - 1) / left;
    if (net >> 64) return 0;
    u128 gross = (net * fee_denominator[pool] + kept - 1) / kept;
    if (gross > UINT64_MAX - in) return 0;
    amount = (uint64_t)gross;
  }
  return amount;
}

typedef struct { uint64_t input, output; } Sized;
static int64_t profit_of(Sized s) { return (int64_t)(s.output - s.input); }

static Sized least_of_step(const Cycle *cycle, uint64_t input, uint64_t output) {
  if (output == 0) return (Sized){1, 0};
  uint64_t least = input_for(cycle, output);
  return (Sized){least >= 1 && least <= input ? least : input, output};
}

static Sized size_cycle(const Cycle *cycle, uint64_t start, uint64_t max) {
  uint64_t first = start < 1 ? 1 : start > max ? max : start;
  Sized begin = least_of_step(cycle, first, quote(cycle, first));
  Sized top = begin, lower = begin, upper = begin;
  for (int step = 0; step < STEPS_MAX && lower.input > 1; step++) {
    uint64_t input = lower.input - 1;
    lower = least_of_step(cycle, input, quote(cycle, input));
    if (profit_of(lower) > profit_of(top)) top = lower;
  }
  for (int step = 0; step < STEPS_MAX; step++) {
    uint64_t input = input_for(cycle, upper.output + 1);
    if (input <= upper.input || input > max) break;
    uint64_t output = quote(cycle, input);
    if (output <= upper.output) break;
    upper = (Sized){input, output};
    if (profit_of(upper) > profit_of(top)) top = upper;
  }
  return top;
}

#endif
