/**
 * Every instruction of the Whirlpool program that recordings show, by its name: arguments in order, and the names of its
 * accounts (github.com/orca-so/whirlpools, `lib.rs` and `instructions/`). Swaps are here too; decode-swap.ts reads those
 * into what a trade is.
 */
import type { InstructionShape } from "#dex/named-layout.ts";
import { SWAP_ACCOUNTS, SWAP_V2_ACCOUNTS, TWO_HOP_SWAP_ACCOUNTS, TWO_HOP_SWAP_V2_ACCOUNTS } from "./layout.ts";

const LIQUIDITY =
  "positionAuthority position positionTokenAccount tokenOwnerAccountA tokenOwnerAccountB tokenVaultA tokenVaultB " +
  "tickArrayLower tickArrayUpper";
const LIQUIDITY_V2 =
  "whirlpool tokenProgramA tokenProgramB memoProgram positionAuthority position positionTokenAccount tokenMintA " +
  "tokenMintB tokenOwnerAccountA tokenOwnerAccountB tokenVaultA tokenVaultB tickArrayLower tickArrayUpper";
const OWNER_VAULTS = "tokenOwnerAccountA tokenVaultA tokenOwnerAccountB tokenVaultB";
const PROGRAMS_V2 = "tokenProgramA tokenProgramB memoProgram";

/** Types as in named-layout.ts; `bumps` of the older instructions are their fields. */
export const WHIRLPOOL_INSTRUCTIONS: Readonly<Record<string, InstructionShape>> = {
  close_bundled_position: {
    args: "bundleIndex:u16",
    accounts: "bundledPosition positionBundle positionBundleTokenAccount positionBundleAuthority receiver",
  },
  close_position: {
    args: "",
    accounts: "positionAuthority receiver position positionMint positionTokenAccount tokenProgram",
  },
  collect_fees: {
    args: "",
    accounts: `whirlpool positionAuthority position positionTokenAccount ${OWNER_VAULTS} tokenProgram`,
  },
  collect_fees_v2: {
    args: "remainingAccountsInfo:AccountSlice[]?",
    accounts: `whirlpool positionAuthority position positionTokenAccount tokenMintA tokenMintB ${OWNER_VAULTS} ${PROGRAMS_V2}`,
  },
  collect_protocol_fees: {
    args: "",
    accounts:
      "whirlpoolsConfig whirlpool collectProtocolFeesAuthority tokenVaultA tokenVaultB tokenDestinationA " +
      "tokenDestinationB tokenProgram",
  },
  collect_protocol_fees_v2: {
    args: "remainingAccountsInfo:AccountSlice[]?",
    accounts:
      "whirlpoolsConfig whirlpool collectProtocolFeesAuthority tokenMintA tokenMintB tokenVaultA tokenVaultB " +
      `tokenDestinationA tokenDestinationB ${PROGRAMS_V2}`,
  },
  collect_reward: {
    args: "rewardIndex:u8",
    accounts: "whirlpool positionAuthority position positionTokenAccount rewardOwnerAccount rewardVault tokenProgram",
  },
  collect_reward_v2: {
    args: "rewardIndex:u8 remainingAccountsInfo:AccountSlice[]?",
    accounts:
      "whirlpool positionAuthority position positionTokenAccount rewardOwnerAccount rewardMint rewardVault " +
      "rewardTokenProgram memoProgram",
  },
  decrease_liquidity: {
    args: "liquidityAmount:u128 tokenMinA:u64 tokenMinB:u64",
    accounts: `whirlpool tokenProgram ${LIQUIDITY}`,
  },
  decrease_liquidity_v2: {
    args: "liquidityAmount:u128 tokenMinA:u64 tokenMinB:u64 remainingAccountsInfo:AccountSlice[]?",
    accounts: LIQUIDITY_V2,
  },
  delete_position_bundle: {
    args: "",
    accounts: "positionBundle positionBundleMint positionBundleTokenAccount positionBundleOwner receiver tokenProgram",
  },
  increase_liquidity: {
    args: "liquidityAmount:u128 tokenMaxA:u64 tokenMaxB:u64",
    accounts: `whirlpool tokenProgram ${LIQUIDITY}`,
  },
  increase_liquidity_v2: {
    args: "liquidityAmount:u128 tokenMaxA:u64 tokenMaxB:u64 remainingAccountsInfo:AccountSlice[]?",
    accounts: LIQUIDITY_V2,
  },
  initialize_config: {
    args:
      "feeAuthority:address collectProtocolFeesAuthority:address rewardEmissionsSuperAuthority:address " +
      "defaultProtocolFeeRate:u16",
    accounts: "config funder systemProgram",
  },
  initialize_config_extension: { args: "", accounts: "config configExtension funder feeAuthority systemProgram" },
  initialize_fee_tier: {
    args: "tickSpacing:u16 defaultFeeRate:u16",
    accounts: "config feeTier funder feeAuthority systemProgram",
  },
  initialize_pool: {
    args: "whirlpoolBump:u8 tickSpacing:u16 initialSqrtPrice:u128",
    accounts:
      "whirlpoolsConfig tokenMintA tokenMintB funder whirlpool tokenVaultA tokenVaultB feeTier tokenProgram " +
      "systemProgram rent",
  },
  initialize_pool_v2: {
    args: "tickSpacing:u16 initialSqrtPrice:u128",
    accounts:
      "whirlpoolsConfig tokenMintA tokenMintB tokenBadgeA tokenBadgeB funder whirlpool tokenVaultA tokenVaultB " +
      "feeTier tokenProgramA tokenProgramB systemProgram rent",
  },
  initialize_position_bundle: {
    args: "",
    accounts:
      "positionBundle positionBundleMint positionBundleTokenAccount positionBundleOwner funder tokenProgram " +
      "systemProgram rent associatedTokenProgram",
  },
  initialize_position_bundle_with_metadata: {
    args: "",
    accounts:
      "positionBundle positionBundleMint positionBundleMetadata positionBundleTokenAccount positionBundleOwner funder " +
      "metadataUpdateAuth tokenProgram systemProgram rent associatedTokenProgram metadataProgram",
  },
  initialize_reward_v2: {
    args: "rewardIndex:u8",
    accounts:
      "rewardAuthority funder whirlpool rewardMint rewardTokenBadge rewardVault rewardTokenProgram systemProgram rent",
  },
  initialize_tick_array: { args: "startTickIndex:i32", accounts: "whirlpool funder tickArray systemProgram" },
  initialize_dynamic_tick_array: {
    args: "startTickIndex:i32 idempotent:bool",
    accounts: "whirlpool funder tickArray systemProgram",
  },
  initialize_token_badge: {
    args: "",
    accounts:
      "whirlpoolsConfig whirlpoolsConfigExtension tokenBadgeAuthority tokenMint tokenBadge funder systemProgram",
  },
  open_bundled_position: {
    args: "bundleIndex:u16 tickLowerIndex:i32 tickUpperIndex:i32",
    accounts:
      "bundledPosition positionBundle positionBundleTokenAccount positionBundleAuthority whirlpool funder " +
      "systemProgram rent",
  },
  open_position: {
    args: "positionBump:u8 tickLowerIndex:i32 tickUpperIndex:i32",
    accounts:
      "funder owner position positionMint positionTokenAccount whirlpool tokenProgram systemProgram rent " +
      "associatedTokenProgram",
  },
  open_position_with_metadata: {
    args: "positionBump:u8 metadataBump:u8 tickLowerIndex:i32 tickUpperIndex:i32",
    accounts:
      "funder owner position positionMint positionMetadataAccount positionTokenAccount whirlpool tokenProgram " +
      "systemProgram rent associatedTokenProgram metadataProgram metadataUpdateAuth",
  },
  set_collect_protocol_fees_authority: {
    args: "",
    accounts: "whirlpoolsConfig collectProtocolFeesAuthority newCollectProtocolFeesAuthority",
  },
  set_reward_emissions_v2: {
    args: "rewardIndex:u8 emissionsPerSecondX64:u128",
    accounts: "whirlpool rewardAuthority rewardVault",
  },
  swap: {
    args: "amount:u64 otherAmountThreshold:u64 sqrtPriceLimit:u128 amountSpecifiedIsInput:bool aToB:bool",
    accounts: SWAP_ACCOUNTS.join(" "),
  },
  swap_v2: {
    args:
      "amount:u64 otherAmountThreshold:u64 sqrtPriceLimit:u128 amountSpecifiedIsInput:bool aToB:bool " +
      "remainingAccountsInfo:AccountSlice[]?",
    accounts: SWAP_V2_ACCOUNTS.join(" "),
  },
  two_hop_swap: {
    args:
      "amount:u64 otherAmountThreshold:u64 amountSpecifiedIsInput:bool aToBOne:bool aToBTwo:bool " +
      "sqrtPriceLimitOne:u128 sqrtPriceLimitTwo:u128",
    accounts: TWO_HOP_SWAP_ACCOUNTS.join(" "),
  },
  two_hop_swap_v2: {
    args:
      "amount:u64 otherAmountThreshold:u64 amountSpecifiedIsInput:bool aToBOne:bool aToBTwo:bool " +
      "sqrtPriceLimitOne:u128 sqrtPriceLimitTwo:u128 remainingAccountsInfo:AccountSlice[]?",
    accounts: TWO_HOP_SWAP_V2_ACCOUNTS.join(" "),
  },
  update_fees_and_rewards: { args: "", accounts: "whirlpool position tickArrayLower tickArrayUpper" },
};

