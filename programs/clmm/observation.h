/*
 * The price oracle of a pool: a ring of 1,000 observations of the price and of the sum of price × seconds, written with
 * the price before the swap, at most once in the pool's interval and only when the price has moved.
 */
#pragma once
#include "../common/big.h"
#include "layout.h"

/* price² · seconds, the price as Q64.64. */
INLINE u64 price_seconds(u128 sqrt_price, u32 seconds, u128 *sum) {
  Big factor, square, product;
  big_set(&factor, sqrt_price);
  if (!big_multiply(&square, &factor, &factor)) return ABORTED;
  big_set_x64(&factor, 1);
  big_divide(&square, &factor);
  u128 price;
  if (!big_get(&square, &price)) return ABORTED;
  big_set(&factor, seconds);
  if (!big_multiply(&product, &square, &factor)) return ABORTED;
  return big_get(&product, sum) ? SUCCESS : ABORTED;
}

CALLED u64 observe(u8 *state, u8 *pool, u32 now_seconds) {
  u16 index = read_u16(pool + POOL_OBSERVATION_INDEX);
  u128 price = read_u128(pool + POOL_SQRT_PRICE);
  if (index >= OBSERVATION_COUNT) return ABORTED;
  u8 *last = state + OBSERVATION_LIST + index * OBSERVATION_BYTES;
  if (!state[OBSERVATION_INITIALIZED]) {
    state[OBSERVATION_INITIALIZED] = 1;
    write_u32(last, now_seconds);
    write_u128(last + OBSERVATION_PRICE, price);
    write_u128(last + OBSERVATION_CUMULATIVE, 0);
    return SUCCESS;
  }
  u32 last_seconds = read_u32(last);
  u32 elapsed = now_seconds > last_seconds ? now_seconds - last_seconds : 0;
  if (elapsed < read_u16(pool + POOL_OBSERVATION_SECONDS) || price == read_u128(last + OBSERVATION_PRICE)) return SUCCESS;
  u128 sum;
  TRY(price_seconds(price, elapsed, &sum));
  index = index == OBSERVATION_COUNT - 1 ? 0 : index + 1;
  u8 *next = state + OBSERVATION_LIST + index * OBSERVATION_BYTES;
  write_u32(next, now_seconds);
  write_u128(next + OBSERVATION_PRICE, price);
  write_u128(next + OBSERVATION_CUMULATIVE, read_u128(last + OBSERVATION_CUMULATIVE) + sum);
  write_u16(pool + POOL_OBSERVATION_INDEX, index);
  return SUCCESS;
}
