/**
 * Bytes of Orca's Whirlpool program: accounts, swap instructions and their event, little endian, packed, named as in the
 * program (github.com/orca-so/whirlpools, `programs/whirlpool/src/state`, `instructions` and `events.rs`). Offsets only.
 *
 *   Whirlpool 653              TickArray 9,988         DynamicTickArray ≥ 148    Oracle 254           FeeTier 44
 *   0   discriminator          0    discriminator      0  discriminator         0  discriminator    0  discriminator
 *   8   config, bump           8    start_tick_index   8  start_tick_index      8  whirlpool        8  config
 *   41  spacing, rates         12   88 ticks of 113    12 whirlpool             40 trade enable     40 tick_spacing
 *   49  liquidity, price, tick 9956 whirlpool          44 tick_bitmap           48 constants (34)   42 default_fee_rate
 *   85  what is owed, tokens                           60 88 ticks of 1 or 113  82 variables (44)
 *   261 rewards, 3 of 128                                                       126 reserved
 */

/** First eight bytes of sha256("account:Name"), sha256("event:Name") and sha256("global:name"), as Anchor makes them. */
export const WHIRLPOOL_DISCRIMINATOR = {
  whirlpool: [0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09],
  tickArray: [0x45, 0x61, 0xbd, 0xbe, 0x6e, 0x07, 0x42, 0xbb],
  dynamicTickArray: [0x11, 0xd8, 0xf6, 0x8e, 0xe1, 0xc7, 0xda, 0x38],
  oracle: [0x8b, 0xc2, 0x83, 0xb3, 0x8c, 0xb3, 0xe5, 0xf4],
  feeTier: [0x38, 0x4b, 0x9f, 0x4c, 0x8e, 0x44, 0xbe, 0x69],
  adaptiveFeeTier: [0x93, 0x10, 0x90, 0x74, 0x2f, 0x92, 0x95, 0x2e],
  swap: [0xf8, 0xc6, 0x9e, 0x91, 0xe1, 0x75, 0x87, 0xc8],
  swapV2: [0x2b, 0x04, 0xed, 0x0b, 0x1a, 0xc9, 0x1e, 0x62],
  twoHopSwap: [0xc3, 0x60, 0xed, 0x6c, 0x44, 0xa2, 0xdb, 0xe6],
  twoHopSwapV2: [0xba, 0x8f, 0xd1, 0x1d, 0xfe, 0x02, 0xc2, 0x75],
  traded: [0xe1, 0xca, 0x49, 0xaf, 0x93, 0x2b, 0xa0, 0x96],
} as const;

export const WHIRLPOOL_BYTES = 653;
export const WHIRLPOOL = {
  whirlpoolsConfig: 8,
  whirlpoolBump: 40,
  tickSpacing: 41,
  /** Equals the tick spacing in pools of a plain fee tier; another number in pools of an adaptive one. */
  feeTierIndexSeed: 43,
  feeRate: 45,
  protocolFeeRate: 47,
  liquidity: 49,
  sqrtPrice: 65,
  tickCurrentIndex: 81,
  protocolFeeOwedA: 85,
  protocolFeeOwedB: 93,
  tokenMintA: 101,
  tokenVaultA: 133,
  feeGrowthGlobalA: 165,
  tokenMintB: 181,
  tokenVaultB: 213,
  feeGrowthGlobalB: 245,
  rewardLastUpdatedTimestamp: 261,
  rewardInfos: 269,
} as const;

export const REWARDS = 3;
export const REWARD_INFO_BYTES = 128;
export const REWARD_INFO = {
  mint: 0,
  vault: 32,
  extension: 64,
  emissionsPerSecondX64: 96,
  growthGlobalX64: 112,
} as const;

export const TICK_ARRAY_TICKS = 88;
export const TICK_BYTES = 113;
/** The data of an initialised tick starts after its first byte, which is 0 or 1. */
export const TICK = {
  initialized: 0,
  liquidityNet: 1,
  liquidityGross: 17,
  feeGrowthOutsideA: 33,
  feeGrowthOutsideB: 49,
  rewardGrowthsOutside: 65,
} as const;
export const TICK_ARRAY_BYTES = 9_988;
export const TICK_ARRAY = { startTickIndex: 8, ticks: 12, whirlpool: 9_956 } as const;
/** With no tick initialised; each initialised one adds 112. */
export const DYNAMIC_TICK_ARRAY_BYTES_MIN = 148;
export const DYNAMIC_TICK_ARRAY = { startTickIndex: 8, whirlpool: 12, tickBitmap: 44, ticks: 60 } as const;

export const ORACLE_BYTES = 254;
export const ORACLE = {
  whirlpool: 8,
  tradeEnableTimestamp: 40,
  /** AdaptiveFeeConstants. */
  filterPeriod: 48,
  decayPeriod: 50,
  reductionFactor: 52,
  adaptiveFeeControlFactor: 54,
  maxVolatilityAccumulator: 58,
  tickGroupSize: 62,
  majorSwapThresholdTicks: 64,
  /** AdaptiveFeeVariables. */
  lastReferenceUpdateTimestamp: 82,
  lastMajorSwapTimestamp: 90,
  volatilityReference: 98,
  tickGroupIndexReference: 102,
  volatilityAccumulator: 106,
} as const;

