/**
 * Bytes of PumpSwap (Pump AMM) and of the fee program's config for it, little endian, packed, named as in the program's
 * IDL (github.com/pump-fun/pump-public-docs, idl/pump_amm.json and idl/pump_fees.json, with the docs of 2026-10).
 *
 *   Pool, 211 or more          GlobalConfig, 321 or more      FeeConfig
 *   0   discriminator          0   discriminator              0   discriminator
 *   8   bump, index            8   admin                      8   bump, admin
 *   11  six addresses          40  lp, protocol fee bps       41  flat_fees (24)
 *   203 lp_supply              56  disable_flags              65  count u32, fee tiers of 40
 *   211 coin_creator           57  eight fee recipients       …   count u32, stable fee tiers of 40
 *   243 flags, virtual quote   313 creator fee bps            …   exotic_flat_fees (24)
 *   261 creator fee, flags     899 buyback bps
 *   271 protocol, creator fees 940 creator_fee_configurable
 *
 * Fields after 211 (Pool) and after 321 (GlobalConfig) came one by one: an older account ends before them and they read
 * as 0. Trades are instructions of 24 bytes or more: discriminator, two u64, further words that change no amount.
 */
import type { Address } from "#core/units.ts";

export const PUMPSWAP_DISCRIMINATOR = {
  pool: [241, 154, 109, 4, 17, 177, 109, 188],
  globalConfig: [149, 8, 156, 202, 160, 252, 176, 217],
  feeConfig: [143, 52, 146, 187, 219, 123, 76, 155],
  buyEvent: [103, 244, 82, 31, 44, 245, 119, 119],
  sellEvent: [62, 47, 55, 10, 165, 3, 220, 42],
} as const;

/** Of every instruction that trades on one pool; the second forms keep the fees in the pool until they are swept. */
export const PUMPSWAP_TRADE = {
  buy: [102, 6, 61, 18, 1, 218, 235, 234],
  buyExactQuoteIn: [198, 46, 21, 82, 180, 217, 232, 112],
  sell: [51, 230, 133, 164, 1, 127, 131, 173],
  buyV2: [184, 23, 238, 97, 103, 197, 211, 61],
  buyExactQuoteInV2: [194, 171, 28, 70, 104, 77, 91, 47],
  sellV2: [93, 246, 130, 60, 231, 233, 64, 178],
} as const;

export const TRADE_DATA_BYTES_MIN = 24;
export const TRADE_DATA = { first: 8, second: 16 } as const;
/** Places of the accounts that both forms of a trade share; the first form has 21 or more, the second has 17. */
export const TRADE_ACCOUNT = {
  pool: 0,
  user: 1,
  globalConfig: 2,
  baseMint: 3,
  quoteMint: 4,
  userBaseTokenAccount: 5,
  userQuoteTokenAccount: 6,
  poolBaseTokenAccount: 7,
  poolQuoteTokenAccount: 8,
} as const;
export const TRADE_ACCOUNTS_MIN = 17;

/** Anchor's `emit_cpi!`: the program calls itself with this before the event's own discriminator. */
export const EVENT_INSTRUCTION_PREFIX = [228, 69, 165, 46, 81, 203, 154, 29] as const;

export const GLOBAL_CONFIG_ADDRESS = "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw" as Address;
export const FEE_CONFIG_ADDRESS = "5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx" as Address;
/** Seed, before the base mint, of the address of the Pump program that creates canonical pools. */
export const POOL_AUTHORITY_SEED = "pool-authority";
/** Seeds of PumpSwap's own addresses. */
export const PUMPSWAP_SEED = {
  eventAuthority: "__event_authority",
  /** + coin creator. */
  creatorVault: "creator_vault",
  globalVolumeAccumulator: "global_volume_accumulator",
  /** + user. */
  userVolumeAccumulator: "user_volume_accumulator",
  /** + base mint. */
  poolV2: "pool-v2",
} as const;

