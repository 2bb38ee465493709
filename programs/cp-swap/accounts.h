/*
 * Everything a swap must know about its 13 accounts before it believes a byte of them: who owns them, that they are what
 * they say, that they belong to this pool, and that the authority is the program's own. In the order of CP-Swap: first
 * each account for itself, then how they fit together.
 */
#pragma once
#include "layout.h"

/* The authority of every vault: the address this program signs for with this seed. */
#define AUTHORITY_SEED "vault_and_lp_mint_auth_seed"
#define AUTHORITY_SEED_BYTES (sizeof(AUTHORITY_SEED) - 1)

/* Token-2022 mints with extensions may charge for transfers, which this program does not compute: refused. */
CALLED u64 check_mint(const Account *mint, const Account *vault) {
  if (!is_token_program(mint->owner)) return ACCOUNT_OWNED_BY_WRONG_PROGRAM;
  if (mint->data_length < MINT_BYTES || mint->data[MINT_INITIALIZED] == 0) return ACCOUNT_DID_NOT_DESERIALIZE;
  if (!same_key(mint->key, vault->data + TOKEN_ACCOUNT_MINT)) return CONSTRAINT_ADDRESS;
  return mint->data_length > MINT_BYTES ? NOT_SUPPORT_MINT : SUCCESS;
}

CALLED u64 check_authority(const Account *authority, const u8 *program_id, const u8 *bump) {
  Slice seeds[2] = {{(const u8 *)AUTHORITY_SEED, AUTHORITY_SEED_BYTES}, {bump, 1}};
  u8 address[KEY_BYTES];
  if (sol_create_program_address(seeds, 2, program_id, address) != SUCCESS) return CONSTRAINT_SEEDS;
  return same_key(authority->key, address) ? SUCCESS : CONSTRAINT_SEEDS;
}

INLINE int is_vault_of(const Account *vault, const u8 *pool) {
  return same_key(vault->key, pool + POOL_TOKEN_0_VAULT) || same_key(vault->key, pool + POOL_TOKEN_1_VAULT);
}

CALLED u64 check_accounts(const Account *accounts, const u8 *program_id) {
  const Account *pool_account = &accounts[POOL_STATE];
  const Account *observation = &accounts[OBSERVATION_STATE];
  const u8 *pool = pool_account->data;
  if (!accounts[PAYER].is_signer) return ACCOUNT_NOT_SIGNER;
  TRY(check_own_account(&accounts[AMM_CONFIG], program_id, AMM_CONFIG_DISCRIMINATOR, CONFIG_BYTES));
  TRY(check_own_account(pool_account, program_id, POOL_STATE_DISCRIMINATOR, POOL_BYTES));
  if (!pool_account->is_writable) return CONSTRAINT_MUT;
  TRY(check_token_account(&accounts[INPUT_TOKEN_ACCOUNT]));
  TRY(check_token_account(&accounts[OUTPUT_TOKEN_ACCOUNT]));
  TRY(check_token_account(&accounts[INPUT_VAULT]));
  TRY(check_token_account(&accounts[OUTPUT_VAULT]));
  if (!is_token_program(accounts[INPUT_TOKEN_PROGRAM].key) || !is_token_program(accounts[OUTPUT_TOKEN_PROGRAM].key))
    return INVALID_PROGRAM_ID;
  TRY(check_own_account(observation, program_id, OBSERVATION_STATE_DISCRIMINATOR, OBSERVATION_STATE_BYTES));
  if (!observation->is_writable) return CONSTRAINT_MUT;

  TRY(check_authority(&accounts[AUTHORITY], program_id, pool + POOL_AUTH_BUMP));
  if (!same_key(accounts[AMM_CONFIG].key, pool + POOL_AMM_CONFIG)) return CONSTRAINT_ADDRESS;
  if (!is_vault_of(&accounts[INPUT_VAULT], pool) || !is_vault_of(&accounts[OUTPUT_VAULT], pool)) return CONSTRAINT_RAW;
  TRY(check_mint(&accounts[INPUT_TOKEN_MINT], &accounts[INPUT_VAULT]));
  TRY(check_mint(&accounts[OUTPUT_TOKEN_MINT], &accounts[OUTPUT_VAULT]));
  return same_key(observation->key, pool + POOL_OBSERVATION_KEY) ? SUCCESS : CONSTRAINT_ADDRESS;
}
