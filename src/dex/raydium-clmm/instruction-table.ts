/**
 * Every instruction and account of Raydium CLMM that recordings show, by its name: fields in order, and the names of the
 * accounts (github.com/raydium-io/raydium-clmm, `instructions/` and `states/`). Types as in named-layout.ts. Swaps and
 * pools are here too; decode-swap.ts and decode.ts read those into what a trade needs.
 */
import type { InstructionShape } from "#dex/named-layout.ts";

const COLLECT_FEE: InstructionShape = {
  args: "amount0Requested:u64 amount1Requested:u64",
  accounts:
    "owner poolState ammConfig tokenVault0 tokenVault1 vault0Mint vault1Mint recipientTokenAccount0 " +
    "recipientTokenAccount1 tokenProgram tokenProgram2022",
};
const DECREASE = "liquidity:u128 amount0Min:u64 amount1Min:u64";
const DECREASE_ACCOUNTS =
  "nftOwner nftAccount personalPosition poolState protocolPosition tokenVault0 tokenVault1 tickArrayLower " +
  "tickArrayUpper recipientTokenAccount0 recipientTokenAccount1 tokenProgram";
const INCREASE = "liquidity:u128 amount0Max:u64 amount1Max:u64";
const INCREASE_ACCOUNTS =
  "nftOwner nftAccount poolState protocolPosition personalPosition tickArrayLower tickArrayUpper tokenAccount0 " +
  "tokenAccount1 tokenVault0 tokenVault1 tokenProgram";
const OPEN =
  "tickLowerIndex:i32 tickUpperIndex:i32 tickArrayLowerStartIndex:i32 tickArrayUpperStartIndex:i32 liquidity:u128 " +
  "amount0Max:u64 amount1Max:u64";
const OPEN_V2 = `${OPEN} withMetadata:bool baseFlag:bool?`;
const POSITION_NFT = "payer positionNftOwner positionNftMint positionNftAccount";
const OPEN_ACCOUNTS =
  "poolState protocolPosition tickArrayLower tickArrayUpper personalPosition tokenAccount0 tokenAccount1 tokenVault0 " +
  "tokenVault1 rent systemProgram tokenProgram associatedTokenProgram";
const SWAP = "amount:u64 otherAmountThreshold:u64 sqrtPriceLimitX64:u128 isBaseInput:bool";
const SWAP_ACCOUNTS =
  "payer ammConfig poolState inputTokenAccount outputTokenAccount inputVault outputVault observationState tokenProgram";

export const CLMM_INSTRUCTIONS: Readonly<Record<string, InstructionShape>> = {
  close_position: {
    args: "",
    accounts: "nftOwner positionNftMint positionNftAccount personalPosition systemProgram tokenProgram",
  },
  collect_fund_fee: COLLECT_FEE,
  collect_protocol_fee: COLLECT_FEE,
  collect_remaining_rewards: {
    args: "rewardIndex:u8",
    accounts:
      "rewardFunder funderTokenAccount poolState rewardTokenVault rewardVaultMint tokenProgram tokenProgram2022 " +
      "memoProgram",
  },
  create_amm_config: {
    args: "index:u16 tickSpacing:u16 tradeFeeRate:u32 protocolFeeRate:u32 fundFeeRate:u32",
    accounts: "owner ammConfig systemProgram",
  },
  create_pool: {
    args: "sqrtPriceX64:u128 openTime:u64",
    accounts:
      "poolCreator ammConfig poolState tokenMint0 tokenMint1 tokenVault0 tokenVault1 observationState tickArrayBitmap " +
      "tokenProgram0 tokenProgram1 systemProgram rent",
  },
  decrease_liquidity: { args: DECREASE, accounts: DECREASE_ACCOUNTS },
  decrease_liquidity_v2: {
    args: DECREASE,
    accounts: `${DECREASE_ACCOUNTS} tokenProgram2022 memoProgram vault0Mint vault1Mint`,
  },
  increase_liquidity: { args: INCREASE, accounts: INCREASE_ACCOUNTS },
  increase_liquidity_v2: {
    args: `${INCREASE} baseFlag:bool?`,
    accounts: `${INCREASE_ACCOUNTS} tokenProgram2022 vault0Mint vault1Mint`,
  },
  initialize_reward: {
    args: "param:InitializeRewardParam",
    accounts:
      "rewardFunder funderTokenAccount ammConfig poolState operationState rewardTokenMint rewardTokenVault " +
      "rewardTokenProgram systemProgram rent",
  },
  open_position: { args: OPEN, accounts: `${POSITION_NFT} metadataAccount ${OPEN_ACCOUNTS} metadataProgram` },
  open_position_v2: {
    args: OPEN_V2,
    accounts: `${POSITION_NFT} metadataAccount ${OPEN_ACCOUNTS} metadataProgram tokenProgram2022 vault0Mint vault1Mint`,
  },
  open_position_with_token22_nft: {
    args: OPEN_V2,
    accounts: `${POSITION_NFT} ${OPEN_ACCOUNTS} tokenProgram2022 vault0Mint vault1Mint`,
  },
  set_reward_params: {
    args: "rewardIndex:u8 emissionsPerSecondX64:u128 openTime:u64 endTime:u64",
    accounts: "authority ammConfig poolState operationState tokenProgram tokenProgram2022",
  },
  swap: { args: SWAP, accounts: `${SWAP_ACCOUNTS} tickArray` },
  swap_v2: {
    args: SWAP,
    accounts: `${SWAP_ACCOUNTS} tokenProgram2022 memoProgram inputVaultMint outputVaultMint`,
  },
  swap_router_base_in: {
    args: "amountIn:u64 amountOutMinimum:u64",
    accounts: "payer inputTokenAccount inputTokenMint tokenProgram tokenProgram2022 memoProgram",
  },
  update_amm_config: { args: "param:u8 value:u32", accounts: "owner ammConfig" },
  update_pool_status: { args: "status:u8", accounts: "authority poolState" },
  update_reward_infos: { args: "", accounts: "poolState" },
};

