/*
 * Ticks in their arrays: finding the next one that positions begin or end at, and crossing it. A tick counts when its
 * gross liquidity is not 0.
 */
#pragma once
#include "bitmap.h"

/* The tick arrays that came with the instruction, in its order, and how far the swap has walked through them. */
typedef struct {
  const u8 *pool_key;
  const u8 *extension;
  u8 *arrays[ACCOUNTS_MAX];
  u64 count;
  u64 next;
  /* The array the swap is in. */
  u8 *array;
  i32 start;
  /* Whether the pool's tick was in an array with ticks, or the swap has entered one since. */
  int is_entered;
} Walk;

INLINE i32 start_of(const u8 *array) { return (i32)read_u32(array + ARRAY_START_TICK); }
INLINE u8 *tick_at(u8 *array, int place) { return array + ARRAY_TICKS + place * TICK_BYTES; }

/* The first tick that counts from `place` on, itself included; null when there is none in this array. */
CALLED u8 *find_tick(u8 *array, int place, int downwards) {
#pragma clang loop unroll(disable)
  for (; place >= 0 && place < TICKS_PER_ARRAY; place += downwards ? -1 : 1) {
    u8 *tick = tick_at(array, place);
    if (!is_zero_u128(tick + TICK_LIQUIDITY_GROSS)) return tick;
  }
  return 0;
}

INLINE u64 first_tick_in(u8 *array, int zero_for_one, u8 **tick) {
  *tick = find_tick(array, zero_for_one ? TICKS_PER_ARRAY - 1 : 0, zero_for_one);
  return *tick == 0 ? INVALID_TICK_ARRAY : SUCCESS;
}

/* The next array that came with the instruction; another pool's is refused. */
INLINE u64 take_array(Walk *walk) {
  if (walk->next == walk->count) return NOT_ENOUGH_TICK_ARRAYS;
  walk->array = walk->arrays[walk->next++];
  return SUCCESS;
}

INLINE u64 check_array_pool(const Walk *walk) {
  return same_key(walk->array + ARRAY_POOL, walk->pool_key) ? SUCCESS : REQUIRE_KEYS_EQ_VIOLATED;
}

/* Goes to the array where the swap begins; arrays before it are skipped. */
CALLED u64 enter_first_array(Walk *walk, const u8 *pool, int zero_for_one) {
  ArraySearch search;
  TRY(first_array(pool, walk->extension, zero_for_one, &search, &walk->is_entered));
  walk->start = search.start;
  if (walk->count == 0) return ABORTED;
  do TRY(take_array(walk));
  while (start_of(walk->array) != walk->start && walk->next < walk->count);
  TRY(check_array_pool(walk));
  return start_of(walk->array) == walk->start ? SUCCESS : INVALID_FIRST_TICK_ARRAY;
}

/* Goes on to the next array that holds a tick by the bitmaps. */
INLINE u64 enter_next_array(Walk *walk, const u8 *pool, int zero_for_one) {
  ArraySearch search;
  TRY(next_array(pool, walk->extension, zero_for_one, walk->start, &search));
  if (!search.found) return LIQUIDITY_INSUFFICIENT;
#pragma clang loop unroll(disable)
  while (start_of(walk->array) != search.start) {
    TRY(take_array(walk));
    TRY(check_array_pool(walk));
  }
  walk->start = search.start;
  return SUCCESS;
}

/* The next tick that counts, from the pool's current tick on in the direction of the swap. */
CALLED u64 next_tick(Walk *walk, const u8 *pool, i32 current, int zero_for_one, u8 **tick) {
  i32 spacing = read_u16(pool + POOL_TICK_SPACING);
  i32 start = start_of(walk->array);
  *tick = 0;
  if (array_start_of(current, spacing) == start) {
    int place = divide_floor(current - start, spacing);
    *tick = find_tick(walk->array, zero_for_one ? place : place + 1, zero_for_one);
  }
  if (*tick != 0) return SUCCESS;
  if (!walk->is_entered) {
    walk->is_entered = 1;
    return first_tick_in(walk->array, zero_for_one, tick);
  }
  TRY(enter_next_array(walk, pool, zero_for_one));
  return first_tick_in(walk->array, zero_for_one, tick);
}

INLINE u64 flip_growth(u8 *outside, u128 global) {
  u128 before = read_u128(outside);
  if (before > global) return ABORTED;
  write_u128(outside, global - before);
  return SUCCESS;
}

/* What lay outside of the tick lies inside now; its net liquidity enters or leaves. */
INLINE u64 cross_tick(u8 *tick, u128 growth_0, u128 growth_1, int zero_for_one, u128 *liquidity) {
  TRY(flip_growth(tick + TICK_FEE_GROWTH_OUTSIDE, growth_0));
  TRY(flip_growth(tick + TICK_FEE_GROWTH_OUTSIDE + 16, growth_1));
  u128 net = read_u128(tick + TICK_LIQUIDITY_NET);
  if (zero_for_one) net = -net;
  u128 after = *liquidity + net;
  if ((i128)net < 0 ? after >= *liquidity : after < *liquidity)
    return (i128)net < 0 ? LIQUIDITY_SUB_VALUE : LIQUIDITY_ADD_VALUE;
  *liquidity = after;
  return SUCCESS;
}
