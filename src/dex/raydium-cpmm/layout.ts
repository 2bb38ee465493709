/**
 * Bytes of Raydium CP-Swap: its accounts, instruction and event, little endian, packed, named as in the program
 * (github.com/raydium-io/raydium-cp-swap, `states/` and `instructions/`). Offsets only; decode.ts walks them.
 *
 *   PoolState 637        AmmConfig 236            ObservationState 4,075     swap_base_input 24     SwapEvent 89 or more
 *   0   discriminator    0   discriminator        0   discriminator         0  discriminator       0   discriminator
 *   8   ten addresses    8   bump, disable, index 8   initialized, index    8  amount_in           8   pool_id
 *   328 five bytes       12  four rates           11  pool_id               16 minimum_amount_out  40  six u64
 *   333 counters         44  two owners           43  100 observations                            88  base_input
 *   389 creator fees     108 creator_fee_rate         of 40 bytes, padding
 */

/** First eight bytes of sha256("account:Name"), sha256("event:Name") and sha256("global:name"), as Anchor makes them. */
export const CPMM_DISCRIMINATOR = {
  poolState: [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46],
  ammConfig: [0xda, 0xf4, 0x21, 0x68, 0xcb, 0xcb, 0x2b, 0x6f],
  observationState: [0x7a, 0xae, 0xc5, 0x35, 0x81, 0x09, 0xa5, 0x84],
  swapEvent: [0x40, 0xc6, 0xcd, 0xe8, 0x26, 0x08, 0x71, 0xe2],
  swapBaseInput: [0x8f, 0xbe, 0x5a, 0xda, 0xc4, 0x1e, 0x33, 0xde],
  swapBaseOutput: [0x37, 0xd9, 0x62, 0x56, 0xa3, 0x4a, 0xb4, 0xad],
} as const;

export const POOL_STATE_BYTES = 637;
/** Addresses are 32 bytes, decimals and flags one, everything else a u64. */
export const POOL_STATE = {
  ammConfig: 8,
  poolCreator: 40,
  token0Vault: 72,
  token1Vault: 104,
  lpMint: 136,
  token0Mint: 168,
  token1Mint: 200,
  token0Program: 232,
  token1Program: 264,
  observationKey: 296,
  authBump: 328,
  /** Bit 0 no deposit, bit 1 no withdraw, bit 2 no swap. */
  status: 329,
  lpMintDecimals: 330,
  mint0Decimals: 331,
  mint1Decimals: 332,
  lpSupply: 333,
  protocolFeesToken0: 341,
  protocolFeesToken1: 349,
  fundFeesToken0: 357,
  fundFeesToken1: 365,
  /** Unix seconds before which nobody swaps. */
  openTime: 373,
  recentEpoch: 381,
  /** 0 on whichever token comes in, 1 only on token 0, 2 only on token 1. Zero in pools made before creator fees. */
  creatorFeeOn: 389,
  enableCreatorFee: 390,
  creatorFeesToken0: 397,
  creatorFeesToken1: 405,
} as const;

/** The bit of `status` that forbids swaps. */
export const POOL_STATUS_NO_SWAP = 4;

export const AMM_CONFIG_BYTES = 236;
/** Rates are in millionths: of the input (trade, creator) or of the trade fee (protocol, fund). */
export const AMM_CONFIG = {
  bump: 8,
  disableCreatePool: 9,
  index: 10,
  tradeFeeRate: 12,
  protocolFeeRate: 20,
  fundFeeRate: 28,
  createPoolFee: 36,
  protocolOwner: 44,
  fundOwner: 76,
  creatorFeeRate: 108,
} as const;
export const FEE_RATE_DENOMINATOR = 1_000_000;

export const OBSERVATION_STATE_BYTES = 4_075;
export const OBSERVATION_STATE = { initialized: 8, observationIndex: 9, poolId: 11, observations: 43 } as const;

export const SWAP_DATA_BYTES = 24;
/** swap_base_input: amount_in, minimum_amount_out; swap_base_output: max_amount_in, amount_out. */
export const SWAP_DATA = { first: 8, second: 16 } as const;
/** Places of the 13 accounts of both swap instructions. */
export const SWAP_ACCOUNT = {
  payer: 0,
  authority: 1,
  ammConfig: 2,
  poolState: 3,
  inputTokenAccount: 4,
  outputTokenAccount: 5,
  inputVault: 6,
  outputVault: 7,
  inputTokenProgram: 8,
  outputTokenProgram: 9,
  inputTokenMint: 10,
  outputTokenMint: 11,
  observationState: 12,
} as const;
export const SWAP_ACCOUNTS = 13;

/** The event of older builds ends after `baseInput`; newer ones add what follows. */
export const SWAP_EVENT_BYTES_MIN = 89;
/** Vault amounts are effective reserves: without the fees that wait in the vault. */
export const SWAP_EVENT = {
  poolId: 8,
  inputVaultBefore: 40,
  outputVaultBefore: 48,
  inputAmount: 56,
  outputAmount: 64,
  inputTransferFee: 72,
  outputTransferFee: 80,
  baseInput: 88,
} as const;

/** Seeds of the program's addresses. */
export const CPMM_SEED = {
  /** + index as u16 big endian. */
  ammConfig: "amm_config",
  /** + config, mint 0, mint 1. */
  pool: "pool",
  /** + pool. */
  lpMint: "pool_lp_mint",
  /** + pool, mint. */
  vault: "pool_vault",
  authority: "vault_and_lp_mint_auth_seed",
  /** + pool. */
  observation: "observation",
} as const;

/** The SPL token account (and the start of a Token-2022 one): what a vault is. */
export const TOKEN_ACCOUNT_BYTES = 165;
export const TOKEN_ACCOUNT = { mint: 0, owner: 32, amount: 64, state: 108 } as const;

/** Values of `creatorFeeOn` that the program knows. */
export const CREATOR_FEE_ON = { input: 0, token0: 1, token1: 2 } as const;

/** ErrorCode, as far as a swap meets it (`error.rs`, from 6000). */
export const CPMM_REFUSAL = {
  notApproved: { custom: 6000, name: "NotApproved" },
  zeroTradingTokens: { custom: 6006, name: "ZeroTradingTokens" },
  transferFeeCalculateNotMatch: { custom: 6010, name: "TransferFeeCalculateNotMatch" },
  mathOverflow: { custom: 6011, name: "MathOverflow" },
  insufficientVault: { custom: 6012, name: "InsufficientVault" },
  invalidFeeModel: { custom: 6013, name: "InvalidFeeModel" },
} as const;
