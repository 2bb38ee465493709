/*
 * Which tick arrays of a pool hold a tick: 1,024 bits in the pool for the arrays around tick 0, and where the spacing is so
 * small that those do not reach, 14 times 512 bits on each side in an extension account. An array is named by its first
 * tick, a multiple of 60 spacings.
 */
#pragma once
#include "tick-math.h"

#define POOL_BITS 1024
#define EXTENSION_BITS 512
/* What a search found: an array, or nothing in this bitmap, with the place from which the next one goes on. */
typedef struct {
  int found;
  i32 start;
} ArraySearch;

INLINE i32 ticks_per_array(i32 spacing) { return TICKS_PER_ARRAY * spacing; }
/* Ticks on each side of 0 that the pool's own bitmap covers, and that each bitmap of the extension covers. */
INLINE i32 ticks_per_bitmap(i32 spacing) { return ticks_per_array(spacing) * EXTENSION_BITS; }

/* The quotient towards minus infinity; the machine's own division is unsigned. */
INLINE i32 divide_floor(i32 value, i32 divisor) {
  u32 magnitude = (u32)(value < 0 ? -value : value);
  u32 quotient = magnitude / (u32)divisor;
  return value >= 0 ? (i32)quotient : -(i32)quotient - (magnitude % (u32)divisor != 0);
}

CALLED i32 array_start_of(i32 tick, i32 spacing) {
  i32 ticks = ticks_per_array(spacing);
  return divide_floor(tick, ticks) * ticks;
}

/* The next set bit from `from` on, itself included, upwards or downwards; −1 when there is none. */
CALLED int find_bit(const u8 *bits, int count, int from, int downwards) {
#pragma clang loop unroll(disable)
  while (from >= 0 && from < count) {
    u64 word = read_u64(bits + (from >> 6) * 8);
    int inside = from & 63;
    if (downwards) {
      word &= ~0ULL >> (63 - inside);
      if (word != 0) return (from & ~63) + 63 - __builtin_clzll(word);
      from = (from & ~63) - 1;
    } else {
      word &= ~0ULL << inside;
      if (word != 0) return (from & ~63) + __builtin_ctzll(word);
      from = (from | 63) + 1;
    }
  }
  return -1;
}

/* The next array with a tick after `last` by the pool's own bitmap. */
INLINE ArraySearch search_pool(const u8 *pool, i32 spacing, i32 last, int zero_for_one) {
  i32 ticks = ticks_per_array(spacing);
  i32 boundary = ticks_per_bitmap(spacing);
  i32 next = zero_for_one ? last - ticks : last + ticks;
  if (next < -boundary || next >= boundary) return (ArraySearch){0, last};
  int bit = find_bit(pool + POOL_TICK_ARRAY_BITMAP, POOL_BITS, divide_floor(next, ticks) + POOL_BITS / 2, zero_for_one);
  if (bit >= 0) return (ArraySearch){1, (bit - POOL_BITS / 2) * ticks};
  return (ArraySearch){0, zero_for_one ? -boundary : boundary - ticks};
}

/* The bitmap of the extension that covers the array at `start`, which the pool's own does not; null past the last one. */
INLINE const u8 *extension_bitmap(const u8 *extension, i32 spacing, i32 start) {
  i32 covered = ticks_per_bitmap(spacing);
  i32 place = start < 0 ? -divide_floor(start, covered) - 2 : divide_floor(start, covered) - 1;
  if (place < 0 || place >= EXTENSION_BITMAPS) return 0;
  return extension + (start < 0 ? EXTENSION_NEGATIVE : EXTENSION_POSITIVE) + place * EXTENSION_BITMAP_BYTES;
}

/* The place of an array in its bitmap: bits count upwards on both sides of 0. */
INLINE int extension_bit(i32 spacing, i32 start) {
  i32 covered = ticks_per_bitmap(spacing);
  return divide_floor(start - divide_floor(start, covered) * covered, ticks_per_array(spacing));
}

/* The same search in one bitmap of the extension. */
INLINE u64 search_extension(const u8 *extension, i32 spacing, i32 last, int zero_for_one, ArraySearch *search) {
  i32 ticks = ticks_per_array(spacing);
  i32 next = zero_for_one ? last - ticks : last + ticks;
  *search = (ArraySearch){0, next};
  if (next < array_start_of(TICK_MIN, spacing) || next > array_start_of(TICK_MAX, spacing)) return SUCCESS;
  const u8 *bits = extension_bitmap(extension, spacing, next);
  if (bits == 0) return ABORTED;
  int from = extension_bit(spacing, next);
  int bit = find_bit(bits, EXTENSION_BITS, from, zero_for_one);
  if (bit >= 0) {
    *search = (ArraySearch){1, next + (bit - from) * ticks};
    return SUCCESS;
  }
  search->start = next + ((zero_for_one ? 0 : EXTENSION_BITS - 1) - from) * ticks;
  return SUCCESS;
}

/* The next array after `last` that holds a tick, whichever bitmap knows it. `extension` may be null. */
CALLED u64 next_array(const u8 *pool, const u8 *extension, int zero_for_one, i32 last, ArraySearch *search) {
  i32 spacing = read_u16(pool + POOL_TICK_SPACING);
  /* One turn per bitmap: the pool's own, then each of the extension's on one side, and one to leave the other side. */
#pragma clang loop unroll(disable)
  for (int turn = 0; turn <= 2 * EXTENSION_BITMAPS + 1; turn++) {
    *search = search_pool(pool, spacing, last, zero_for_one);
    if (search->found) return SUCCESS;
    if (extension == 0) return MISSING_BITMAP_EXTENSION;
    TRY(search_extension(extension, spacing, search->start, zero_for_one, search));
    if (search->found) return SUCCESS;
    last = search->start;
    if (last < TICK_MIN || last > TICK_MAX) return SUCCESS;
  }
  return ABORTED;
}

/* The array that the pool's tick is in when it holds a tick, or the next one that does; `current` says which. */
CALLED u64 first_array(const u8 *pool, const u8 *extension, int zero_for_one, ArraySearch *search, int *current) {
  i32 spacing = read_u16(pool + POOL_TICK_SPACING);
  i32 ticks = ticks_per_array(spacing);
  i32 boundary = ticks_per_bitmap(spacing);
  i32 start = array_start_of((i32)read_u32(pool + POOL_TICK_CURRENT), spacing);
  if (start >= -boundary && start < boundary) {
    int place = divide_floor(start, ticks) + POOL_BITS / 2;
    *current = find_bit(pool + POOL_TICK_ARRAY_BITMAP, POOL_BITS, place, 0) == place;
  } else {
    const u8 *bits = extension == 0 ? 0 : extension_bitmap(extension, spacing, start);
    if (bits == 0) return ABORTED;
    int place = extension_bit(spacing, start);
    *current = find_bit(bits, EXTENSION_BITS, place, 0) == place;
  }
  *search = (ArraySearch){1, start};
  if (*current) return SUCCESS;
  TRY(next_array(pool, extension, zero_for_one, start, search));
  return search->found ? SUCCESS : INSUFFICIENT_LIQUIDITY_FOR_DIRECTION;
}
