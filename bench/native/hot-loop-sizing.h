/* Exact quotes in 128-bit integers and the sizing of a winner: src/dex/quote.ts and src/arbitrage/sizing.ts in C. */
#ifndef HOT_LOOP_SIZING_H
#define HOT_LOOP_SIZING_H

#include "hot-loop-state.h"

typedef struct { int count, left; int32_t hop[HOPS_MAX]; uint64_t in[HOPS_MAX], out[HOPS_MAX]; } Cycle;

static uint64_t quote_hop(const Cycle *cycle, int i, uint64_t amount) {
  uint64_t in = cycle->in[i], out = cycle->out[i];
  if (amount == 0 || in == 0 || out == 0 || amount > UINT64_MAX - in) return 0;
  uint32_t pool = (uint32_t)(cycle->hop[i] >> 1);
  uint64_t fee = (uint64_t)(((u128)amount * fee_numerator[pool] + fee_denominator[pool] - 1) / fee_denominator[pool]);
  if (amount <= fee) return 0;
  uint64_t net = amount - fee;
  return (uint64_t)((u128)net * out / (in + net));
}

static uint64_t quote(Cycle *cycle, uint64_t amount) {
  cycle->left--;
  for (int i = 0; i < cycle->count && amount > 0; i++) amount = quote_hop(cycle, i, amount);
  return amount;
}

typedef struct { uint64_t input, output; } Sized;
static int64_t profit_of(Sized s) { return (int64_t)(s.output - s.input); }

static Sized least_input(Cycle *cycle, uint64_t input, uint64_t output) {
  uint64_t good = input, bad = 0;
  for (uint64_t stride = 1; cycle->left > 0; stride *= 2) {
    if (stride >= good) break;
    uint64_t probe = good - stride;
    if (quote(cycle, probe) == output) good = probe;
    else {
      bad = probe;
      break;
    }
  }
  while (good - bad > 1 && cycle->left > 0) {
    uint64_t middle = (good + bad) / 2;
    if (quote(cycle, middle) == output) good = middle;
    else bad = middle;
  }
  return (Sized){good, output};
}

static int next_step(Cycle *cycle, Sized from, uint64_t max, Sized *found) {
  uint64_t low = from.input;
  int any = 0;
  for (uint64_t stride = 1; cycle->left > 0; stride *= 2) {
    uint64_t input = low + stride > max ? max : low + stride;
    if (input == low) return 0;
    uint64_t output = quote(cycle, input);
    if (output > from.output) {
      *found = (Sized){input, output};
      any = 1;
      break;
    }
    low = input;
  }
  while (any && found->input - low > 1 && cycle->left > 0) {
    uint64_t input = (found->input + low) / 2;
    uint64_t output = quote(cycle, input);
    if (output > from.output) *found = (Sized){input, output};
    else low = input;
  }
  return any;
}

static Sized size_cycle(Cycle *cycle, uint64_t start, uint64_t max) {
  cycle->left = QUOTES_MAX;
  uint64_t first = start < 1 ? 1 : start > max ? max : start;
  Sized begin = least_input(cycle, first, quote(cycle, first));
  Sized top = begin, lower = begin, upper = begin;
  for (int step = 0; step < STEPS_MAX && lower.input > 1 && cycle->left > 0; step++) {
    uint64_t input = lower.input - 1;
    lower = least_input(cycle, input, quote(cycle, input));
    if (profit_of(lower) > profit_of(top)) top = lower;
  }
  for (int step = 0; step < STEPS_MAX && cycle->left > 0; step++) {
    Sized next = upper;
    if (!next_step(cycle, upper, max, &next)) break;
    upper = next;
    if (profit_of(upper) > profit_of(top)) top = upper;
  }
  return top;
}

#endif
