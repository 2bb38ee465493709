/*
 * Unsigned integers of 256 bits as eight 32-bit digits, least significant first: the machine multiplies and divides 64
 * bits at once, so two digits meet in one instruction. Exact; what does not fit says so.
 */
#pragma once
#include "u128.h"

#define BIG_DIGITS 8
typedef struct {
  u32 digits[BIG_DIGITS];
} Big;

INLINE void big_set(Big *big, u128 value) {
  big->digits[0] = (u32)value;
  big->digits[1] = (u32)(value >> 32);
  big->digits[2] = (u32)(value >> 64);
  big->digits[3] = (u32)(value >> 96);
  for (int i = 4; i < BIG_DIGITS; i++) big->digits[i] = 0;
}

/* value · 2^64 */
INLINE void big_set_x64(Big *big, u128 value) {
  big_set(big, 0);
  big->digits[2] = (u32)value;
  big->digits[3] = (u32)(value >> 32);
  big->digits[4] = (u32)(value >> 64);
  big->digits[5] = (u32)(value >> 96);
}

/* Answers 0 when the value is over 128 bits. */
INLINE int big_get(const Big *big, u128 *value) {
  const u32 *digit = big->digits;
  *value = u128_of(((u64)digit[3] << 32) | digit[2], ((u64)digit[1] << 32) | digit[0]);
  return (digit[4] | digit[5] | digit[6] | digit[7]) == 0;
}

/* Answers 0 when the value is over 64 bits. */
INLINE int big_get_u64(const Big *big, u64 *value) {
  u128 wide;
  int fits = big_get(big, &wide);
  *value = (u64)wide;
  return fits && u128_high(wide) == 0;
}

INLINE int big_length(const u32 *digits, int length) {
#pragma clang loop unroll(disable)
  while (length > 0 && digits[length - 1] == 0) length--;
  return length;
}

/* Answers 0 when the sum is over 256 bits. */
CALLED int big_add(Big *to, const Big *addend) {
  u64 carry = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < BIG_DIGITS; i++) {
    carry += (u64)to->digits[i] + addend->digits[i];
    to->digits[i] = (u32)carry;
    carry >>= 32;
  }
  return carry == 0;
}

/* Answers 0 when the difference is below 0. */
CALLED int big_subtract(Big *from, const Big *subtrahend) {
  u64 borrow = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < BIG_DIGITS; i++) {
    u64 difference = (u64)from->digits[i] - subtrahend->digits[i] - borrow;
    from->digits[i] = (u32)difference;
    borrow = difference >> 63;
  }
  return borrow == 0;
}

INLINE int big_decrement(Big *value) {
  Big one;
  big_set(&one, 1);
  return big_subtract(value, &one);
}

/* Answers 0 when the product is over 256 bits. `product` must be neither of the factors. */
CALLED int big_multiply(Big *product, const Big *left, const Big *right) {
  int left_length = big_length(left->digits, BIG_DIGITS);
  int right_length = big_length(right->digits, BIG_DIGITS);
  big_set(product, 0);
#pragma clang loop unroll(disable)
  for (int i = 0; i < left_length; i++) {
    u64 digit = left->digits[i];
    u64 carry = 0;
#pragma clang loop unroll(disable)
    for (int j = 0; j < right_length; j++) {
      if (i + j >= BIG_DIGITS) {
        if (digit != 0 && right->digits[j] != 0) return 0;
        continue;
      }
      carry += digit * right->digits[j] + product->digits[i + j];
      product->digits[i + j] = (u32)carry;
      carry >>= 32;
    }
    if (carry == 0) continue;
    if (i + right_length >= BIG_DIGITS) return 0;
    product->digits[i + right_length] = (u32)carry;
  }
  return 1;
}

/* By one digit. Answers the remainder. */
INLINE u64 big_divide_short(u32 *digits, int length, u64 divisor) {
  u64 remainder = 0;
#pragma clang loop unroll(disable)
  for (int i = length - 1; i >= 0; i--) {
    u64 part = (remainder << 32) | digits[i];
    digits[i] = (u32)(part / divisor);
    remainder = part % divisor;
  }
  return remainder;
}

/* Moves digits up by less than 32 bits; what leaves the last digit is answered. */
INLINE u32 shift_up(u32 *to, const u32 *from, int length, int bits) {
  u64 carry = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < length; i++) {
    carry |= (u64)from[i] << bits;
    to[i] = (u32)carry;
    carry >>= 32;
  }
  return (u32)carry;
}

/* part -= quotient · divisor over `length` digits and the one above them. Answers 1 when it went below 0. */
INLINE int subtract_product(u32 *part, const u32 *divisor, int length, u64 quotient) {
  u64 carry = 0;
  u64 borrow = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < length; i++) {
    carry += quotient * divisor[i];
    u64 difference = (u64)part[i] - (u32)carry - borrow;
    part[i] = (u32)difference;
    borrow = difference >> 63;
    carry >>= 32;
  }
  u64 difference = (u64)part[length] - carry - borrow;
  part[length] = (u32)difference;
  return (int)(difference >> 63);
}

INLINE void add_back(u32 *part, const u32 *divisor, int length) {
  u64 carry = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < length; i++) {
    carry += (u64)part[i] + divisor[i];
    part[i] = (u32)carry;
    carry >>= 32;
  }
  part[length] += (u32)carry;
}

/*
 * value = floor(value / divisor); answers 1 when there is a remainder. The divisor must not be 0. Knuth's algorithm D: the
 * divisor is shifted until its first digit is at least half full, so that a quotient digit guessed from the first two
 * digits is too great by at most 2.
 */
CALLED int big_divide(Big *value, const Big *divisor) {
  int length = big_length(divisor->digits, BIG_DIGITS);
  int value_length = big_length(value->digits, BIG_DIGITS);
  if (value_length < length) {
    big_set(value, 0);
    return value_length != 0;
  }
  if (length == 1) return big_divide_short(value->digits, value_length, divisor->digits[0]) != 0;
  int bits = __builtin_clz(divisor->digits[length - 1]);
  u32 scaled[BIG_DIGITS];
  u32 rest[BIG_DIGITS + 1];
  shift_up(scaled, divisor->digits, length, bits);
  rest[value_length] = shift_up(rest, value->digits, value_length, bits);
  big_set(value, 0);
  u64 first = scaled[length - 1];
  u64 second = scaled[length - 2];
#pragma clang loop unroll(disable)
  for (int at = value_length - length; at >= 0; at--) {
    u64 top = ((u64)rest[at + length] << 32) | rest[at + length - 1];
    u64 quotient = top / first;
    u64 remainder = top % first;
#pragma clang loop unroll(disable)
    while (quotient >> 32 != 0 || quotient * second > ((remainder << 32) | rest[at + length - 2])) {
      quotient--;
      remainder += first;
      if (remainder >> 32 != 0) break;
    }
    if (subtract_product(rest + at, scaled, length, quotient)) {
      quotient--;
      add_back(rest + at, scaled, length);
    }
    value->digits[at] = (u32)quotient;
  }
  return big_length(rest, length) != 0;
}
