/** DLMM's own refusals, by the number and name of its IDL, and Anchor's that swaps on it meet. */
export const DLMM_REFUSAL = {
  accountNotEnoughKeys: { custom: 3005, name: "AccountNotEnoughKeys" },
  invalidInput: { custom: 6002, name: "InvalidInput" },
  pairInsufficientLiquidity: { custom: 6012, name: "PairInsufficientLiquidity" },
  mathOverflow: { custom: 6018, name: "MathOverflow" },
  typeCastFailed: { custom: 6019, name: "TypeCastFailed" },
  bitmapExtensionAccountIsNotProvided: { custom: 6036, name: "BitmapExtensionAccountIsNotProvided" },
  cannotFindNonZeroLiquidityBinArrayId: { custom: 6037, name: "CannotFindNonZeroLiquidityBinArrayId" },
  insufficientOutAmount: { custom: 6039, name: "InsufficientOutAmount" },
  poolDisabled: { custom: 6042, name: "PoolDisabled" },
  invalidPoolType: { custom: 6043, name: "InvalidPoolType" },
  notExactAmountOut: { custom: 6057, name: "NotExactAmountOut" },
  invalidActivationType: { custom: 6058, name: "InvalidActivationType" },
  undeterminedError: { custom: 6085, name: "UndeterminedError" },
  invalidCollectFeeMode: { custom: 6110, name: "InvalidCollectFeeMode" },
  /** The token program's: a reserve that holds less than its bins say. */
  insufficientFunds: { custom: 1, name: "InsufficientFunds" },
} as const;

export type DlmmRefusal = (typeof DLMM_REFUSAL)[keyof typeof DLMM_REFUSAL];
