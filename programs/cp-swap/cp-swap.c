/*
 * The constant-product exchange of the local cluster: the two swap instructions of Raydium CP-Swap, with its accounts,
 * fees, rounding, event and refusals, so that what trades here trades there. Own code, one translation unit.
 *
 * Not here, and why: creating pools, deposits and withdrawals (genesis writes pools), creator fees (a pool that enables
 * them with a rate is refused), transfer fees of Token-2022 (a mint with extensions is refused). Where CP-Swap would
 * panic on an amount that does not fit, this program answers MathOverflow or InsufficientVault.
 */
#include "accounts.h"
#include "curve.h"
#include "observation.h"

/* The user pays the input vault; the output vault pays the user, signed for by the authority. */
CALLED u64 transfer_both(const Account *accounts, const Swap *swap) {
  Transfer in = {&accounts[INPUT_TOKEN_ACCOUNT], &accounts[INPUT_TOKEN_MINT],    &accounts[INPUT_VAULT],
                 &accounts[PAYER],               &accounts[INPUT_TOKEN_PROGRAM], swap->input_amount};
  TRY(transfer(&in, 0));
  Slice seeds[2] = {{(const u8 *)AUTHORITY_SEED, AUTHORITY_SEED_BYTES},
                    {accounts[POOL_STATE].data + POOL_AUTH_BUMP, 1}};
  SignerSeeds signers = {seeds, 2};
  Transfer out = {&accounts[OUTPUT_VAULT], &accounts[OUTPUT_TOKEN_MINT],    &accounts[OUTPUT_TOKEN_ACCOUNT],
                  &accounts[AUTHORITY],    &accounts[OUTPUT_TOKEN_PROGRAM], swap->output_amount};
  return transfer(&out, &signers);
}

/* What belongs to the liquidity of one side: the vault without the fees that wait in it. */
INLINE u64 effective_reserve(const Account *vault, const u8 *pool, u64 side, u64 *reserve) {
  u64 amount = read_u64(vault->data + TOKEN_ACCOUNT_AMOUNT);
  u64 protocol = read_u64(pool + POOL_PROTOCOL_FEES + side * 8);
  u64 fund = read_u64(pool + POOL_FUND_FEES + side * 8);
  u64 creator = read_u64(pool + POOL_CREATOR_FEES + side * 8);
  u64 fees = protocol + fund;
  if (fees < protocol || fees + creator < fees) return MATH_OVERFLOW;
  fees += creator;
  if (fees >= amount) return INSUFFICIENT_VAULT;
  *reserve = amount - fees;
  return SUCCESS;
}

INLINE u64 add_fee(u8 *counter, u64 fee) {
  u64 before = read_u64(counter);
  if (before + fee < before) return MATH_OVERFLOW;
  write_u64(counter, before + fee);
  return SUCCESS;
}

CALLED void log_swap_event(const Account *accounts, const Swap *swap, u8 base_input) {
  u8 event[EVENT_BYTES];
  write_u64(event, SWAP_EVENT_DISCRIMINATOR);
  copy_key(event + EVENT_POOL_ID, accounts[POOL_STATE].key);
  write_u64(event + EVENT_INPUT_VAULT_BEFORE, swap->input_reserve);
  write_u64(event + EVENT_OUTPUT_VAULT_BEFORE, swap->output_reserve);
  write_u64(event + EVENT_INPUT_AMOUNT, swap->input_amount);
  write_u64(event + EVENT_OUTPUT_AMOUNT, swap->output_amount);
  write_u64(event + EVENT_INPUT_TRANSFER_FEE, 0);
  write_u64(event + EVENT_OUTPUT_TRANSFER_FEE, 0);
  event[EVENT_BASE_INPUT] = base_input;
  copy_key(event + EVENT_INPUT_MINT, accounts[INPUT_TOKEN_MINT].key);
  copy_key(event + EVENT_OUTPUT_MINT, accounts[OUTPUT_TOKEN_MINT].key);
  write_u64(event + EVENT_TRADE_FEE, swap->trade_fee);
  write_u64(event + EVENT_CREATOR_FEE, 0);
  /* As CP-Swap says for pools whose creator fee follows the input token, which is its default. */
  event[EVENT_CREATOR_FEE_ON_INPUT] = 1;
  Slice field = {event, EVENT_BYTES};
  sol_log_data(&field, 1);
}

