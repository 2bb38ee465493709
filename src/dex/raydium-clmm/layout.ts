/**
 * Bytes of Raydium CLMM: its accounts, instructions and event, little endian and packed, named as in the program
 * (github.com/raydium-io/raydium-clmm, `states/` and `instructions/`). Offsets only; the decoders walk them.
 *
 *   PoolState 1,544          TickArrayState 10,240     AmmConfig 117        TickArrayBitmapExtension 1,832
 *   0     discriminator      0      discriminator      0   discriminator    0    discriminator
 *   8     bump               8      pool_id            8   bump, index      8    pool_id
 *   9     seven addresses    40     start_tick_index   11  owner            40   14 × 512 bits, above the pool's own
 *   233   decimals, spacing  44     60 ticks of 168    43  rates            936  14 × 512 bits, below it
 *   237   price and growth   10,124 count              61  fund_owner
 *   389   status, fee_on
 *   397   3 rewards of 169   ObservationState of 2024 (52,121) and of 2026 (4,483): the length tells them apart
 *   904   bitmap, 1,024 bits
 *   1,064 fund fees, times   swap, swap_v2: 41 bytes   SwapEvent: 205 bytes, 221 since builds that tell trade fees
 *   1,096 dynamic fee
 */

/** First eight bytes of sha256("account:Name"), sha256("event:Name") and sha256("global:name"), as Anchor makes them. */
export const CLMM_DISCRIMINATOR = {
  poolState: [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46],
  ammConfig: [0xda, 0xf4, 0x21, 0x68, 0xcb, 0xcb, 0x2b, 0x6f],
  tickArrayState: [0xc0, 0x9b, 0x55, 0xcd, 0x31, 0xf9, 0x81, 0x2a],
  tickArrayBitmapExtension: [0x3c, 0x96, 0x24, 0xdb, 0x61, 0x80, 0x8b, 0x99],
  observationState: [0x7a, 0xae, 0xc5, 0x35, 0x81, 0x09, 0xa5, 0x84],
  swapEvent: [0x40, 0xc6, 0xcd, 0xe8, 0x26, 0x08, 0x71, 0xe2],
  swap: [0xf8, 0xc6, 0x9e, 0x91, 0xe1, 0x75, 0x87, 0xc8],
  swapV2: [0x2b, 0x04, 0xed, 0x0b, 0x1a, 0xc9, 0x1e, 0x62],
} as const;

export const POOL_STATE_BYTES = 1_544;
/** Addresses are 32 bytes; liquidity, prices and growths u128; fees owed and times u64. */
export const POOL_STATE = {
  bump: 8,
  ammConfig: 9,
  owner: 41,
  tokenMint0: 73,
  tokenMint1: 105,
  tokenVault0: 137,
  tokenVault1: 169,
  observationKey: 201,
  mintDecimals0: 233,
  mintDecimals1: 234,
  tickSpacing: 235,
  liquidity: 237,
  sqrtPriceX64: 253,
  tickCurrent: 269,
  feeGrowthGlobal0X64: 277,
  feeGrowthGlobal1X64: 293,
  protocolFeesToken0: 309,
  protocolFeesToken1: 317,
  status: 389,
  /** 0 on whichever token comes in, 1 only on token 0, 2 only on token 1; padding before 2026. */
  feeOn: 390,
  rewardInfos: 397,
  tickArrayBitmap: 904,
  fundFeesToken0: 1_064,
  fundFeesToken1: 1_072,
  openTime: 1_080,
  recentEpoch: 1_088,
  /** All zero where the pool has none; padding before 2026. */
  dynamicFeeInfo: 1_096,
} as const;
/** The bit of `status` that forbids swaps; 255 freezes the pool. */
export const POOL_STATUS_NO_SWAP = 16;
export const POOL_STATUS_FROZEN = 255;
export const POOL_BITMAP_BITS = 1_024;

export const REWARD_COUNT = 3;
export const REWARD_INFO_BYTES = 169;
export const REWARD_INFO = {
  rewardState: 0,
  openTime: 1,
  endTime: 9,
  lastUpdateTime: 17,
  emissionsPerSecondX64: 25,
  rewardTotalEmissioned: 41,
  rewardClaimed: 49,
  tokenMint: 57,
  tokenVault: 89,
  authority: 121,
  rewardGrowthGlobalX64: 153,
} as const;

