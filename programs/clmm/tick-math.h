/*
 * Ticks and square root prices: price(t) = 1.0001^(t/2) as Q64.64, with CLMM's factors and its rounding, and back through
 * a logarithm of 16 binary places that the exact price settles.
 */
#pragma once
#include "../common/u128.h"
#include "../common/wide.h"
#include "layout.h"

#define TICK_MAX 443636
#define TICK_MIN (-TICK_MAX)
/* price(TICK_MIN) and price(TICK_MAX): 4295048016 and 79226673521066979257578248091. */
#define SQRT_PRICE_MIN ((u128)4295048016ULL)
#define SQRT_PRICE_MAX u128_of(0xfffec4b1ULL, 0x845c1aa94e69579bULL)

/* 2^64 / 1.0001^(2^(bit - 1)) for each bit of a tick. */
#define TICK_BITS 19
static const u64 TICK_FACTORS[TICK_BITS] = {
    0xfffcb933bd6fb800ULL, 0xfff97272373d4000ULL, 0xfff2e50f5f657000ULL, 0xffe5caca7e10f000ULL, 0xffcb9843d60f7000ULL,
    0xff973b41fa98e800ULL, 0xff2ea16466c9b000ULL, 0xfe5dee046a9a3800ULL, 0xfcbe86c7900bb000ULL, 0xf987a7253ac65800ULL,
    0xf3392b0822bb6000ULL, 0xe7159475a2caf000ULL, 0xd097f3bdfd2f2000ULL, 0xa9f746462d9f8000ULL, 0x70d869a156f31c00ULL,
    0x31be135f97ed3200ULL, 0x09aa508b5b85a500ULL, 0x005d6af8dedc582cULL, 0x00002216e584f5faULL};

/* left · right / 2^64. Called, not inlined: the compiler would see a product of 128 bits and call a library for it. */
CALLED void multiply_x64(u64 *left, u64 right) {
  Wide product = wide_multiply(*left, right);
  __asm__("" : "+r"(product.low));
  *left = product.high;
}

/* Of a tick from TICK_MIN to TICK_MAX. */
CALLED void sqrt_price_at_tick(i32 tick, u128 *price) {
  u32 bits = (u32)(tick < 0 ? -tick : tick);
  if (bits == 0) {
    *price = (u128)1 << 64;
    return;
  }
  /* The product so far; 0 stands for 2^64, which is no u64. */
  u64 ratio = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; bits != 0; i++, bits >>= 1)
    if (bits & 1) {
      if (ratio == 0)
        ratio = TICK_FACTORS[i];
      else
        multiply_x64(&ratio, TICK_FACTORS[i]);
    }
  if (tick < 0) {
    *price = ratio;
    return;
  }
  Wide inverse = {~0ULL, ~0ULL};
  wide_divide(&inverse, ratio);
  *price = u128_of(inverse.high, inverse.low);
}

/* log2 of a price in Q32.32, to 16 places after the point. */
INLINE i64 log2_x32(u128 price) {
  u64 high = u128_high(price);
  int top_bit = high != 0 ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((u64)price);
  /* The price with its first bit at bit 63: from 1 to 2 in Q1.63. */
  u64 ratio = high == 0 ? (u64)price << (63 - top_bit) : (u64)price >> (top_bit - 63) | high << (127 - top_bit);
  u64 fraction = 0;
#pragma clang loop unroll(disable)
  for (u64 bit = 1ULL << 63; bit >= 1ULL << 48; bit >>= 1) {
    Wide square = wide_multiply(ratio, ratio);
    if (square.high >> 63) {
      ratio = square.high;
      fraction |= bit;
    } else {
      ratio = square.high << 1 | square.low >> 63;
    }
  }
  return (i64)(top_bit - 64) * (1LL << 32) + (i64)(fraction >> 32);
}

/* 2^32 / log2(√1.0001), and how far the logarithm may be off, below and above, in Q64.64 ticks. */
#define TICKS_PER_LOG2 59543866431248ULL
#define TICK_ERROR_BELOW ((i128)184467440737095516LL)
#define TICK_ERROR_ABOVE ((i128)u128_of(0, 15793534762490258745ULL))

/* The greatest tick whose price is at most this one. */
CALLED u64 tick_at_sqrt_price(const u128 *price, i32 *tick) {
  if (*price < SQRT_PRICE_MIN || *price >= SQRT_PRICE_MAX) return SQRT_PRICE_OUT_OF_RANGE;
  i64 log2 = log2_x32(*price);
  Wide product = wide_multiply((u64)(log2 < 0 ? -log2 : log2), TICKS_PER_LOG2);
  i128 magnitude = (i128)u128_of(product.high, product.low);
  i128 ticks = log2 < 0 ? -magnitude : magnitude;
  i32 low = (i32)((ticks - TICK_ERROR_BELOW) >> 64);
  i32 high = (i32)((ticks + TICK_ERROR_ABOVE) >> 64);
  *tick = low;
  if (low == high) return SUCCESS;
  if (high > TICK_MAX) return ABORTED;
  u128 price_at_high;
  sqrt_price_at_tick(high, &price_at_high);
  if (price_at_high <= *price) *tick = high;
  return SUCCESS;
}
