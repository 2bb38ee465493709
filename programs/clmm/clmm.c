/*
 * The concentrated-liquidity exchange of the local cluster: the instructions swap and swap_v2 of Raydium CLMM as it was
 * before August 2024, with its accounts, ticks, fees, rounding, event and refusals, so that what trades here trades there.
 * Own code, one translation unit.
 *
 * Not here, and why: creating pools and positions (genesis writes pools), rewards (a pool that pays them is refused),
 * transfer fees of Token-2022 (a mint that may charge them is refused). At most ACCOUNTS_MAX accounts are looked at. Where
 * CLMM aborts, mostly on a number that does not fit, this program aborts.
 */
#include "accounts.h"
#include "observation.h"
#include "swap-step.h"

typedef struct {
  u64 amount;
  u64 threshold;
  u128 price_limit;
  u8 base_input;
  u8 zero_for_one;
  u32 now_seconds;
} Order;

/* A swap under way: what is left of the named amount, the other one so far, and the pool as it moves. */
typedef struct {
  u64 remaining;
  u64 calculated;
  u64 pool_fee;
  u64 protocol_fee;
  u64 fund_fee;
  i32 tick;
  u128 growth;
  Step step;
  Walk walk;
} Swap;

INLINE u64 check_order(const Order *order, const u8 *pool) {
  if (order->amount == 0) return INVALID_SWAP_AMOUNT;
  if (pool[POOL_STATUS] & POOL_STATUS_NO_SWAP) return NOT_APPROVED;
  u128 price = read_u128(pool + POOL_SQRT_PRICE);
  int fits = order->zero_for_one ? order->price_limit < price && order->price_limit > SQRT_PRICE_MIN
                                 : order->price_limit > price && order->price_limit < SQRT_PRICE_MAX;
  return fits ? check_rewards(pool) : SQRT_PRICE_LIMIT_OVERFLOW;
}

INLINE void start_swap(Swap *swap, const Order *order, const u8 *pool, const u8 *config) {
  swap->remaining = order->amount;
  swap->calculated = swap->pool_fee = swap->protocol_fee = swap->fund_fee = 0;
  swap->tick = (i32)read_u32(pool + POOL_TICK_CURRENT);
  swap->growth = read_u128(pool + POOL_FEE_GROWTH + (order->zero_for_one ? 0 : 16));
  swap->step.price = read_u128(pool + POOL_SQRT_PRICE);
  swap->step.liquidity = read_u128(pool + POOL_LIQUIDITY);
  swap->step.fee_rate = read_u32(config + CONFIG_TRADE_FEE_RATE);
  swap->step.base_input = order->base_input;
  swap->step.zero_for_one = order->zero_for_one;
}

/* Takes the share of protocol or fund out of the step's fee. */
INLINE u64 take_share(Step *step, u64 fee, u64 rate, u64 *total) {
  u64 share;
  if (!multiply_divide_down(fee, rate, FEE_RATE_DENOMINATOR, &share) || share > step->fee_amount) return ABORTED;
  step->fee_amount -= share;
  *total += share;
  return *total < share ? ABORTED : SUCCESS;
}

/* What protocol and fund leave of the step's fee belongs to the liquidity it was paid to. */
CALLED u64 share_fee(Swap *swap, const u8 *config) {
  Step *step = &swap->step;
  u64 fee = step->fee_amount;
  TRY(take_share(step, fee, read_u32(config + CONFIG_PROTOCOL_FEE_RATE), &swap->protocol_fee));
  TRY(take_share(step, fee, read_u32(config + CONFIG_FUND_FEE_RATE), &swap->fund_fee));
  if (step->liquidity == 0) return SUCCESS;
  Big growth, liquidity;
  big_set_x64(&growth, step->fee_amount);
  big_set(&liquidity, step->liquidity);
  big_divide(&growth, &liquidity);
  u128 delta;
  if (!big_get(&growth, &delta)) return ABORTED;
  swap->growth += delta;
  swap->pool_fee += step->fee_amount;
  return swap->growth < delta || swap->pool_fee < step->fee_amount ? ABORTED : SUCCESS;
}

INLINE u64 move_amounts(Swap *swap) {
  const Step *step = &swap->step;
  u64 paid = step->amount_in + step->fee_amount;
  if (paid < step->amount_in) return ABORTED;
  u64 named = step->base_input ? paid : step->amount_out;
  u64 other = step->base_input ? step->amount_out : paid;
  if (named > swap->remaining) return ABORTED;
  swap->remaining -= named;
  swap->calculated += other;
  return swap->calculated < other ? ABORTED : SUCCESS;
}

