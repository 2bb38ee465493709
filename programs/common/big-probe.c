/*
 * Runs operations of big.h and logs their answers: what its test asks on the machine itself. Never deployed.
 * Instruction data: any number of u8 operation, left[32], right[32]; each is answered by u8 answer, result[32].
 */
#include "big.h"

enum { NUMBER_BYTES = 32, REQUEST_BYTES = 65, ANSWER_BYTES = 33 };
enum { ADD, SUBTRACT, MULTIPLY, DIVIDE };

INLINE void read_big(Big *big, const u8 *at) {
  for (int i = 0; i < BIG_DIGITS; i++) big->digits[i] = read_u32(at + 4 * i);
}

CALLED void answer(const u8 *request) {
  Big left, right, product;
  read_big(&left, request + 1);
  read_big(&right, request + 1 + NUMBER_BYTES);
  const Big *result = &left;
  u8 reply[ANSWER_BYTES];
  if (request[0] == ADD) reply[0] = (u8)big_add(&left, &right);
  if (request[0] == SUBTRACT) reply[0] = (u8)big_subtract(&left, &right);
  if (request[0] == DIVIDE) reply[0] = (u8)big_divide(&left, &right);
  if (request[0] == MULTIPLY) {
    reply[0] = (u8)big_multiply(&product, &left, &right);
    result = &product;
  }
  for (int i = 0; i < BIG_DIGITS; i++) write_u32(reply + 1 + 4 * i, result->digits[i]);
  Slice field = {reply, ANSWER_BYTES};
  sol_log_data(&field, 1);
}

u64 entrypoint(u8 *input) {
  Account none[1];
  const u8 *instruction = read_accounts(input, none, 0);
  u64 length = read_u64(instruction);
#pragma clang loop unroll(disable)
  for (u64 at = 0; at + REQUEST_BYTES <= length; at += REQUEST_BYTES) answer(instruction + 8 + at);
  return SUCCESS;
}
