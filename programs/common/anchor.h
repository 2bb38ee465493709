/*
 * What programs of the Anchor framework do alike before they look at an instruction: checks of single accounts, and the
 * numbers of the refusals.
 */
#pragma once
#include "token.h"

enum {
  INSTRUCTION_FALLBACK_NOT_FOUND = 101,
  INSTRUCTION_DID_NOT_DESERIALIZE = 102,
  CONSTRAINT_MUT = 2000,
  CONSTRAINT_RAW = 2003,
  CONSTRAINT_SEEDS = 2006,
  CONSTRAINT_ADDRESS = 2012,
  CONSTRAINT_TOKEN_TOKEN_PROGRAM = 2021,
  REQUIRE_KEYS_EQ_VIOLATED = 2502,
  REQUIRE_GREATER_VIOLATED = 2505,
  REQUIRE_GREATER_OR_EQUAL_VIOLATED = 2506,
  ACCOUNT_DISCRIMINATOR_NOT_FOUND = 3001,
  ACCOUNT_DISCRIMINATOR_MISMATCH = 3002,
  ACCOUNT_DID_NOT_DESERIALIZE = 3003,
  ACCOUNT_NOT_ENOUGH_KEYS = 3005,
  ACCOUNT_NOT_MUTABLE = 3006,
  ACCOUNT_OWNED_BY_WRONG_PROGRAM = 3007,
  INVALID_PROGRAM_ID = 3008,
  ACCOUNT_NOT_SIGNER = 3010
};

/* Stops the caller with an error code when the call refuses. */
#define TRY(call)                           \
  do {                                      \
    u64 refusal = (call);                   \
    if (refusal != SUCCESS) return refusal; \
  } while (0)

#define LOG(text) sol_log_((const u8 *)(text), sizeof(text) - 1)

INLINE u64 check_own_account(const Account *account, const u8 *program_id, u64 discriminator, u64 bytes) {
  if (!same_key(account->owner, program_id)) return ACCOUNT_OWNED_BY_WRONG_PROGRAM;
  if (account->data_length < 8) return ACCOUNT_DISCRIMINATOR_NOT_FOUND;
  if (read_u64(account->data) != discriminator) return ACCOUNT_DISCRIMINATOR_MISMATCH;
  return account->data_length < bytes ? ACCOUNT_DID_NOT_DESERIALIZE : SUCCESS;
}

CALLED u64 check_token_account(const Account *account) {
  if (!is_token_program(account->owner)) return ACCOUNT_OWNED_BY_WRONG_PROGRAM;
  if (account->data_length < TOKEN_ACCOUNT_BYTES || account->data[TOKEN_ACCOUNT_STATE] == 0)
    return ACCOUNT_DID_NOT_DESERIALIZE;
  return account->is_writable ? SUCCESS : CONSTRAINT_MUT;
}