/* The tick after the step: across the one it reached, where the price is now, or where it was if nothing moved. */
CALLED u64 move_tick(Swap *swap, const u8 *pool, u8 *tick, const u128 *tick_price) {
  Step *step = &swap->step;
  if (step->next_price == *tick_price) {
    u128 growth_0 = step->zero_for_one ? swap->growth : read_u128(pool + POOL_FEE_GROWTH);
    u128 growth_1 = step->zero_for_one ? read_u128(pool + POOL_FEE_GROWTH + 16) : swap->growth;
    TRY(cross_tick(tick, growth_0, growth_1, step->zero_for_one, &step->liquidity));
    swap->tick = (i32)read_u32(tick + TICK_INDEX) - step->zero_for_one;
  } else if (step->next_price != step->price) {
    TRY(tick_at_sqrt_price(&step->next_price, &swap->tick));
  }
  step->price = step->next_price;
  return SUCCESS;
}

/* From the current price to the next tick or the price limit, or as far as the amount goes. */
CALLED u64 take_step(Swap *swap, const Order *order, const u8 *pool, const u8 *config) {
  Step *step = &swap->step;
  u8 *tick;
  TRY(next_tick(&swap->walk, pool, swap->tick, step->zero_for_one, &tick));
  i32 index = (i32)read_u32(tick + TICK_INDEX);
  if (index < TICK_MIN || index > TICK_MAX) return ABORTED;
  u128 tick_price;
  sqrt_price_at_tick(index, &tick_price);
  if (step->zero_for_one) {
    step->target = tick_price < order->price_limit ? order->price_limit : tick_price;
    if (swap->tick < index || step->price < tick_price || step->price < step->target)
      return REQUIRE_GREATER_OR_EQUAL_VIOLATED;
  } else {
    step->target = tick_price > order->price_limit ? order->price_limit : tick_price;
    if (index <= swap->tick) return REQUIRE_GREATER_VIOLATED;
    if (step->price > tick_price || step->price > step->target) return REQUIRE_GREATER_OR_EQUAL_VIOLATED;
  }
  step->remaining = swap->remaining;
  TRY(compute_step(step));
  TRY(move_amounts(swap));
  TRY(share_fee(swap, config));
  return move_tick(swap, pool, tick, &tick_price);
}

INLINE u64 add_u64(u8 *counter, u64 amount) {
  u64 sum = read_u64(counter) + amount;
  write_u64(counter, sum);
  return sum < amount ? ABORTED : SUCCESS;
}

INLINE u64 add_u128(u8 *counter, u64 amount) {
  u128 sum = read_u128(counter) + amount;
  write_u128(counter, sum);
  return sum < amount ? ABORTED : SUCCESS;
}

/* Writes the pool as the swap leaves it. */
CALLED u64 finish_swap(const Swap *swap, u8 *pool, u64 input_amount, u64 output_amount) {
  int zero_for_one = swap->step.zero_for_one;
  u64 side = zero_for_one ? 0 : 1;
  write_u32(pool + POOL_TICK_CURRENT, (u32)swap->tick);
  write_u128(pool + POOL_SQRT_PRICE, swap->step.price);
  write_u128(pool + POOL_LIQUIDITY, swap->step.liquidity);
  write_u128(pool + POOL_FEE_GROWTH + side * 16, swap->growth);
  TRY(add_u64(pool + POOL_TOTAL_FEES + side * 16, swap->pool_fee));
  TRY(add_u64(pool + POOL_PROTOCOL_FEES + side * 8, swap->protocol_fee));
  TRY(add_u64(pool + POOL_FUND_FEES + side * 8, swap->fund_fee));
  TRY(add_u128(pool + (zero_for_one ? POOL_SWAP_IN_0 : POOL_SWAP_IN_1), input_amount));
  return add_u128(pool + (zero_for_one ? POOL_SWAP_OUT_1 : POOL_SWAP_OUT_0), output_amount);
}

