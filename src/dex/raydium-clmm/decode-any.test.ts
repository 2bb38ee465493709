/**
 * Every recorded instruction and account of CLMM (sevenlabs-hq/carbon's fixtures; the expected values are its authors').
 */
import { describe, expect, test } from "bun:test";
import { carbonFixtures, digestOf } from "#dex/test-carbon-fixtures.ts";
import { decodeClmmInstruction, decodeClmmRecord } from "./decode-any.ts";

const U64_MAX = 18_446_744_073_709_551_615n;
const recorded = carbonFixtures("raydium-clmm");

const times = <Item>(count: number, item: Item): readonly Item[] => Array.from({ length: count }, () => item);

/** Arguments by instruction; those that are not here have none. */
const ARGS: Readonly<Record<string, object>> = {
  collect_fund_fee: { amount0Requested: U64_MAX, amount1Requested: U64_MAX },
  collect_protocol_fee: { amount0Requested: U64_MAX, amount1Requested: U64_MAX },
  collect_remaining_rewards: { rewardIndex: 0 },
  create_amm_config: {
    fundFeeRate: 40_000,
    index: 18,
    protocolFeeRate: 120_000,
    tickSpacing: 120,
    tradeFeeRate: 30_000,
  },
  create_pool: { openTime: 0n, sqrtPriceX64: 3_742_598_438_193_254_786n },
  decrease_liquidity: { amount0Min: 0n, amount1Min: 0n, liquidity: 0n },
  decrease_liquidity_v2: { amount0Min: 0n, amount1Min: 0n, liquidity: 0n },
  increase_liquidity: { amount0Max: 2_282_862n, amount1Max: 1_913_742n, liquidity: 401_645_319n },
  increase_liquidity_v2: {
    amount0Max: 224_270_885n,
    amount1Max: 58_753_747n,
    baseFlag: undefined,
    liquidity: 2_956_211_666n,
  },
  initialize_reward: {
    param: { emissionsPerSecondX64: 18_446_744_073_709_551_616n, endTime: 1_753_877_100n, openTime: 1_748_693_100n },
  },
  open_position: {
    amount0Max: 26_479_886n,
    amount1Max: 3_564_247n,
    liquidity: 0n,
    tickArrayLowerStartIndex: -20_820,
    tickArrayUpperStartIndex: -20_820,
    tickLowerIndex: -20_809,
    tickUpperIndex: -20_775,
  },
  open_position_v2: {
    amount0Max: 200_000_000_000n,
    amount1Max: 50_000_000_000_000n,
    baseFlag: false,
    liquidity: 0n,
    tickArrayLowerStartIndex: -443_640,
    tickArrayUpperStartIndex: 443_580,
    tickLowerIndex: -443_630,
    tickUpperIndex: 443_630,
    withMetadata: true,
  },
  open_position_with_token22_nft: {
    amount0Max: 0n,
    amount1Max: 970_000_000_000_000n,
    baseFlag: false,
    liquidity: 0n,
    tickArrayLowerStartIndex: 39_600,
    tickArrayUpperStartIndex: 39_600,
    tickLowerIndex: 42_300,
    tickUpperIndex: 42_360,
    withMetadata: true,
  },
  set_reward_params: {
    emissionsPerSecondX64: 15_250_284_452_471_520_847_000n,
    endTime: 1_750_090_500n,
    openTime: 1_747_066_500n,
    rewardIndex: 0,
  },
  swap: { amount: 1_863_648n, isBaseInput: true, otherAmountThreshold: 0n, sqrtPriceLimitX64: 0n },
  swap_router_base_in: { amountIn: 200_000_000n, amountOutMinimum: 0n },
  swap_v2: {
    amount: 4_345_224_260n,
    isBaseInput: false,
    otherAmountThreshold: 500_000_000_000_000n,
    sqrtPriceLimitX64: 79_226_673_521_066_979_257_578_248_090n,
  },
  update_amm_config: { param: 3, value: 0 },
  update_pool_status: { status: 17 },
};

type Expected = {
  readonly name: string;
  readonly fields: object;
  /** Lists too long to stand here. */
  readonly digests: Readonly<Record<string, string>>;
};