export const FEE_TIER_BYTES = 44;
export const FEE_TIER = { whirlpoolsConfig: 8, tickSpacing: 40, defaultFeeRate: 42 } as const;
export const ADAPTIVE_FEE_TIER_BYTES = 256;
export const ADAPTIVE_FEE_TIER = {
  whirlpoolsConfig: 8,
  feeTierIndex: 40,
  tickSpacing: 42,
  initializePoolAuthority: 44,
  delegatedFeeAuthority: 76,
  defaultBaseFeeRate: 108,
  filterPeriod: 110,
  decayPeriod: 112,
  reductionFactor: 114,
  adaptiveFeeControlFactor: 116,
  maxVolatilityAccumulator: 120,
  tickGroupSize: 124,
  majorSwapThresholdTicks: 126,
} as const;

/** swap; swap_v2 goes on with an optional list of what the remaining accounts are for. */
export const SWAP_DATA_BYTES = 42;
export const SWAP_DATA = {
  amount: 8,
  otherAmountThreshold: 16,
  sqrtPriceLimit: 24,
  amountSpecifiedIsInput: 40,
  aToB: 41,
} as const;
/** two_hop_swap; two_hop_swap_v2 goes on as swap_v2 does. */
export const TWO_HOP_SWAP_DATA_BYTES = 59;
export const TWO_HOP_SWAP_DATA = {
  amount: 8,
  otherAmountThreshold: 16,
  amountSpecifiedIsInput: 24,
  aToBOne: 25,
  aToBTwo: 26,
  sqrtPriceLimitOne: 27,
  sqrtPriceLimitTwo: 43,
} as const;

/** Places of the accounts of each swap instruction. */
export const SWAP_ACCOUNTS = [
  "tokenProgram",
  "tokenAuthority",
  "whirlpool",
  "tokenOwnerAccountA",
  "tokenVaultA",
  "tokenOwnerAccountB",
  "tokenVaultB",
  "tickArray0",
  "tickArray1",
  "tickArray2",
  "oracle",
] as const;
export const SWAP_V2_ACCOUNTS = [
  "tokenProgramA",
  "tokenProgramB",
  "memoProgram",
  "tokenAuthority",
  "whirlpool",
  "tokenMintA",
  "tokenMintB",
  "tokenOwnerAccountA",
  "tokenVaultA",
  "tokenOwnerAccountB",
  "tokenVaultB",
  "tickArray0",
  "tickArray1",
  "tickArray2",
  "oracle",
] as const;
export const TWO_HOP_SWAP_ACCOUNTS = [
  "tokenProgram",
  "tokenAuthority",
  "whirlpoolOne",
  "whirlpoolTwo",
  "tokenOwnerAccountOneA",
  "tokenVaultOneA",
  "tokenOwnerAccountOneB",
  "tokenVaultOneB",
  "tokenOwnerAccountTwoA",
  "tokenVaultTwoA",
  "tokenOwnerAccountTwoB",
  "tokenVaultTwoB",
  "tickArrayOne0",
  "tickArrayOne1",
  "tickArrayOne2",
  "tickArrayTwo0",
  "tickArrayTwo1",
  "tickArrayTwo2",
  "oracleOne",
  "oracleTwo",
] as const;
export const TWO_HOP_SWAP_V2_ACCOUNTS = [
  "whirlpoolOne",
  "whirlpoolTwo",
  "tokenMintInput",
  "tokenMintIntermediate",
  "tokenMintOutput",
  "tokenProgramInput",
  "tokenProgramIntermediate",
  "tokenProgramOutput",
  "tokenOwnerAccountInput",
  "tokenVaultOneInput",
  "tokenVaultOneIntermediate",
  "tokenVaultTwoIntermediate",
  "tokenVaultTwoOutput",
  "tokenOwnerAccountOutput",
  "tokenAuthority",
  "tickArrayOne0",
  "tickArrayOne1",
  "tickArrayOne2",
  "tickArrayTwo0",
  "tickArrayTwo1",
  "tickArrayTwo2",
  "oracleOne",
  "oracleTwo",
  "memoProgram",
] as const;

export const TRADED_BYTES = 121;
export const TRADED = {
  whirlpool: 8,
  aToB: 40,
  preSqrtPrice: 41,
  postSqrtPrice: 57,
  inputAmount: 73,
  outputAmount: 81,
  inputTransferFee: 89,
  outputTransferFee: 97,
  lpFee: 105,
  protocolFee: 113,
} as const;

/** Seeds of the program's addresses. */
export const WHIRLPOOL_SEED = {
  /** + pool, first tick as decimal text. */
  tickArray: "tick_array",
  /** + pool. */
  oracle: "oracle",
} as const;
