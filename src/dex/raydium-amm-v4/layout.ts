/**
 * Bytes of Raydium AMM v4's swaps, little endian and packed, named as in the program (`instruction.rs`, `log.rs`).
 *
 *   swap data, 17 bytes      0 tag 9 | 11 (16 | 17 in the second forms)
 *                                             1 amount_in | max_amount_in    9 minimum_amount_out | amount_out
 *   ray_log, base64 of 57    0 log type 3 | 4 1 amount_in | max_in           9 minimum_out | amount_out
 *                            17 direction     25 user_source                33 pool_coin    41 pool_pc
 *                            49 out_amount | deduct_in
 *
 *   accounts, 18 (with target orders) or 17 (without):
 *     0 token program  1 amm  2 authority  3 open orders  [4 target orders]  then, counted from the end of that:
 *     coin vault, pc vault, market program, market, bids, asks, event queue, market coin vault, market pc vault,
 *     vault signer, user source, user destination, user owner
 *
 * Pool amounts in the log are effective reserves before the swap: vaults, less the profit that is set aside.
 */

export const AMM_V4_SWAP_BASE_IN = 9;
export const AMM_V4_SWAP_BASE_OUT = 11;
/** The same two without the accounts of the order book, which the program has ceased to use. */
export const AMM_V4_SWAP_BASE_IN_V2 = 16;
export const AMM_V4_SWAP_BASE_OUT_V2 = 17;
export const AMM_V4_SWAP_DATA_BYTES = 17;
export const AMM_V4_SWAP_ACCOUNTS = 18;
export const AMM_V4_SWAP_ACCOUNTS_SHORT = 17;

/** Places of the accounts before the optional target orders. */
export const AMM_V4_HEAD = { tokenProgram: 0, amm: 1, authority: 2, openOrders: 3 } as const;
/** Places of the accounts after it, counted from the coin vault. */
export const AMM_V4_TAIL = {
  coinVault: 0,
  pcVault: 1,
  marketProgram: 2,
  market: 3,
  marketBids: 4,
  marketAsks: 5,
  marketEventQueue: 6,
  marketCoinVault: 7,
  marketPcVault: 8,
  marketVaultSigner: 9,
  userSource: 10,
  userDestination: 11,
  userOwner: 12,
} as const;

/** Places of the accounts of the second forms. */
export const AMM_V4_SWAP_V2_ACCOUNT = {
  tokenProgram: 0,
  amm: 1,
  authority: 2,
  coinVault: 3,
  pcVault: 4,
  userSource: 5,
  userDestination: 6,
  userOwner: 7,
} as const;
export const AMM_V4_SWAP_V2_ACCOUNTS = 8;

export const RAY_LOG_PREFIX = "Program log: ray_log: ";
export const RAY_LOG_SWAP_BYTES = 57;
export const RAY_LOG_TYPE = { swapBaseIn: 3, swapBaseOut: 4 } as const;
/** Which token comes in. */
export const RAY_LOG_DIRECTION = { pcIn: 1n, coinIn: 2n } as const;
export const RAY_LOG = {
  type: 0,
  first: 1,
  second: 9,
  direction: 17,
  userSource: 25,
  poolCoin: 33,
  poolPc: 41,
  result: 49,
} as const;

/** The fee of every AMM v4 pool: 25 of 10,000 of the input. */
export const AMM_V4_FEE = { numerator: 25, denominator: 10_000 } as const;

export const AMM_INFO_BYTES = 752;
/** AmmInfo, the pool's account: addresses are 32 bytes, everything else named here a u64. */
export const AMM_INFO = {
  status: 0,
  coinDecimals: 32,
  pcDecimals: 40,
  swapFeeNumerator: 176,
  swapFeeDenominator: 184,
  needTakePnlCoin: 192,
  needTakePnlPc: 200,
  poolOpenTime: 224,
  coinVault: 336,
  pcVault: 368,
  coinVaultMint: 400,
  pcVaultMint: 432,
  openOrders: 496,
  market: 528,
  marketProgram: 560,
  targetOrders: 592,
} as const;

/** The values of `status` that let anybody swap; the last turns into `swapOnly` with the first swap after the opening. */
export const AMM_STATUS = { initialized: 1n, swapOnly: 6n, waitingTrade: 7n } as const;

/** AmmError, as far as a swap meets it (`error.rs`). */
export const AMM_V4_REFUSAL = {
  invalidStatus: { custom: 22, name: "InvalidStatus" },
  invalidInput: { custom: 29, name: "InvalidInput" },
  checkedSubOverflow: { custom: 32, name: "CheckedSubOverflow" },
  insufficientFunds: { custom: 40, name: "InsufficientFunds" },
} as const;