/** An observation account of 2024 has the same mark and another length: it is refused here. */
export const CLMM_RECORDS: Readonly<Record<string, string>> = {
  AmmConfig:
    "bump:u8 index:u16 owner:address protocolFeeRate:u32 tradeFeeRate:u32 tickSpacing:u16 fundFeeRate:u32 " +
    "paddingU32:u32 fundOwner:address padding:u64*3 .",
  ObservationState:
    "initialized:bool recentEpoch:u64 observationIndex:u16 poolId:address observations:Observation*100 padding:u64*4 .",
  PoolState:
    "bump:u8*1 ammConfig:address owner:address tokenMint0:address tokenMint1:address tokenVault0:address " +
    "tokenVault1:address observationKey:address mintDecimals0:u8 mintDecimals1:u8 tickSpacing:u16 liquidity:u128 " +
    "sqrtPriceX64:u128 tickCurrent:i32 padding3:u16 padding4:u16 feeGrowthGlobal0X64:u128 feeGrowthGlobal1X64:u128 " +
    "protocolFeesToken0:u64 protocolFeesToken1:u64 swapInAmountToken0:u128 swapOutAmountToken1:u128 " +
    "swapInAmountToken1:u128 swapOutAmountToken0:u128 status:u8 feeOn:u8 padding:u8*6 rewardInfos:RewardInfo*3 " +
    "tickArrayBitmap:u64*16 totalFeesToken0:u64 totalFeesClaimedToken0:u64 totalFeesToken1:u64 " +
    "totalFeesClaimedToken1:u64 fundFeesToken0:u64 fundFeesToken1:u64 openTime:u64 recentEpoch:u64 " +
    "dynamicFeeInfo:DynamicFeeInfo padding1:u64*14 padding2:u64*32 .",
  ProtocolPositionState:
    "bump:u8 poolId:address tickLowerIndex:i32 tickUpperIndex:i32 liquidity:u128 feeGrowthInside0LastX64:u128 " +
    "feeGrowthInside1LastX64:u128 tokenFeesOwed0:u64 tokenFeesOwed1:u64 rewardGrowthInside:u128*3 recentEpoch:u64 " +
    "padding:u64*7 .",
  TickArrayState:
    "poolId:address startTickIndex:i32 ticks:TickState*60 initializedTickCount:u8 recentEpoch:u64 padding:u8*107 .",
};

export const CLMM_TYPES: Readonly<Record<string, string>> = {
  DynamicFeeInfo:
    "filterPeriod:u16 decayPeriod:u16 reductionFactor:u16 dynamicFeeControl:u32 maxVolatilityAccumulator:u32 " +
    "tickSpacingIndexReference:i32 volatilityReference:u32 volatilityAccumulator:u32 lastUpdateTimestamp:u64 " +
    "padding:u8*46",
  InitializeRewardParam: "openTime:u64 endTime:u64 emissionsPerSecondX64:u128",
  Observation: "blockTimestamp:u32 tickCumulative:i64 padding:u64*4",
  RewardInfo:
    "rewardState:u8 openTime:u64 endTime:u64 lastUpdateTime:u64 emissionsPerSecondX64:u128 " +
    "rewardTotalEmissioned:u64 rewardClaimed:u64 tokenMint:address tokenVault:address authority:address " +
    "rewardGrowthGlobalX64:u128",
  TickState:
    "tick:i32 liquidityNet:i128 liquidityGross:u128 feeGrowthOutside0X64:u128 feeGrowthOutside1X64:u128 " +
    "rewardGrowthsOutsideX64:u128*3 padding:u32*2 ordersAmount:u64 partFilledOrdersRemaining:u64 padding1:u32*7",
};