/** Accounts that no swap reads: what liquidity and administration keep. */
export const WHIRLPOOL_RECORDS: Readonly<Record<string, string>> = {
  Position:
    "whirlpool:address positionMint:address liquidity:u128 tickLowerIndex:i32 tickUpperIndex:i32 " +
    "feeGrowthCheckpointA:u128 feeOwedA:u64 feeGrowthCheckpointB:u128 feeOwedB:u64 " +
    "growthInsideCheckpoint0:u128 amountOwed0:u64 growthInsideCheckpoint1:u128 amountOwed1:u64 " +
    "growthInsideCheckpoint2:u128 amountOwed2:u64",
  PositionBundle: "positionBundleMint:address positionBitmapLow:u128 positionBitmapHigh:u128",
  TokenBadge: "whirlpoolsConfig:address tokenMint:address",
  WhirlpoolsConfig:
    "feeAuthority:address collectProtocolFeesAuthority:address rewardEmissionsSuperAuthority:address " +
    "defaultProtocolFeeRate:u16",
  WhirlpoolsConfigExtension: "whirlpoolsConfig:address configExtensionAuthority:address tokenBadgeAuthority:address",
};

export const WHIRLPOOL_TYPES: Readonly<Record<string, string>> = {
  /** What a run of the remaining accounts is for, by the program's number of it. */
  AccountSlice: "accountsType:u8 length:u8",
};
