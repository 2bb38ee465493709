/*
 * The words of Raydium CLMM that a swap touches: discriminators, offsets of its packed little-endian accounts,
 * instructions, event and error codes, as in its builds before August 2024. Named as there.
 */
#pragma once
#include "../common/anchor.h"

/* First eight bytes of sha256("account:PoolState"), … ("global:swap"), … ("event:SwapEvent"), as a word. */
#define POOL_STATE_DISCRIMINATOR 0x46dec3d7f5e3edf7ULL
#define AMM_CONFIG_DISCRIMINATOR 0x6f2bcbcb6821f4daULL
#define TICK_ARRAY_DISCRIMINATOR 0x2a81f931cd559bc0ULL
#define BITMAP_EXTENSION_DISCRIMINATOR 0x998b8061db24963cULL
#define OBSERVATION_STATE_DISCRIMINATOR 0x84a5098135c5ae7aULL
#define SWAP_EVENT_DISCRIMINATOR 0xe2710826e8cdc640ULL
#define SWAP_DISCRIMINATOR 0xc88775e1919ec6f8ULL
#define SWAP_V2_DISCRIMINATOR 0x621ec91a0bed042bULL

/* Places of the accounts: the first nine are common, then the two instructions part. */
enum {
  PAYER,
  AMM_CONFIG,
  POOL_STATE,
  INPUT_TOKEN_ACCOUNT,
  OUTPUT_TOKEN_ACCOUNT,
  INPUT_VAULT,
  OUTPUT_VAULT,
  OBSERVATION_STATE,
  TOKEN_PROGRAM_ACCOUNT,
  /* swap: the first tick array; any further ones, and the bitmap extension, in any order. */
  SWAP_TICK_ARRAY = 9,
  SWAP_ACCOUNTS_MIN = 10,
  /* swap_v2: two programs, two mints, then tick arrays and the bitmap extension in any order. */
  TOKEN_2022_PROGRAM_ACCOUNT = 9,
  MEMO_PROGRAM_ACCOUNT = 10,
  INPUT_VAULT_MINT = 11,
  OUTPUT_VAULT_MINT = 12,
  SWAP_V2_ACCOUNTS_MIN = 13,
  /* Further accounts are not looked at. */
  ACCOUNTS_MAX = 24
};

/* Instruction data: discriminator, then these; a price limit of 0 is none. */
enum { DATA_AMOUNT = 8, DATA_THRESHOLD = 16, DATA_PRICE_LIMIT = 24, DATA_BASE_INPUT = 40, DATA_BYTES = 41 };

enum {
  POOL_BUMP = 8,
  POOL_AMM_CONFIG = 9,
  POOL_TOKEN_MINT_0 = 73,
  POOL_TOKEN_MINT_1 = 105,
  POOL_TOKEN_VAULT_0 = 137,
  POOL_TOKEN_VAULT_1 = 169,
  POOL_OBSERVATION_KEY = 201,
  POOL_TICK_SPACING = 235,
  POOL_LIQUIDITY = 237,
  POOL_SQRT_PRICE = 253,
  POOL_TICK_CURRENT = 269,
  POOL_OBSERVATION_INDEX = 273,
  POOL_OBSERVATION_SECONDS = 275,
  /* Pairs: token 0, then token 1; 16 bytes each for growth and amounts swapped, 8 for fees. */
  POOL_FEE_GROWTH = 277,
  POOL_PROTOCOL_FEES = 309,
  POOL_SWAP_IN_0 = 325,
  POOL_SWAP_OUT_1 = 341,
  POOL_SWAP_IN_1 = 357,
  POOL_SWAP_OUT_0 = 373,
  POOL_STATUS = 389,
  POOL_REWARD_INFOS = 397,
  POOL_TICK_ARRAY_BITMAP = 904,
  /* Per token: total_fees, then total_fees_claimed. */
  POOL_TOTAL_FEES = 1032,
  POOL_FUND_FEES = 1064,
  POOL_OPEN_TIME = 1080,
  POOL_BYTES = 1544
};
#define POOL_STATUS_NO_SWAP 16
#define POOL_STATUS_FROZEN 255
enum { REWARD_INFOS = 3, REWARD_INFO_BYTES = 169, REWARD_INFO_MINT = 57 };