/* Prices the order on the pool and writes what changes; finds both amounts. */
CALLED u64 run_swap(const Account *accounts, const Order *order, Swap *swap, u64 *input_amount, u64 *output_amount) {
  u8 *pool = accounts[POOL_STATE].data;
  u8 *observation = accounts[OBSERVATION_STATE].data;
  const u8 *config = accounts[AMM_CONFIG].data;
  TRY(check_order(order, pool));
  if (!same_key(observation + OBSERVATION_POOL, accounts[POOL_STATE].key)) return REQUIRE_KEYS_EQ_VIOLATED;
  start_swap(swap, order, pool, config);
  TRY(enter_first_array(&swap->walk, pool, order->zero_for_one));
#pragma clang loop unroll(disable)
  while (swap->remaining != 0 && swap->step.price != order->price_limit) TRY(take_step(swap, order, pool, config));
  TRY(observe(observation, pool, order->now_seconds));
  u64 named = order->amount - swap->remaining;
  *input_amount = order->base_input ? named : swap->calculated;
  *output_amount = order->base_input ? swap->calculated : named;
  TRY(finish_swap(swap, pool, *input_amount, *output_amount));
  return *input_amount == 0 || *output_amount == 0 ? TOO_SMALL_AMOUNT : SUCCESS;
}

/* Of the two token programs, the one that holds this account. */
INLINE const Account *token_program_of(const Account *accounts, const Account *account) {
  int is_2022 = same_key(account->owner, TOKEN_2022_PROGRAM);
  return &accounts[is_2022 ? TOKEN_2022_PROGRAM_ACCOUNT : TOKEN_PROGRAM_ACCOUNT];
}

/* The user pays the input vault; the output vault pays the user, signed for by the pool. */
CALLED u64 transfer_both(const Account *accounts, int is_v2, u64 input_amount, u64 output_amount) {
  const Account *pool = &accounts[POOL_STATE];
  Transfer in = {&accounts[INPUT_TOKEN_ACCOUNT],
                 is_v2 ? &accounts[INPUT_VAULT_MINT] : 0,
                 &accounts[INPUT_VAULT],
                 &accounts[PAYER],
                 token_program_of(accounts, &accounts[INPUT_TOKEN_ACCOUNT]),
                 input_amount};
  TRY(transfer(&in, 0));
  /* A vault that this empties freezes the pool. */
  if (read_u64(accounts[OUTPUT_VAULT].data + TOKEN_ACCOUNT_AMOUNT) <= output_amount)
    pool->data[POOL_STATUS] = POOL_STATUS_FROZEN;
  Slice seeds[5] = {{(const u8 *)"pool", 4},
                    {pool->data + POOL_AMM_CONFIG, KEY_BYTES},
                    {pool->data + POOL_TOKEN_MINT_0, KEY_BYTES},
                    {pool->data + POOL_TOKEN_MINT_1, KEY_BYTES},
                    {pool->data + POOL_BUMP, 1}};
  SignerSeeds signers = {seeds, 5};
  Transfer out = {&accounts[OUTPUT_VAULT],
                  is_v2 ? &accounts[OUTPUT_VAULT_MINT] : 0,
                  &accounts[OUTPUT_TOKEN_ACCOUNT],
                  pool,
                  token_program_of(accounts, &accounts[OUTPUT_VAULT]),
                  output_amount};
  return transfer(&out, &signers);
}

CALLED void log_swap_event(const Account *accounts, int zero_for_one, u64 input_amount, u64 output_amount) {
  const u8 *pool = accounts[POOL_STATE].data;
  u8 event[EVENT_BYTES];
  write_u64(event, SWAP_EVENT_DISCRIMINATOR);
  copy_key(event + EVENT_POOL, accounts[POOL_STATE].key);
  copy_key(event + EVENT_SENDER, accounts[PAYER].key);
  copy_key(event + EVENT_TOKEN_ACCOUNT_0, accounts[zero_for_one ? INPUT_TOKEN_ACCOUNT : OUTPUT_TOKEN_ACCOUNT].key);
  copy_key(event + EVENT_TOKEN_ACCOUNT_1, accounts[zero_for_one ? OUTPUT_TOKEN_ACCOUNT : INPUT_TOKEN_ACCOUNT].key);
  write_u64(event + EVENT_AMOUNT_0, zero_for_one ? input_amount : output_amount);
  write_u64(event + EVENT_TRANSFER_FEE_0, 0);
  write_u64(event + EVENT_AMOUNT_1, zero_for_one ? output_amount : input_amount);
  write_u64(event + EVENT_TRANSFER_FEE_1, 0);
  event[EVENT_ZERO_FOR_ONE] = (u8)zero_for_one;
  write_u128(event + EVENT_SQRT_PRICE, read_u128(pool + POOL_SQRT_PRICE));
  write_u128(event + EVENT_LIQUIDITY, read_u128(pool + POOL_LIQUIDITY));
  write_u32(event + EVENT_TICK, read_u32(pool + POOL_TICK_CURRENT));
  Slice field = {event, EVENT_BYTES};
  sol_log_data(&field, 1);
}

