/**
 * Bytes of Meteora DLMM (program lb_clmm): its accounts, swap instructions and events, little endian, packed, named as in
 * the program's IDL 0.12.0 (github.com/MeteoraAg/dlmm-sdk, `idls/dlmm.json`). Offsets only; the decoders walk them.
 *
 *   LbPair 904                 BinArray 10,136           Bin 144                     BinArrayBitmapExtension 1,576
 *   0   discriminator          0   discriminator         0   amount_x, amount_y      0    discriminator
 *   8   parameters (32)        8   index i64             16  price u128              8    lb_pair
 *   40  v_parameters (32)      16  version, padding      32  liquidity_supply u128   40   positive: 12 × 512 bits
 *   72  seeds, active_id …     24  lb_pair               48  limit order totals      808  negative: 12 × 512 bits
 *   88  mints, reserves        56  70 bins               80  fees per token
 *   216 protocol_fee                                     112 open limit orders       Oracle 32 + 32 × length
 *   264 reward_infos (2 × 144)                           136 order age, side         8  idx, active_size, length
 *   552 oracle
 *   584 bin_array_bitmap: 1,024 bits, bit 512 is index 0
 */

/** First eight bytes of sha256("account:Name"), sha256("event:Name") and sha256("global:name"), as Anchor makes them. */
export const DLMM_DISCRIMINATOR = {
  lbPair: [0x21, 0x0b, 0x31, 0x62, 0xb5, 0x65, 0xb1, 0x0d],
  binArray: [0x5c, 0x8e, 0x5c, 0xdc, 0x05, 0x94, 0x46, 0xb5],
  bitmapExtension: [0x50, 0x6f, 0x7c, 0x71, 0x37, 0xed, 0x12, 0x05],
  oracle: [0x8b, 0xc2, 0x83, 0xb3, 0x8c, 0xb3, 0xe5, 0xf4],
  /** What Anchor puts before an event that a program sends to itself as an instruction. */
  eventInstruction: [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d],
  swapEvent: [0x51, 0x6c, 0xe3, 0xbe, 0xcd, 0xd0, 0x0a, 0xc4],
  swap2Event: [0x2e, 0x74, 0x52, 0xd7, 0x94, 0x1b, 0x54, 0x4d],
} as const;

export const LB_PAIR_BYTES = 904;
export const LB_PAIR = {
  baseFactor: 8,
  filterPeriod: 10,
  decayPeriod: 12,
  reductionFactor: 14,
  variableFeeControl: 16,
  maxVolatilityAccumulator: 20,
  minBinId: 24,
  maxBinId: 28,
  protocolShare: 32,
  baseFeePowerFactor: 34,
  functionType: 35,
  collectFeeMode: 36,
  volatilityAccumulator: 40,
  volatilityReference: 44,
  indexReference: 48,
  lastUpdateTimestamp: 56,
  pairType: 75,
  activeId: 76,
  binStep: 80,
  status: 82,
  activationType: 86,
  tokenXMint: 88,
  tokenYMint: 120,
  reserveX: 152,
  reserveY: 184,
  protocolFeeX: 216,
  protocolFeeY: 224,
  /** Two of 144 bytes, each opening with the mint of the reward. */
  rewardInfos: 264,
  oracle: 552,
  binArrayBitmap: 584,
  activationPoint: 816,
  tokenMintXProgramFlag: 880,
  tokenMintYProgramFlag: 881,
} as const;
export const REWARDS = 2;
export const REWARD_INFO_BYTES = 144;
/** Each way from index 0 in the pair's own bitmap, and in each of the 12 rows of the extension's two. */
export const BITMAP_HALF = 512;
export const EXTENSION_ROWS = 12;

export const BIN_ARRAY_BYTES = 10_136;
export const BIN_ARRAY = { index: 8, version: 16, lbPair: 24, bins: 56 } as const;
export const BINS_PER_ARRAY = 70;
export const BIN_BYTES = 144;
export const BIN = {
  amountX: 0,
  amountY: 8,
  price: 16,
  liquiditySupply: 32,
  fulfilledOrderAmountX: 48,
  fulfilledOrderAmountY: 56,
  limitOrderFeeAskSide: 64,
  limitOrderFeeBidSide: 72,
  openOrderAmount: 112,
  totalProcessingOrderAmount: 120,
  processedOrderRemainingAmount: 128,
  orderAge: 136,
  limitOrderAskSide: 140,
} as const;

export const BITMAP_EXTENSION_BYTES = 1_576;
export const BITMAP_EXTENSION = { lbPair: 8, positive: 40, negative: 808 } as const;

export const ORACLE_HEAD_BYTES = 32;
export const ORACLE = { idx: 8, activeSize: 16, length: 24 } as const;
export const OBSERVATION_BYTES = 32;

/** Discriminators of the six swap instructions. */
export const SWAP_INSTRUCTIONS = {
  swap: [0xf8, 0xc6, 0x9e, 0x91, 0xe1, 0x75, 0x87, 0xc8],
  swap2: [0x41, 0x4b, 0x3f, 0x4c, 0xeb, 0x5b, 0x5b, 0x88],
  swapExactOut: [0xfa, 0x49, 0x65, 0x21, 0x26, 0xcf, 0x4b, 0xb8],
  swapExactOut2: [0x2b, 0xd7, 0xf7, 0x84, 0x89, 0x3c, 0xf3, 0x51],
  swapWithPriceImpact: [0x38, 0xad, 0xe6, 0xd0, 0xad, 0xe4, 0x9c, 0xcd],
  swapWithPriceImpact2: [0x4a, 0x62, 0xc0, 0xd6, 0xb1, 0x33, 0x4b, 0x33],
} as const;

/** Places of the accounts that all six share; bin arrays follow the fixed ones. An optional one left out is the program. */
export const SWAP_ACCOUNT = {
  lbPair: 0,
  binArrayBitmapExtension: 1,
  reserveX: 2,
  reserveY: 3,
  userTokenIn: 4,
  userTokenOut: 5,
  tokenXMint: 6,
  tokenYMint: 7,
  oracle: 8,
  hostFeeIn: 9,
  user: 10,
} as const;
/** Fixed accounts: the newer instructions take the memo program besides. */
export const SWAP_ACCOUNTS = 15;
export const SWAP2_ACCOUNTS = 16;

/** Bodies without a discriminator. */
export const SWAP_EVENT_BYTES = 129;
export const SWAP_EVENT = {
  lbPair: 0,
  from: 32,
  startBinId: 64,
  endBinId: 68,
  amountIn: 72,
  amountOut: 80,
  swapForY: 88,
  fee: 89,
  protocolFee: 97,
  feeBps: 105,
  hostFee: 121,
} as const;
export const SWAP2_EVENT_BYTES = 147;
export const SWAP2_EVENT = {
  lbPair: 0,
  from: 32,
  startBinId: 64,
  endBinId: 68,
  swapForY: 72,
  feeBps: 73,
  amountIn: 89,
  amountLeft: 97,
  amountOut: 105,
  mmFee: 113,
  protocolFee: 121,
  limitOrderFee: 129,
  hostFee: 137,
  feesOnInput: 145,
  feesOnTokenX: 146,
} as const;
