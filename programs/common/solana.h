/*
 * What a program of the Solana virtual machine (SBPF version 0) sees: the serialised input, the structs of a call into
 * another program, and the system calls used here. There is no libc and no heap.
 *
 *   input:  u64 accounts, then per account
 *             first use:  u8 0xff, u8 signer, u8 writable, u8 executable, u32 0, key[32], owner[32], u64 lamports,
 *                         u64 length, data[length], 10,240 spare bytes, padding to 8, u64 rent epoch
 *             repetition: u8 place of the first use, seven zero bytes
 *           then u64 length, instruction data[length], program id[32]
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

#define INLINE static inline __attribute__((always_inline))
/* Functions that are called, not inlined, keep each stack frame under the machine's 4,096 bytes. */
#define CALLED static __attribute__((noinline))

#define KEY_BYTES 32
#define FIRST_USE 0xff
#define SPARE_BYTES 10240
#define SUCCESS 0

/* The layouts of SolAccountInfo, SolAccountMeta, SolInstruction, SolSignerSeed(s) that sol_invoke_signed_c reads. */
typedef struct {
  u8 *key;
  u64 *lamports;
  u64 data_length;
  u8 *data;
  u8 *owner;
  u64 rent_epoch;
  u8 is_signer;
  u8 is_writable;
  u8 is_executable;
} Account;

typedef struct {
  const u8 *key;
  u8 is_writable;
  u8 is_signer;
} AccountMeta;

typedef struct {
  const u8 *program_id;
  const AccountMeta *accounts;
  u64 account_count;
  const u8 *data;
  u64 data_length;
} Instruction;

typedef struct {
  const u8 *bytes;
  u64 length;
} Slice;

typedef struct {
  const Slice *seeds;
  u64 count;
} SignerSeeds;

typedef struct {
  u64 slot;
  i64 epoch_start_timestamp;
  u64 epoch;
  u64 leader_schedule_epoch;
  i64 unix_timestamp;
} Clock;

extern void sol_log_(const u8 *text, u64 length);
extern void sol_log_data(const Slice *fields, u64 count);
extern void abort(void) __attribute__((noreturn));
extern u64 sol_get_clock_sysvar(Clock *clock);
extern u64 sol_create_program_address(const Slice *seeds, u64 count, const u8 *program_id, u8 *address);
extern u64 sol_invoke_signed_c(const Instruction *instruction, const Account *accounts, u64 account_count,
                               const SignerSeeds *signers, u64 signer_count);

/*
 * Whole words at any byte. The machine reads and writes misaligned words; a cast keeps that one instruction, where
 * memcpy would be compiled into eight single bytes.
 */
INLINE u64 read_u64(const u8 *at) { return *(const u64 *)at; }
INLINE void write_u64(u8 *at, u64 value) { *(u64 *)at = value; }
INLINE u32 read_u32(const u8 *at) { return *(const u32 *)at; }
INLINE void write_u32(u8 *at, u32 value) { *(u32 *)at = value; }
INLINE u16 read_u16(const u8 *at) { return *(const u16 *)at; }
INLINE void write_u16(u8 *at, u16 value) { *(u16 *)at = value; }

INLINE int same_key(const u8 *left, const u8 *right) {
  return read_u64(left) == read_u64(right) && read_u64(left + 8) == read_u64(right + 8) &&
         read_u64(left + 16) == read_u64(right + 16) && read_u64(left + 24) == read_u64(right + 24);
}

INLINE void copy_key(u8 *to, const u8 *from) {
  write_u64(to, read_u64(from));
  write_u64(to + 8, read_u64(from + 8));
  write_u64(to + 16, read_u64(from + 16));
  write_u64(to + 24, read_u64(from + 24));
}

/* Fills `accounts` with the first `wanted` accounts; further ones are walked over. Answers where instruction data begins. */
INLINE u8 *read_accounts(u8 *input, Account *accounts, u64 wanted) {
  u64 count = read_u64(input);
  u8 *at = input + 8;
#pragma clang loop unroll(disable)
  for (u64 i = 0; i < count; i++) {
    if (*at != FIRST_USE) {
      /* A repetition of an account past `wanted` is itself past `wanted`, so this never reads outside the array. */
      if (i < wanted) accounts[i] = accounts[*at];
      at += 8;
      continue;
    }
    u64 data_length = read_u64(at + 80);
    u8 *data = at + 88;
    u8 *end = (u8 *)(((u64)(data + data_length + SPARE_BYTES) + 7) & ~7ULL);
    if (i < wanted) {
      accounts[i].key = at + 8;
      accounts[i].owner = at + 40;
      accounts[i].lamports = (u64 *)(at + 72);
      accounts[i].data_length = data_length;
      accounts[i].data = data;
      accounts[i].rent_epoch = read_u64(end);
      accounts[i].is_signer = at[1];
      accounts[i].is_writable = at[2];
      accounts[i].is_executable = at[3];
    }
    at = end + 8;
  }
  return at;
}