INLINE u64 read_order(const Account *accounts, const u8 *data, Order *order) {
  if (data[DATA_BASE_INPUT] > 1) return INSTRUCTION_DID_NOT_DESERIALIZE;
  const u8 *pool = accounts[POOL_STATE].data;
  Clock clock;
  TRY(sol_get_clock_sysvar(&clock));
  order->amount = read_u64(data + DATA_AMOUNT);
  order->threshold = read_u64(data + DATA_THRESHOLD);
  order->base_input = data[DATA_BASE_INPUT];
  order->zero_for_one =
      (u8)same_key(accounts[INPUT_VAULT].data + TOKEN_ACCOUNT_MINT, pool + POOL_TOKEN_MINT_0);
  order->now_seconds = (u32)clock.unix_timestamp;
  order->price_limit = read_u128(data + DATA_PRICE_LIMIT);
  if (order->price_limit == 0) order->price_limit = order->zero_for_one ? SQRT_PRICE_MIN + 1 : SQRT_PRICE_MAX - 1;
  return (u64)clock.unix_timestamp > read_u64(pool + POOL_OPEN_TIME) ? SUCCESS : REQUIRE_GREATER_VIOLATED;
}

/* `first` is the place of the first tick array. */
CALLED u64 execute_swap(const Account *accounts, u64 first, u64 count, const u8 *data, const u8 *program_id) {
  u8 *pool = accounts[POOL_STATE].data;
  Order order;
  Swap swap;
  u64 input_amount, output_amount;
  TRY(read_order(accounts, data, &order));
  TRY(check_vaults(accounts, order.zero_for_one));
  TRY(gather_arrays(accounts, first, count, program_id, &swap.walk));
  u128 price_before = read_u128(pool + POOL_SQRT_PRICE);
  TRY(run_swap(accounts, &order, &swap, &input_amount, &output_amount));
  TRY(transfer_both(accounts, first == SWAP_V2_ACCOUNTS_MIN, input_amount, output_amount));
  log_swap_event(accounts, order.zero_for_one, input_amount, output_amount);
  if (swap.step.price == price_before) return REQUIRE_GREATER_VIOLATED;
  if (order.base_input) return output_amount < order.threshold ? TOO_LITTLE_OUTPUT_RECEIVED : SUCCESS;
  return input_amount > order.threshold ? TOO_MUCH_INPUT_PAID : SUCCESS;
}

CALLED u64 run_instruction(const Account *accounts, u64 count, const u8 *instruction) {
  u64 data_length = read_u64(instruction);
  const u8 *data = instruction + 8;
  const u8 *program_id = data + data_length;
  if (data_length < DATA_AMOUNT) return INSTRUCTION_FALLBACK_NOT_FOUND;
  u64 discriminator = read_u64(data);
  int is_v2 = discriminator == SWAP_V2_DISCRIMINATOR;
  if (is_v2)
    LOG("Instruction: SwapV2");
  else if (discriminator == SWAP_DISCRIMINATOR)
    LOG("Instruction: Swap");
  else
    return INSTRUCTION_FALLBACK_NOT_FOUND;
  if (data_length < DATA_BYTES) return INSTRUCTION_DID_NOT_DESERIALIZE;
  if (count < (is_v2 ? SWAP_V2_ACCOUNTS_MIN : SWAP_ACCOUNTS_MIN)) return ACCOUNT_NOT_ENOUGH_KEYS;
  TRY(check_accounts(accounts, program_id));
  TRY(is_v2 ? check_accounts_v2(accounts) : check_accounts_v1(accounts));
  return execute_swap(accounts, is_v2 ? SWAP_V2_ACCOUNTS_MIN : SWAP_TICK_ARRAY, count, data, program_id);
}

u64 entrypoint(u8 *input) {
  Account accounts[ACCOUNTS_MAX];
  u64 count = read_u64(input);
  const u8 *instruction = read_accounts(input, accounts, ACCOUNTS_MAX);
  u64 answer = run_instruction(accounts, count < ACCOUNTS_MAX ? count : ACCOUNTS_MAX, instruction);
  if (answer == ABORTED) abort();
  return answer;
}