/* Rates in millionths, four bytes each: of the input (trade), of the trade fee (protocol, fund). */
enum { CONFIG_PROTOCOL_FEE_RATE = 43, CONFIG_TRADE_FEE_RATE = 47, CONFIG_FUND_FEE_RATE = 53, CONFIG_BYTES = 117 };
#define FEE_RATE_DENOMINATOR 1000000

enum {
  ARRAY_POOL = 8,
  ARRAY_START_TICK = 40,
  ARRAY_TICKS = 44,
  ARRAY_BYTES = 10240,
  TICKS_PER_ARRAY = 60,
  TICK_BYTES = 168,
  TICK_INDEX = 0,
  TICK_LIQUIDITY_NET = 4,
  TICK_LIQUIDITY_GROSS = 20,
  TICK_FEE_GROWTH_OUTSIDE = 36
};

enum {
  EXTENSION_POOL = 8,
  EXTENSION_POSITIVE = 40,
  EXTENSION_NEGATIVE = 936,
  EXTENSION_BYTES = 1832,
  EXTENSION_BITMAPS = 14,
  EXTENSION_BITMAP_BYTES = 64
};

enum {
  OBSERVATION_INITIALIZED = 8,
  OBSERVATION_POOL = 9,
  OBSERVATION_LIST = 41,
  OBSERVATION_STATE_BYTES = 52121,
  OBSERVATION_COUNT = 1000,
  OBSERVATION_BYTES = 52,
  OBSERVATION_PRICE = 4,
  OBSERVATION_CUMULATIVE = 20
};

enum {
  EVENT_POOL = 8,
  EVENT_SENDER = 40,
  EVENT_TOKEN_ACCOUNT_0 = 72,
  EVENT_TOKEN_ACCOUNT_1 = 104,
  EVENT_AMOUNT_0 = 136,
  EVENT_TRANSFER_FEE_0 = 144,
  EVENT_AMOUNT_1 = 152,
  EVENT_TRANSFER_FEE_1 = 160,
  EVENT_ZERO_FOR_ONE = 168,
  EVENT_SQRT_PRICE = 169,
  EVENT_LIQUIDITY = 185,
  EVENT_TICK = 201,
  EVENT_BYTES = 205
};

/* Refusals of its own; those of the Anchor framework are in anchor.h. */
enum {
  NOT_APPROVED = 6001,
  INVALID_TICK_ARRAY = 6011,
  SQRT_PRICE_LIMIT_OVERFLOW = 6013,
  SQRT_PRICE_OUT_OF_RANGE = 6014,
  LIQUIDITY_SUB_VALUE = 6015,
  LIQUIDITY_ADD_VALUE = 6016,
  LIQUIDITY_INSUFFICIENT = 6019,
  TOO_LITTLE_OUTPUT_RECEIVED = 6022,
  TOO_MUCH_INPUT_PAID = 6023,
  INVALID_SWAP_AMOUNT = 6024,
  INVALID_INPUT_POOL_VAULT = 6025,
  TOO_SMALL_AMOUNT = 6026,
  NOT_ENOUGH_TICK_ARRAYS = 6027,
  INVALID_FIRST_TICK_ARRAY = 6028,
  NOT_SUPPORT_MINT = 6039,
  MISSING_BITMAP_EXTENSION = 6040,
  INSUFFICIENT_LIQUIDITY_FOR_DIRECTION = 6041
};

/* What CLMM answers by aborting, mostly a number that does not fit: no code, the machine says that the program failed. */
#define ABORTED 0xffffffffffffffffULL
