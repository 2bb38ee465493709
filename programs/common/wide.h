/*
 * Products of two u64 and their quotients, in two words: the compiler's own 128-bit division is a library call, and a
 * program has no library. All of it is exact; what does not fit says so.
 */
#pragma once
#include "solana.h"

typedef struct {
  u64 high;
  u64 low;
} Wide;

INLINE Wide wide_multiply(u64 left, u64 right) {
  u64 left_low = (u32)left, left_high = left >> 32;
  u64 right_low = (u32)right, right_high = right >> 32;
  u64 low = left_low * right_low;
  u64 cross_left = left_high * right_low;
  u64 cross_right = left_low * right_high;
  u64 middle = (low >> 32) + (u32)cross_left + (u32)cross_right;
  Wide product;
  product.low = (middle << 32) | (u32)low;
  product.high = left_high * right_high + (cross_left >> 32) + (cross_right >> 32) + (middle >> 32);
  return product;
}

/* The sum modulo 2^128. */
INLINE Wide wide_add(Wide left, Wide right) {
  Wide sum;
  sum.low = left.low + right.low;
  sum.high = left.high + right.high + (sum.low < left.low);
  return sum;
}

INLINE Wide wide_of(u64 value) {
  Wide wide = {0, value};
  return wide;
}

INLINE int wide_less(Wide left, Wide right) {
  return left.high != right.high ? left.high < right.high : left.low < right.low;
}

/* value / divisor, rounded down; the divisor must not be 0. Shift and subtract, one bit a turn. */
CALLED void wide_divide(Wide *value, u64 divisor) {
  if (value->high == 0) {
    value->low /= divisor;
    return;
  }
  u64 remainder = value->high % divisor;
  u64 low = value->low;
#pragma clang loop unroll(disable)
  for (int bit = 0; bit < 64; bit++) {
    u64 carry = remainder >> 63;
    remainder = (remainder << 1) | (low >> 63);
    low <<= 1;
    if (carry || remainder >= divisor) {
      remainder -= divisor;
      low |= 1;
    }
  }
  value->high /= divisor;
  value->low = low;
}

/* left × right / divisor, rounded down or up, into *quotient. Answers 0 when it is no u64 or the divisor is 0. */
CALLED int multiply_divide_down(u64 left, u64 right, u64 divisor, u64 *quotient) {
  if (divisor == 0) return 0;
  Wide value = wide_multiply(left, right);
  wide_divide(&value, divisor);
  *quotient = value.low;
  return value.high == 0;
}

CALLED int multiply_divide_up(u64 left, u64 right, u64 divisor, u64 *quotient) {
  if (divisor == 0) return 0;
  /* At most (2^64 - 1)^2 + 2^64 - 2, which is under 2^128: the sum never wraps. */
  Wide value = wide_add(wide_multiply(left, right), wide_of(divisor - 1));
  wide_divide(&value, divisor);
  *quotient = value.low;
  return value.high == 0;
}