export const POOL_BYTES_MIN = 211;
export const POOL = {
  poolBump: 8,
  index: 9,
  creator: 11,
  baseMint: 43,
  quoteMint: 75,
  lpMint: 107,
  poolBaseTokenAccount: 139,
  poolQuoteTokenAccount: 171,
  lpSupply: 203,
  coinCreator: 211,
  isMayhemMode: 243,
  isCashbackCoin: 244,
  /** i128. */
  virtualQuoteReserves: 245,
  creatorFeeBps: 261,
  protocolFees: 271,
  creatorFees: 279,
} as const;

export const GLOBAL_CONFIG_BYTES_MIN = 321;
export const GLOBAL_CONFIG = {
  disableFlags: 56,
  /** Eight, as are the two other lists: any one of a list will do in a trade. */
  protocolFeeRecipients: 57,
  /** One, and the seven after the mayhem flag: recipients of mayhem coins' fees. */
  reservedFeeRecipient: 385,
  reservedFeeRecipients: 418,
  buybackFeeRecipients: 643,
  buybackBasisPoints: 899,
  creatorFeeConfigurable: 940,
} as const;
/** Bits of `disableFlags`. */
export const DISABLE_FLAG = { buy: 8, sell: 16 } as const;

export const FEE_CONFIG_BYTES_MIN = 69;
export const FEE_CONFIG = { flatFees: 41, feeTiers: 65 } as const;
export const FEE_TIER_BYTES = 40;
/** The threshold is a u128; the three fees follow it. */
export const FEE_TIER = { marketCapThreshold: 0, fees: 16 } as const;
export const FEES_BYTES = 24;
export const FEES = { lp: 0, protocol: 8, creator: 16 } as const;

/** Ends of the parts of a trade's event that every build writes; newer builds add fields. */
export const TRADE_EVENT_BYTES_MIN = 352;
/** BuyEvent and SellEvent have their first fields alike. Reserves are those before the trade, as the vaults hold them. */
export const TRADE_EVENT = {
  timestamp: 8,
  baseAmount: 16,
  poolBaseReserves: 48,
  poolQuoteReserves: 56,
  quoteAmount: 64,
  lpFeeBps: 72,
  protocolFeeBps: 88,
  userQuoteAmount: 112,
  pool: 120,
  user: 152,
  userBaseTokenAccount: 184,
  userQuoteTokenAccount: 216,
  coinCreatorFeeBps: 344,
} as const;
/** What newer builds add. A BuyEvent's is behind its instruction's name: u32 length, text. The reserve is an i128. */
export const SELL_EVENT_TAIL = { cashbackFeeBps: 360, virtualQuoteReserves: 392 } as const;
export const BUY_EVENT_NAME = 401;
export const BUY_EVENT_BEHIND_NAME = { cashbackFeeBps: 0, virtualQuoteReserves: 32 } as const;

/** Supply that the market cap of a mayhem coin is counted with. */
export const MAYHEM_SUPPLY = 1_000_000_000_000_000n;
export const ALL_BASIS_POINTS = 10_000n;

/** PumpSwap's errors as far as a trade meets them. */
export const PUMPSWAP_REFUSAL = {
  zeroBaseAmount: { custom: 6001, name: "ZeroBaseAmount" },
  zeroQuoteAmount: { custom: 6002, name: "ZeroQuoteAmount" },
  exceededSlippage: { custom: 6004, name: "ExceededSlippage" },
  buyMoreBaseAmountThanPoolReserves: { custom: 6016, name: "BuyMoreBaseAmountThanPoolReserves" },
  disabledBuy: { custom: 6020, name: "DisabledBuy" },
  disabledSell: { custom: 6021, name: "DisabledSell" },
  overflow: { custom: 6023, name: "Overflow" },
  divisionByZero: { custom: 6025, name: "DivisionByZero" },
  buyNotEnoughQuoteTokensToCoverFees: { custom: 6039, name: "BuyNotEnoughQuoteTokensToCoverFees" },
  buySlippageBelowMinBaseAmountOut: { custom: 6040, name: "BuySlippageBelowMinBaseAmountOut" },
  insufficientRealQuoteReserves: { custom: 6063, name: "InsufficientRealQuoteReserves" },
} as const;
