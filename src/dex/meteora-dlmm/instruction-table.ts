/**
 * Every instruction and account of Meteora DLMM that recordings show, by its name: fields in order, and the names of the
 * accounts, as in the program's IDL (github.com/MeteoraAg/dlmm-sdk, `idls/dlmm.json`). Types as in named-layout.ts. Swaps
 * and pairs are here too; decode-swap.ts and decode.ts read those into what a trade needs. An optional account that was
 * left out stands as the program's own address.
 */
import type { InstructionShape } from "#dex/named-layout.ts";

const EVENT = "eventAuthority program";
const PAIR_OF_TOKENS = "userTokenX userTokenY reserveX reserveY tokenXMint tokenYMint";
const LIQUIDITY =
  `position lbPair binArrayBitmapExtension ${PAIR_OF_TOKENS} binArrayLower binArrayUpper sender ` +
  `tokenXProgram tokenYProgram ${EVENT}`;
const LIQUIDITY_2 =
  `position lbPair binArrayBitmapExtension ${PAIR_OF_TOKENS} sender tokenXProgram tokenYProgram ` +
  `memoProgram ${EVENT}`;
const ONE_SIDE =
  "position lbPair binArrayBitmapExtension userToken reserve tokenMint binArrayLower binArrayUpper sender " +
  `tokenProgram ${EVENT}`;
const NEW_PAIR = "lbPair binArrayBitmapExtension tokenMintX tokenMintY reserveX reserveY oracle";
const BADGES = "tokenBadgeX tokenBadgeY tokenProgramX tokenProgramY systemProgram";
const SWAP_HEAD =
  "lbPair binArrayBitmapExtension reserveX reserveY userTokenIn userTokenOut tokenXMint tokenYMint oracle hostFeeIn " +
  "user tokenXProgram tokenYProgram";
const SWAP = `${SWAP_HEAD} ${EVENT}`;
const SWAP_2 = `${SWAP_HEAD} memoProgram ${EVENT}`;
const EXACT_IN = "amountIn:u64 minAmountOut:u64";
const EXACT_OUT = "maxInAmount:u64 outAmount:u64";
const PRICE_IMPACT = "amountIn:u64 activeId:i32? maxPriceImpactBps:u16";
const REMAINING = "remainingAccountsInfo:RemainingAccountsInfo";
const RANGE = "fromBinId:i32 toBinId:i32 bpsToRemove:u16";
const POSITION = "lowerBinId:i32 width:i32";
const CREATOR = "lbPair creator";
const ADMIN = "lbPair admin";

