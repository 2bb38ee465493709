/*
 * The price oracle of a pool: a ring of 100 observations of cumulative prices (seconds × token ratio, Q32.32), moved at
 * most once a second with the prices before the swap. A new entry begins every 15 seconds.
 */
#pragma once
#include "layout.h"
#include "../common/wide.h"

/* numerator · 2^32 / denominator. */
INLINE Wide price_x32(u64 numerator, u64 denominator) {
  Wide price = {numerator >> 32, numerator << 32};
  wide_divide(&price, denominator);
  return price;
}

/* Adds price · seconds to the u128 at `from` and writes it to `to`. Answers 0 when the product is over 128 bits. */
CALLED int accumulate(u8 *to, const u8 *from, const Wide *price, u64 seconds) {
  Wide low = wide_multiply(price->low, seconds);
  Wide high = wide_multiply(price->high, seconds);
  Wide delta = {low.high + high.low, low.low};
  if (high.high != 0 || delta.high < low.high) return 0;
  Wide before = {read_u64(from + 8), read_u64(from)};
  Wide after = wide_add(before, delta);
  write_u64(to, after.low);
  write_u64(to + 8, after.high);
  return 1;
}

/* `state` is the observation account's data; the reserves are the effective ones before the swap, neither of them 0. */
CALLED u64 observe(u8 *state, u64 now_seconds, u64 reserve_0, u64 reserve_1) {
  u16 index = read_u16(state + OBSERVATION_INDEX);
  if (index >= OBSERVATION_COUNT) return ACCOUNT_DID_NOT_DESERIALIZE;
  u8 *last = state + OBSERVATION_LIST + index * OBSERVATION_BYTES;
  if (!state[OBSERVATION_INITIALIZED]) {
    state[OBSERVATION_INITIALIZED] = 1;
    write_u64(last, now_seconds);
    write_u64(state + OBSERVATION_LAST_UPDATE, now_seconds);
    return SUCCESS;
  }
  u64 last_update = read_u64(state + OBSERVATION_LAST_UPDATE);
  if (last_update == 0) last_update = read_u64(last);
  if (now_seconds <= last_update || now_seconds <= read_u64(last)) return SUCCESS;
  u64 elapsed = now_seconds - last_update;
  u8 *next = last;
  if (now_seconds - read_u64(last) >= OBSERVATION_SECONDS) {
    index = index == OBSERVATION_COUNT - 1 ? 0 : index + 1;
    next = state + OBSERVATION_LIST + index * OBSERVATION_BYTES;
  }
  Wide price_0 = price_x32(reserve_1, reserve_0);
  Wide price_1 = price_x32(reserve_0, reserve_1);
  if (!accumulate(next + OBSERVATION_PRICE_0, last + OBSERVATION_PRICE_0, &price_0, elapsed) ||
      !accumulate(next + OBSERVATION_PRICE_1, last + OBSERVATION_PRICE_1, &price_1, elapsed))
    return MATH_OVERFLOW;
  if (next != last) write_u64(next, now_seconds);
  write_u16(state + OBSERVATION_INDEX, index);
  write_u64(state + OBSERVATION_LAST_UPDATE, now_seconds);
  return SUCCESS;
}
