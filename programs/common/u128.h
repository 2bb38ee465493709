/*
 * 128-bit integers in packed accounts. The compiler adds, subtracts and compares them in line; products and quotients
 * would be library calls: big.h has those.
 */
#pragma once
#include "solana.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

INLINE u128 u128_of(u64 high, u64 low) { return ((u128)high << 64) | low; }
INLINE u64 u128_high(u128 value) { return (u64)(value >> 64); }
INLINE u128 read_u128(const u8 *at) { return u128_of(read_u64(at + 8), read_u64(at)); }

INLINE void write_u128(u8 *at, u128 value) {
  write_u64(at, (u64)value);
  write_u64(at + 8, u128_high(value));
}

INLINE int is_zero_u128(const u8 *at) { return (read_u64(at) | read_u64(at + 8)) == 0; }