export const DLMM_INSTRUCTIONS: Readonly<Record<string, InstructionShape>> = {
  add_liquidity: { args: "liquidityParameter:LiquidityParameter", accounts: LIQUIDITY },
  add_liquidity_by_strategy: { args: "liquidityParameter:LiquidityParameterByStrategy", accounts: LIQUIDITY },
  add_liquidity_by_strategy_one_side: {
    args: "liquidityParameter:LiquidityParameterByStrategyOneSide",
    accounts: ONE_SIDE,
  },
  add_liquidity_by_weight: { args: "liquidityParameter:LiquidityParameterByWeight", accounts: LIQUIDITY },
  add_liquidity_one_side: { args: "liquidityParameter:LiquidityOneSideParameter", accounts: ONE_SIDE },
  add_liquidity_one_side_precise: {
    args: "parameter:AddLiquiditySingleSidePreciseParameter",
    accounts: ONE_SIDE,
  },
  claim_fee: {
    args: "",
    accounts:
      "lbPair position binArrayLower binArrayUpper sender reserveX reserveY userTokenX userTokenY tokenXMint " +
      `tokenYMint tokenProgram ${EVENT}`,
  },
  claim_fee2: {
    args: `minBinId:i32 maxBinId:i32 ${REMAINING}`,
    accounts:
      "lbPair position sender reserveX reserveY userTokenX userTokenY tokenXMint tokenYMint tokenProgramX " +
      `tokenProgramY memoProgram ${EVENT}`,
  },
  claim_reward: {
    args: "rewardIndex:u64",
    accounts:
      "lbPair position binArrayLower binArrayUpper sender rewardVault rewardMint userTokenAccount tokenProgram " +
      EVENT,
  },
  claim_reward2: {
    args: `rewardIndex:u64 minBinId:i32 maxBinId:i32 ${REMAINING}`,
    accounts: `lbPair position sender rewardVault rewardMint userTokenAccount tokenProgram memoProgram ${EVENT}`,
  },
  close_position: {
    args: "",
    accounts: `position lbPair binArrayLower binArrayUpper sender rentReceiver ${EVENT}`,
  },
  close_position2: { args: "", accounts: `position sender rentReceiver ${EVENT}` },
  close_position_if_empty: { args: "", accounts: `position sender rentReceiver ${EVENT}` },
  close_preset_parameter: { args: "", accounts: "presetParameter admin rentReceiver" },
  go_to_a_bin: {
    args: "binId:i32",
    accounts: `lbPair binArrayBitmapExtension fromBinArray toBinArray ${EVENT}`,
  },
  initialize_bin_array: { args: "index:i64", accounts: "lbPair binArray funder systemProgram" },
  initialize_bin_array_bitmap_extension: {
    args: "",
    accounts: "lbPair binArrayBitmapExtension funder systemProgram rent",
  },
  initialize_customizable_permissionless_lb_pair: {
    args: "params:CustomizableParams",
    accounts: `${NEW_PAIR} userTokenX funder tokenProgram systemProgram userTokenY ${EVENT}`,
  },
  initialize_customizable_permissionless_lb_pair2: {
    args: "params:CustomizableParams",
    accounts: `${NEW_PAIR} userTokenX funder ${BADGES} userTokenY ${EVENT}`,
  },
  initialize_lb_pair: {
    args: "activeId:i32 binStep:u16",
    accounts: `${NEW_PAIR} presetParameter funder tokenProgram systemProgram rent ${EVENT}`,
  },
  initialize_lb_pair2: {
    args: "params:InitializeLbPair2Params",
    accounts: `${NEW_PAIR} presetParameter funder ${BADGES} ${EVENT}`,
  },
  initialize_permission_lb_pair: {
    args: "ixData:InitPermissionPairIx",
    accounts: `base ${NEW_PAIR} admin ${BADGES} rent ${EVENT}`,
  },
  initialize_position: { args: POSITION, accounts: `payer position lbPair owner systemProgram rent ${EVENT}` },
  initialize_position_by_operator: {
    args: `${POSITION} feeOwner:address lockReleasePoint:u64`,
    accounts: `payer base position lbPair owner operator operatorTokenX ownerTokenX systemProgram ${EVENT}`,
  },
  initialize_position_pda: { args: POSITION, accounts: `payer base position lbPair owner systemProgram rent ${EVENT}` },
  migrate_bin_array: { args: "", accounts: "lbPair" },
  migrate_position: {
    args: "",
    accounts: `positionV2 positionV1 lbPair binArrayLower binArrayUpper owner systemProgram rentReceiver ${EVENT}`,
  },
  remove_all_liquidity: { args: "", accounts: LIQUIDITY },
  remove_liquidity: { args: "binLiquidityRemoval:BinLiquidityReduction[]", accounts: LIQUIDITY },
  remove_liquidity2: { args: `binLiquidityRemoval:BinLiquidityReduction[] ${REMAINING}`, accounts: LIQUIDITY_2 },
  remove_liquidity_by_range: { args: RANGE, accounts: LIQUIDITY },
  remove_liquidity_by_range2: { args: `${RANGE} ${REMAINING}`, accounts: LIQUIDITY_2 },
  set_activation_point: { args: "activationPoint:u64", accounts: ADMIN },
  set_pair_status: { args: "status:u8", accounts: ADMIN },
  set_pair_status_permissionless: { args: "status:u8", accounts: CREATOR },
  set_pre_activation_duration: { args: "preActivationDuration:u64", accounts: CREATOR },
  set_pre_activation_swap_address: { args: "preActivationSwapAddress:address", accounts: CREATOR },
  swap: { args: EXACT_IN, accounts: SWAP },
  swap2: { args: `${EXACT_IN} ${REMAINING}`, accounts: SWAP_2 },
  swap_exact_out: { args: EXACT_OUT, accounts: SWAP },
  swap_exact_out2: { args: `${EXACT_OUT} ${REMAINING}`, accounts: SWAP_2 },
  swap_with_price_impact: { args: PRICE_IMPACT, accounts: SWAP },
  swap_with_price_impact2: { args: `${PRICE_IMPACT} ${REMAINING}`, accounts: SWAP_2 },
  update_base_fee_parameters: { args: "feeParameter:BaseFeeParameter", accounts: `${ADMIN} ${EVENT}` },
  update_fees_and_rewards: { args: "", accounts: "position lbPair binArrayLower binArrayUpper owner" },
};

