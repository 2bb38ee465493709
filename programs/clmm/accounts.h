/*
 * Everything a swap must know about its accounts before it believes a byte of them, in the order of CLMM: first each
 * account for itself, then how they fit together; tick arrays and the bitmap extension when the swap gets to them.
 */
#pragma once
#include "tick-array.h"

/* MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr */
static const u8 MEMO_PROGRAM[KEY_BYTES] = {5,  74,  83, 90,  153, 41,  33,  6,   77,  36,  232, 113, 96, 218, 56, 124,
                                           124, 53, 181, 221, 188, 146, 187, 129, 228, 31, 168, 64,  65, 5,   68, 141};

/* Behind a Token-2022 mint: padding, the kind of account, then extensions as u16 type, u16 length, bytes. */
enum { MINT_EXTENSIONS = 166, EXTENSION_HEADER_BYTES = 4, EXTENSION_TRANSFER_FEE = 1 };

/* This program computes no transfer fees: a mint that may charge them is refused. */
CALLED u64 check_mint(const Account *mint, const Account *vault) {
  if (!is_token_program(mint->owner)) return ACCOUNT_OWNED_BY_WRONG_PROGRAM;
  if (mint->data_length < MINT_BYTES || mint->data[MINT_INITIALIZED] == 0) return ACCOUNT_DID_NOT_DESERIALIZE;
  if (!same_key(mint->key, vault->data + TOKEN_ACCOUNT_MINT)) return CONSTRAINT_ADDRESS;
#pragma clang loop unroll(disable)
  for (u64 at = MINT_EXTENSIONS; at + EXTENSION_HEADER_BYTES <= mint->data_length;) {
    u16 type = read_u16(mint->data + at);
    if (type == 0) break;
    if (type == EXTENSION_TRANSFER_FEE) return NOT_SUPPORT_MINT;
    at += EXTENSION_HEADER_BYTES + read_u16(mint->data + at + 2);
  }
  return SUCCESS;
}

/* The nine accounts of both instructions. */
CALLED u64 check_accounts(const Account *accounts, const u8 *program_id) {
  const Account *pool_account = &accounts[POOL_STATE];
  const Account *observation = &accounts[OBSERVATION_STATE];
  const u8 *pool = pool_account->data;
  if (!accounts[PAYER].is_signer) return ACCOUNT_NOT_SIGNER;
  TRY(check_own_account(&accounts[AMM_CONFIG], program_id, AMM_CONFIG_DISCRIMINATOR, CONFIG_BYTES));
  TRY(check_own_account(pool_account, program_id, POOL_STATE_DISCRIMINATOR, POOL_BYTES));
  if (!pool_account->is_writable) return CONSTRAINT_MUT;
#pragma clang loop unroll(disable)
  for (int place = INPUT_TOKEN_ACCOUNT; place <= OUTPUT_VAULT; place++) TRY(check_token_account(&accounts[place]));
  TRY(check_own_account(observation, program_id, OBSERVATION_STATE_DISCRIMINATOR, OBSERVATION_STATE_BYTES));
  if (!observation->is_writable) return CONSTRAINT_MUT;
  if (!same_key(accounts[TOKEN_PROGRAM_ACCOUNT].key, TOKEN_PROGRAM)) return INVALID_PROGRAM_ID;
  if (!same_key(accounts[AMM_CONFIG].key, pool + POOL_AMM_CONFIG)) return CONSTRAINT_ADDRESS;
  return same_key(observation->key, pool + POOL_OBSERVATION_KEY) ? SUCCESS : CONSTRAINT_ADDRESS;
}

/* What swap_v2 has besides. */
INLINE u64 check_accounts_v2(const Account *accounts) {
  if (!same_key(accounts[TOKEN_2022_PROGRAM_ACCOUNT].key, TOKEN_2022_PROGRAM)) return INVALID_PROGRAM_ID;
  if (!same_key(accounts[MEMO_PROGRAM_ACCOUNT].key, MEMO_PROGRAM)) return CONSTRAINT_ADDRESS;
  TRY(check_mint(&accounts[INPUT_VAULT_MINT], &accounts[INPUT_VAULT]));
  return check_mint(&accounts[OUTPUT_VAULT_MINT], &accounts[OUTPUT_VAULT]);
}

/* What swap asks besides: it knows one token program and a first tick array. */
INLINE u64 check_accounts_v1(const Account *accounts) {
#pragma clang loop unroll(disable)
  for (int place = INPUT_TOKEN_ACCOUNT; place <= OUTPUT_VAULT; place++)
    if (!same_key(accounts[place].owner, TOKEN_PROGRAM)) return CONSTRAINT_TOKEN_TOKEN_PROGRAM;
  const Account *array = &accounts[SWAP_TICK_ARRAY];
  if (array->data_length < ARRAY_BYTES) return ACCOUNT_DID_NOT_DESERIALIZE;
  return same_key(array->data + ARRAY_POOL, accounts[POOL_STATE].key) ? SUCCESS : CONSTRAINT_RAW;
}

/* The vault that the input comes into, and the other one, belong to the pool, each to its side. */
INLINE u64 check_vaults(const Account *accounts, int zero_for_one) {
  const u8 *pool = accounts[POOL_STATE].data;
  const u8 *input = pool + (zero_for_one ? POOL_TOKEN_VAULT_0 : POOL_TOKEN_VAULT_1);
  const u8 *output = pool + (zero_for_one ? POOL_TOKEN_VAULT_1 : POOL_TOKEN_VAULT_0);
  int fit = same_key(accounts[INPUT_VAULT].key, input) && same_key(accounts[OUTPUT_VAULT].key, output);
  return fit ? SUCCESS : INVALID_INPUT_POOL_VAULT;
}

/* This program pays no rewards: a pool that does is refused. */
INLINE u64 check_rewards(const u8 *pool) {
#pragma clang loop unroll(disable)
  for (int i = 0; i < REWARD_INFOS; i++) {
    const u8 *mint = pool + POOL_REWARD_INFOS + i * REWARD_INFO_BYTES + REWARD_INFO_MINT;
    if (!is_zero_u128(mint) || !is_zero_u128(mint + 16)) return NOT_APPROVED;
  }
  return SUCCESS;
}

/* The further accounts: the pool's bitmap extension, known by its kind, and tick arrays. */
CALLED u64 gather_arrays(const Account *accounts, u64 from, u64 to, const u8 *program_id, Walk *walk) {
  walk->pool_key = accounts[POOL_STATE].key;
  walk->extension = 0;
  walk->count = 0;
  walk->next = 0;
#pragma clang loop unroll(disable)
  for (u64 i = from; i < to; i++) {
    const Account *account = &accounts[i];
    if (check_own_account(account, program_id, BITMAP_EXTENSION_DISCRIMINATOR, EXTENSION_BYTES) == SUCCESS &&
        same_key(account->data + EXTENSION_POOL, walk->pool_key)) {
      walk->extension = account->data;
      continue;
    }
    if (!same_key(account->owner, program_id)) return ACCOUNT_OWNED_BY_WRONG_PROGRAM;
    if (!account->is_writable) return ACCOUNT_NOT_MUTABLE;
    TRY(check_own_account(account, program_id, TICK_ARRAY_DISCRIMINATOR, ARRAY_BYTES));
    walk->arrays[walk->count++] = account->data;
  }
  return SUCCESS;
}
