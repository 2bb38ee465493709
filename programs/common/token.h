/*
 * The two SPL token programs as other programs see them: the start of their accounts, and a transfer by either of them.
 */
#pragma once
#include "solana.h"

/* TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA and TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb. */
static const u8 TOKEN_PROGRAM[KEY_BYTES] = {6,  221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70,  206, 235, 121, 172,
                                            28, 180, 133, 237, 95,  91,  55,  145, 58,  140, 245, 133, 126, 255, 0,   169};
static const u8 TOKEN_2022_PROGRAM[KEY_BYTES] = {6,  221, 246, 225, 238, 117, 143, 222, 24,  66,  93,
                                                 188, 228, 108, 205, 218, 182, 26,  252, 77,  131, 185,
                                                 13,  39,  254, 189, 249, 40,  216, 161, 139, 252};

INLINE int is_token_program(const u8 *key) { return same_key(key, TOKEN_PROGRAM) || same_key(key, TOKEN_2022_PROGRAM); }

enum { TOKEN_ACCOUNT_MINT = 0, TOKEN_ACCOUNT_AMOUNT = 64, TOKEN_ACCOUNT_STATE = 108, TOKEN_ACCOUNT_BYTES = 165 };
enum { MINT_DECIMALS = 44, MINT_INITIALIZED = 45, MINT_BYTES = 82 };

/* Instructions of the token programs: amount; amount and decimals. */
#define TRANSFER 3
#define TRANSFER_BYTES 9
#define TRANSFER_CHECKED 12
#define TRANSFER_CHECKED_BYTES 10

typedef struct {
  const Account *from;
  /* Null for the unchecked transfer, which names no mint. */
  const Account *mint;
  const Account *to;
  const Account *authority;
  const Account *token_program;
  u64 amount;
} Transfer;

/* Transfer of the token program; `signers` is null where the authority signed the transaction itself. */
CALLED u64 transfer(const Transfer *order, const SignerSeeds *signers) {
  if (order->amount == 0) return SUCCESS;
  u8 data[TRANSFER_CHECKED_BYTES];
  data[0] = order->mint == 0 ? TRANSFER : TRANSFER_CHECKED;
  write_u64(data + 1, order->amount);
  AccountMeta metas[4];
  Account accounts[5];
  u64 count = 0;
  metas[count] = (AccountMeta){order->from->key, 1, 0};
  accounts[count++] = *order->from;
  if (order->mint != 0) {
    data[9] = order->mint->data[MINT_DECIMALS];
    metas[count] = (AccountMeta){order->mint->key, 0, 0};
    accounts[count++] = *order->mint;
  }
  metas[count] = (AccountMeta){order->to->key, 1, 0};
  accounts[count++] = *order->to;
  metas[count] = (AccountMeta){order->authority->key, 0, 1};
  accounts[count++] = *order->authority;
  accounts[count] = *order->token_program;
  Instruction instruction = {order->token_program->key, metas, count, data,
                             order->mint == 0 ? TRANSFER_BYTES : TRANSFER_CHECKED_BYTES};
  return sol_invoke_signed_c(&instruction, accounts, count + 1, signers, signers == 0 ? 0 : 1);
}