export const DYNAMIC_FEE_INFO_BYTES = 80;
export const DYNAMIC_FEE_INFO = {
  filterPeriod: 0,
  decayPeriod: 2,
  reductionFactor: 4,
  dynamicFeeControl: 6,
  maxVolatilityAccumulator: 10,
  tickSpacingIndexReference: 14,
  volatilityReference: 18,
  volatilityAccumulator: 22,
  lastUpdateTimestamp: 26,
} as const;

export const AMM_CONFIG_BYTES = 117;
/** Rates are u32, in millionths: of the input (trade) or of the trade fee (protocol, fund). */
export const AMM_CONFIG = {
  bump: 8,
  index: 9,
  owner: 11,
  protocolFeeRate: 43,
  tradeFeeRate: 47,
  tickSpacing: 51,
  fundFeeRate: 53,
  fundOwner: 61,
} as const;
export const FEE_RATE_DENOMINATOR = 1_000_000n;

export const TICK_ARRAY_BYTES = 10_240;
export const TICK_ARRAY_TICKS = 60;
export const TICK_ARRAY = { poolId: 8, startTickIndex: 40, ticks: 44, initializedTickCount: 10_124 } as const;
export const TICK_BYTES = 168;
export const TICK = {
  tick: 0,
  liquidityNet: 4,
  liquidityGross: 20,
  feeGrowthOutside0X64: 36,
  feeGrowthOutside1X64: 52,
  rewardGrowthsOutsideX64: 68,
  /** Limit orders that wait on this tick; padding before 2026. */
  ordersAmount: 124,
  partFilledOrdersRemaining: 132,
} as const;

export const BITMAP_EXTENSION_BYTES = 1_832;
export const BITMAP_EXTENSION = { poolId: 8, positive: 40, negative: 936 } as const;
export const BITMAP_EXTENSION_BITMAPS = 14;
export const BITMAP_EXTENSION_BITS = 512;

export const OBSERVATION_STATE_2024_BYTES = 52_121;
export const OBSERVATION_STATE_2024 = { initialized: 8, poolId: 9, observations: 41 } as const;
export const OBSERVATION_STATE_2026_BYTES = 4_483;
export const OBSERVATION_STATE_2026 = {
  initialized: 8,
  recentEpoch: 9,
  observationIndex: 17,
  poolId: 19,
  observations: 51,
} as const;

export const SWAP_DATA_BYTES = 41;
export const SWAP_DATA = { amount: 8, otherAmountThreshold: 16, sqrtPriceLimitX64: 24, isBaseInput: 40 } as const;
/** Places of the accounts of `swap`; further tick arrays follow. */
export const SWAP_ACCOUNT = {
  payer: 0,
  ammConfig: 1,
  poolState: 2,
  inputTokenAccount: 3,
  outputTokenAccount: 4,
  inputVault: 5,
  outputVault: 6,
  observationState: 7,
  tokenProgram: 8,
  tickArray: 9,
} as const;
export const SWAP_ACCOUNTS_MIN = 10;
/** The same of `swap_v2`: after the token program come two programs and the mints, then what the walk needs. */
export const SWAP_V2_ACCOUNT = {
  tokenProgram2022: 9,
  memoProgram: 10,
  inputVaultMint: 11,
  outputVaultMint: 12,
  remaining: 13,
} as const;

export const SWAP_EVENT_BYTES_MIN = 205;
export const SWAP_EVENT_WITH_FEES_BYTES = 221;
export const SWAP_EVENT = {
  poolState: 8,
  sender: 40,
  tokenAccount0: 72,
  tokenAccount1: 104,
  amount0: 136,
  transferFee0: 144,
  amount1: 152,
  transferFee1: 160,
  zeroForOne: 168,
  sqrtPriceX64: 169,
  liquidity: 185,
  tick: 201,
  tradeFee0: 205,
  tradeFee1: 213,
} as const;

/** The start of an SPL token account, of either token program: what a vault is. */
export const VAULT_BYTES_MIN = 165;
export const VAULT = { mint: 0, amount: 64, state: 108 } as const;
export const VAULT_STATE = { initialized: 1, frozen: 2 } as const;

/** The accounts beside a pool's own that hold a part of its price, and where each names its pool. */
export const CLMM_POOL_PARTS = [
  [CLMM_DISCRIMINATOR.tickArrayState, TICK_ARRAY.poolId],
  [CLMM_DISCRIMINATOR.tickArrayBitmapExtension, BITMAP_EXTENSION.poolId],
] as const;
