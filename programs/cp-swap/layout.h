/*
 * The words of Raydium CP-Swap that a swap touches: discriminators, offsets of its packed little-endian accounts,
 * instruction, event and error codes. Named as there; src/dex/raydium-cpmm/layout.ts says the same to TypeScript.
 */
#pragma once
#include "../common/anchor.h"

/* First eight bytes of sha256("account:PoolState"), … ("global:swap_base_input"), … ("event:SwapEvent"), as a word. */
#define POOL_STATE_DISCRIMINATOR 0x46dec3d7f5e3edf7ULL
#define AMM_CONFIG_DISCRIMINATOR 0x6f2bcbcb6821f4daULL
#define OBSERVATION_STATE_DISCRIMINATOR 0x84a5098135c5ae7aULL
#define SWAP_BASE_INPUT_DISCRIMINATOR 0xde331ec4da5abe8fULL
#define SWAP_BASE_OUTPUT_DISCRIMINATOR 0xadb44aa35662d937ULL
#define SWAP_EVENT_DISCRIMINATOR 0xe2710826e8cdc640ULL

/* Places of the accounts of both swap instructions. */
enum {
  PAYER,
  AUTHORITY,
  AMM_CONFIG,
  POOL_STATE,
  INPUT_TOKEN_ACCOUNT,
  OUTPUT_TOKEN_ACCOUNT,
  INPUT_VAULT,
  OUTPUT_VAULT,
  INPUT_TOKEN_PROGRAM,
  OUTPUT_TOKEN_PROGRAM,
  INPUT_TOKEN_MINT,
  OUTPUT_TOKEN_MINT,
  OBSERVATION_STATE,
  SWAP_ACCOUNTS
};

/* Instruction data: discriminator, then amount_in and minimum_amount_out, or max_amount_in and amount_out. */
enum { DATA_FIRST = 8, DATA_SECOND = 16, DATA_BYTES = 24 };

enum {
  POOL_AMM_CONFIG = 8,
  POOL_TOKEN_0_VAULT = 72,
  POOL_TOKEN_1_VAULT = 104,
  POOL_OBSERVATION_KEY = 296,
  POOL_AUTH_BUMP = 328,
  POOL_STATUS = 329,
  /* Each pair of counters: token 0, then token 1, eight bytes each. */
  POOL_PROTOCOL_FEES = 341,
  POOL_FUND_FEES = 357,
  POOL_OPEN_TIME = 373,
  POOL_RECENT_EPOCH = 381,
  POOL_ENABLE_CREATOR_FEE = 390,
  POOL_CREATOR_FEES = 397,
  POOL_BYTES = 637
};
#define POOL_STATUS_NO_SWAP 4

/* Rates in millionths: of the input (trade), of the trade fee (protocol, fund). */
enum {
  CONFIG_TRADE_FEE_RATE = 12,
  CONFIG_PROTOCOL_FEE_RATE = 20,
  CONFIG_FUND_FEE_RATE = 28,
  CONFIG_CREATOR_FEE_RATE = 108,
  CONFIG_BYTES = 236
};
#define FEE_RATE_DENOMINATOR 1000000ULL

enum {
  OBSERVATION_INITIALIZED = 8,
  OBSERVATION_INDEX = 9,
  OBSERVATION_LIST = 43,
  OBSERVATION_LAST_UPDATE = 4043,
  OBSERVATION_STATE_BYTES = 4075,
  /* One observation: u64 timestamp, then two u128 cumulative prices. */
  OBSERVATION_BYTES = 40,
  OBSERVATION_PRICE_0 = 8,
  OBSERVATION_PRICE_1 = 24,
  OBSERVATION_COUNT = 100
};
/* Seconds after which a new observation begins. */
#define OBSERVATION_SECONDS 15

enum {
  EVENT_POOL_ID = 8,
  EVENT_INPUT_VAULT_BEFORE = 40,
  EVENT_OUTPUT_VAULT_BEFORE = 48,
  EVENT_INPUT_AMOUNT = 56,
  EVENT_OUTPUT_AMOUNT = 64,
  EVENT_INPUT_TRANSFER_FEE = 72,
  EVENT_OUTPUT_TRANSFER_FEE = 80,
  EVENT_BASE_INPUT = 88,
  EVENT_INPUT_MINT = 89,
  EVENT_OUTPUT_MINT = 121,
  EVENT_TRADE_FEE = 153,
  EVENT_CREATOR_FEE = 161,
  EVENT_CREATOR_FEE_ON_INPUT = 169,
  EVENT_BYTES = 170
};

/* Refusals of its own; those of the Anchor framework are in anchor.h. */
enum {
  NOT_APPROVED = 6000,
  EXCEEDED_SLIPPAGE = 6005,
  ZERO_TRADING_TOKENS = 6006,
  NOT_SUPPORT_MINT = 6007,
  INVALID_VAULT = 6008,
  MATH_OVERFLOW = 6011,
  INSUFFICIENT_VAULT = 6012,
  INVALID_FEE_MODEL = 6013
};