INLINE u64 read_rates(const u8 *config, const u8 *pool, Swap *swap) {
  if (pool[POOL_ENABLE_CREATOR_FEE] && read_u64(config + CONFIG_CREATOR_FEE_RATE) != 0) return INVALID_FEE_MODEL;
  swap->trade_fee_rate = read_u64(config + CONFIG_TRADE_FEE_RATE);
  swap->protocol_fee_rate = read_u64(config + CONFIG_PROTOCOL_FEE_RATE);
  swap->fund_fee_rate = read_u64(config + CONFIG_FUND_FEE_RATE);
  return SUCCESS;
}

/* Amounts in the order of the instruction: exact input and least output, or most input and exact output. */
INLINE u64 price_swap(Swap *swap, u8 base_input, u64 first, u64 second) {
  if (base_input) {
    swap->input_amount = first;
    TRY(swap_exact_input(swap));
    if (swap->output_amount == 0) return REQUIRE_GREATER_VIOLATED;
    return swap->output_amount < second ? EXCEEDED_SLIPPAGE : SUCCESS;
  }
  swap->output_amount = second;
  TRY(swap_exact_output(swap));
  if (swap->input_amount == 0) return REQUIRE_GREATER_VIOLATED;
  return swap->input_amount > first ? EXCEEDED_SLIPPAGE : SUCCESS;
}

CALLED u64 execute_swap(const Account *accounts, u8 base_input, u64 first, u64 second) {
  u8 *pool = accounts[POOL_STATE].data;
  Clock clock;
  TRY(sol_get_clock_sysvar(&clock));
  u64 now_seconds = (u64)clock.unix_timestamp;
  if (!base_input && second == 0) return REQUIRE_GREATER_VIOLATED;
  if ((pool[POOL_STATUS] & POOL_STATUS_NO_SWAP) != 0 || now_seconds < read_u64(pool + POOL_OPEN_TIME))
    return NOT_APPROVED;
  if (base_input && first == 0) return REQUIRE_GREATER_VIOLATED;

  /* The side that comes in, in the pool's own token order. */
  u64 side = same_key(accounts[INPUT_VAULT].key, pool + POOL_TOKEN_0_VAULT) ? 0 : 1;
  if (!same_key(accounts[OUTPUT_VAULT].key, pool + (side == 0 ? POOL_TOKEN_1_VAULT : POOL_TOKEN_0_VAULT)))
    return INVALID_VAULT;
  Swap swap;
  TRY(effective_reserve(&accounts[INPUT_VAULT], pool, side, &swap.input_reserve));
  TRY(effective_reserve(&accounts[OUTPUT_VAULT], pool, 1 - side, &swap.output_reserve));
  TRY(read_rates(accounts[AMM_CONFIG].data, pool, &swap));
  TRY(price_swap(&swap, base_input, first, second));

  TRY(add_fee(pool + POOL_PROTOCOL_FEES + side * 8, swap.protocol_fee));
  TRY(add_fee(pool + POOL_FUND_FEES + side * 8, swap.fund_fee));
  log_swap_event(accounts, &swap, base_input);
  TRY(transfer_both(accounts, &swap));
  write_u64(pool + POOL_RECENT_EPOCH, clock.epoch);
  return observe(accounts[OBSERVATION_STATE].data, now_seconds, side == 0 ? swap.input_reserve : swap.output_reserve,
                 side == 0 ? swap.output_reserve : swap.input_reserve);
}

u64 entrypoint(u8 *input) {
  Account accounts[SWAP_ACCOUNTS];
  u64 account_count = read_u64(input);
  u8 *instruction = read_accounts(input, accounts, SWAP_ACCOUNTS);
  u64 data_length = read_u64(instruction);
  u8 *data = instruction + 8;
  u8 *program_id = data + data_length;
  if (data_length < DATA_FIRST) return INSTRUCTION_FALLBACK_NOT_FOUND;
  u64 discriminator = read_u64(data);
  u8 base_input = discriminator == SWAP_BASE_INPUT_DISCRIMINATOR;
  if (base_input)
    LOG("Instruction: SwapBaseInput");
  else if (discriminator == SWAP_BASE_OUTPUT_DISCRIMINATOR)
    LOG("Instruction: SwapBaseOutput");
  else
    return INSTRUCTION_FALLBACK_NOT_FOUND;
  if (data_length < DATA_BYTES) return INSTRUCTION_DID_NOT_DESERIALIZE;
  if (account_count < SWAP_ACCOUNTS) return ACCOUNT_NOT_ENOUGH_KEYS;
  TRY(check_accounts(accounts, program_id));
  return execute_swap(accounts, base_input, read_u64(data + DATA_FIRST), read_u64(data + DATA_SECOND));
}