const RECORDS: Readonly<Record<string, Expected>> = {
  amm_config_account: {
    name: "AmmConfig",
    fields: {
      bump: 249,
      index: 4,
      owner: "projjosVCPQH49d5em7VYS7fJZzaqKixqKtus7yk416",
      protocolFeeRate: 120_000,
      tradeFeeRate: 100,
      tickSpacing: 1,
      fundFeeRate: 40_000,
      paddingU32: 0,
      fundOwner: "FundHfY8oo8J9KYGyfXFFuQCHe7Z1VBNmsj84eMcdYs4",
      padding: [0n, 0n, 0n],
    },
    digests: {},
  },
  observation_state_account: {
    name: "ObservationState",
    fields: {
      initialized: true,
      recentEpoch: 688n,
      observationIndex: 46,
      poolId: "6U4TBh3aJgiJ5EqCDEua4rP75HsqcfHapMKhhyuTqGuo",
      padding: times(4, 0n),
    },
    digests: { observations: "5adff188286c1b6b" },
  },
  pool_state_account: {
    name: "PoolState",
    fields: {
      bump: [254],
      ammConfig: "9iFER3bpjf1PTTCQCfTRu17EJgvsxo9pVyA9QWwEuX4x",
      owner: "888dRkBFryx1xWqDFf8RYtVyyRrVLeQeZ4XPySicXDv6",
      tokenMint0: "So11111111111111111111111111111111111111112",
      tokenMint1: "4kzLMxfMZVf6UztzjMcAmyLfBYgFcr9FfpwusrqgEjiH",
      tokenVault0: "6G5MVC3hqo6oYyucP3F7HK5smyWye84AF8fLExDDMUNL",
      tokenVault1: "E1NAfa5JAcNdKEzFiU4SkzX5uVi34pNhLdCJCmjA7nN",
      observationKey: "5TtidhhRv3YssrMCQmPiA8am21ZqsLRUgvq4ZHQESpTN",
      mintDecimals0: 9,
      mintDecimals1: 6,
      tickSpacing: 1,
      liquidity: 3_464_101_788_356n,
      sqrtPriceX64: 647_525_941_329_892_376_628n,
      tickCurrent: 71_168,
      padding3: 0,
      padding4: 0,
      feeGrowthGlobal0X64: 276_776_890_511_018n,
      feeGrowthGlobal1X64: 276_132_430_949_712_850n,
      protocolFeesToken0: 7_425_061n,
      protocolFeesToken1: 7_407_817_781n,
      swapInAmountToken0: 618_757_992_853n,
      swapOutAmountToken1: 695_657_958_518_246n,
      swapInAmountToken1: 617_318_155_753_885n,
      swapOutAmountToken0: 580_010_657_141n,
      status: 0,
      feeOn: 0,
      padding: times(6, 0),
      tickArrayBitmap: times(16, 0n),
      totalFeesToken0: 51_975_748n,
      totalFeesClaimedToken0: 0n,
      totalFeesToken1: 51_854_725_368n,
      totalFeesClaimedToken1: 0n,
      fundFeesToken0: 2_474_997n,
      fundFeesToken1: 2_469_272_531n,
      openTime: 0n,
      recentEpoch: 786n,
      dynamicFeeInfo: {
        filterPeriod: 0,
        decayPeriod: 0,
        reductionFactor: 0,
        dynamicFeeControl: 0,
        maxVolatilityAccumulator: 0,
        tickSpacingIndexReference: 0,
        volatilityReference: 0,
        volatilityAccumulator: 0,
        lastUpdateTimestamp: 0n,
        padding: times(46, 0),
      },
      padding1: times(14, 0n),
      padding2: times(32, 0n),
    },
    digests: { rewardInfos: "b06446d242992f22" },
  },
  protocol_position_state_account: {
    name: "ProtocolPositionState",
    fields: {
      bump: 255,
      poolId: "2AP2wU8HnpsxJ2ErSjWeSRzG1HLootMoisthJouWJLka",
      tickLowerIndex: -13_856,
      tickUpperIndex: -13_852,
      liquidity: 0n,
      feeGrowthInside0LastX64: 0n,
      feeGrowthInside1LastX64: 614_911_157n,
      tokenFeesOwed0: 0n,
      tokenFeesOwed1: 7_391n,
      rewardGrowthInside: [0n, 0n, 0n],
      recentEpoch: 786n,
      padding: times(7, 0n),
    },
    digests: {},
  },
  tick_array_state_account: {
    name: "TickArrayState",
    fields: {
      poolId: "2AP2wU8HnpsxJ2ErSjWeSRzG1HLootMoisthJouWJLka",
      startTickIndex: -13_860,
      initializedTickCount: 0,
      recentEpoch: 786n,
      padding: times(107, 0),
    },
    digests: { ticks: "246fd2e8a2101556" },
  },
};

describe.skipIf(recorded === undefined)("CLMM by its table", () => {
  const { instructions, records } = recorded ?? { instructions: [], records: [] };

  test.each(instructions.map((it) => [it.name, it] as const))("decodeClmmInstruction() reads %s", (name, it) => {
    const read = decodeClmmInstruction(it.data, it.accounts);
    if (!read.ok) throw read.error;
    expect(read.value?.name).toBe(name);
    expect(read.value?.args as object).toStrictEqual(ARGS[name] ?? {});
    expect(read.value?.accounts).toStrictEqual(it.named);
    expect(read.value?.remaining).toStrictEqual(it.accounts.slice(Object.keys(it.named).length));
  });

  test.each(records.map((it) => [it.file.slice(0, -".json".length), it] as const))(
    "decodeClmmRecord() reads %s",
    (file, it) => {
      const read = decodeClmmRecord(it.data);
      if (!read.ok) throw read.error;
      const want = RECORDS[file] as Expected;
      expect(read.value?.name).toBe(want.name);
      const fields = Object.entries(read.value?.fields ?? {});
      const [long, short] = [true, false].map((isLong) => fields.filter(([name]) => name in want.digests === isLong));
      expect(Object.fromEntries(short ?? [])).toStrictEqual({ ...want.fields });
      expect(Object.fromEntries((long ?? []).map(([name, value]) => [name, digestOf(value)]))).toEqual(want.digests);
    },
  );

  test("every recording has been read, and every expected value has its recording", () => {
    console.log(
      `raydium-clmm: ${instructions.length} instructions and ${records.length} accounts as expected, 0 skipped`,
    );
    expect([instructions.length, records.length]).toEqual([21, 5]);
    const names = new Set(instructions.map(({ name }) => name));
    expect(Object.keys(ARGS).filter((name) => !names.has(name))).toEqual([]);
    expect(Object.keys(RECORDS)).toHaveLength(records.length);
  });
});