export const DLMM_RECORDS: Readonly<Record<string, string>> = {
  LbPair:
    "parameters:StaticParameters vParameters:VariableParameters bumpSeed:u8*1 binStepSeed:u8*2 pairType:u8 " +
    "activeId:i32 binStep:u16 status:u8 requireBaseFactorSeed:u8 baseFactorSeed:u8*2 activationType:u8 " +
    "creatorPoolOnOffControl:u8 tokenXMint:address tokenYMint:address reserveX:address reserveY:address " +
    "protocolFee:ProtocolFee padding1:u8*32 rewardInfos:RewardInfo*2 oracle:address binArrayBitmap:u64*16 " +
    "lastUpdatedAt:i64 padding2:u8*32 preActivationSwapAddress:address baseKey:address activationPoint:u64 " +
    "preActivationDuration:u64 padding3:u8*8 padding4:u64 creator:address tokenMintXProgramFlag:u8 " +
    "tokenMintYProgramFlag:u8 reserved:u8*22 .",
  /** Its observations follow. */
  Oracle: "idx:u64 activeSize:u64 length:u64",
  Position:
    "lbPair:address owner:address liquidityShares:u64*70 rewardInfos:UserRewardInfo*70 feeInfos:FeeInfo*70 " +
    "lowerBinId:i32 upperBinId:i32 lastUpdatedAt:i64 totalClaimedFeeXAmount:u64 totalClaimedFeeYAmount:u64 " +
    "totalClaimedRewards:u64*2 reserved:u8*160 .",
  PresetParameter:
    "binStep:u16 baseFactor:u16 filterPeriod:u16 decayPeriod:u16 reductionFactor:u16 variableFeeControl:u32 " +
    "maxVolatilityAccumulator:u32 minBinId:i32 maxBinId:i32 protocolShare:u16 .",
};

const STRATEGY = "activeId:i32 maxActiveBinSlippage:i32 strategyParameters:StrategyParameters";
const BY_WEIGHT = "activeId:i32 maxActiveBinSlippage:i32 binLiquidityDist:BinLiquidityDistributionByWeight[]";

/** Names as the program spells them, `parameteres` too. */
export const DLMM_TYPES: Readonly<Record<string, string>> = {
  AddLiquiditySingleSidePreciseParameter: "bins:CompressedBinDepositAmount[] decompressMultiplier:u64",
  BaseFeeParameter: "protocolShare:u16 baseFactor:u16 baseFeePowerFactor:u8",
  BinLiquidityDistribution: "binId:i32 distributionX:u16 distributionY:u16",
  BinLiquidityDistributionByWeight: "binId:i32 weight:u16",
  BinLiquidityReduction: "binId:i32 bpsToRemove:u16",
  CompressedBinDepositAmount: "binId:i32 amount:u32",
  CustomizableParams:
    "activeId:i32 binStep:u16 baseFactor:u16 activationType:u8 hasAlphaVault:bool activationPoint:u64? " +
    "creatorPoolOnOffControl:bool baseFeePowerFactor:u8 padding:u8*62",
  FeeInfo: "feeXPerTokenComplete:u128 feeYPerTokenComplete:u128 feeXPending:u64 feeYPending:u64",
  InitializeLbPair2Params: "activeId:i32 padding:u8*96",
  InitPermissionPairIx:
    "activeId:i32 binStep:u16 baseFactor:u16 baseFeePowerFactor:u8 activationType:u8 protocolShare:u16",
  LiquidityOneSideParameter: `amount:u64 ${BY_WEIGHT}`,
  LiquidityParameter: "amountX:u64 amountY:u64 binLiquidityDist:BinLiquidityDistribution[]",
  LiquidityParameterByStrategy: `amountX:u64 amountY:u64 ${STRATEGY}`,
  LiquidityParameterByStrategyOneSide: `amount:u64 ${STRATEGY}`,
  LiquidityParameterByWeight: `amountX:u64 amountY:u64 ${BY_WEIGHT}`,
  ProtocolFee: "amountX:u64 amountY:u64",
  RemainingAccountsInfo: "slices:RemainingAccountsSlice[]",
  RemainingAccountsSlice: "accountsType:u8 length:u8",
  RewardInfo:
    "mint:address vault:address funder:address rewardDuration:u64 rewardDurationEnd:u64 rewardRate:u128 " +
    "lastUpdateTime:u64 cumulativeSecondsWithEmptyLiquidityReward:u64",
  StaticParameters:
    "baseFactor:u16 filterPeriod:u16 decayPeriod:u16 reductionFactor:u16 variableFeeControl:u32 " +
    "maxVolatilityAccumulator:u32 minBinId:i32 maxBinId:i32 protocolShare:u16 baseFeePowerFactor:u8 functionType:u8 " +
    "collectFeeMode:u8 padding:u8*3",
  StrategyParameters: "minBinId:i32 maxBinId:i32 strategyType:u8 parameteres:u8*64",
  UserRewardInfo: "rewardPerTokenCompletes:u128*2 rewardPendings:u64*2",
  VariableParameters:
    "volatilityAccumulator:u32 volatilityReference:u32 indexReference:i32 padding:u8*4 lastUpdateTimestamp:i64 " +
    "padding1:u8*8",
};
