/**
 * Every recorded instruction and account of DLMM (sevenlabs-hq/carbon's fixtures; the expected values are its authors').
 */
import { describe, expect, test } from "bun:test";
import { carbonFixtures, digestOf } from "#dex/test-carbon-fixtures.ts";
import { decodeDlmmInstruction, decodeDlmmRecord } from "./decode-any.ts";

const U64_MAX = 18_446_744_073_709_551_615n;
const recorded = carbonFixtures("meteora-dlmm");

const times = <Item>(count: number, item: Item): readonly Item[] => Array.from({ length: count }, () => item);

/** Arguments by instruction; those that are not here have none. */
const ARGS: Readonly<Record<string, object>> = {
  add_liquidity_by_strategy: {
    liquidityParameter: {
      activeId: -729,
      amountX: 0n,
      amountY: 21_523_400_000n,
      maxActiveBinSlippage: 10_000,
      strategyParameters: { maxBinId: -730, minBinId: -730, parameteres: times(64, 0), strategyType: 3 },
    },
  },
  add_liquidity_by_strategy_one_side: {
    liquidityParameter: {
      activeId: -2_059,
      amount: 9_700_000_000n,
      maxActiveBinSlippage: 3,
      strategyParameters: { maxBinId: -2_060, minBinId: -2_100, parameteres: times(64, 0), strategyType: 0 },
    },
  },
  add_liquidity_by_weight: {
    liquidityParameter: {
      activeId: 1_698,
      amountX: 191_094_066n,
      amountY: 227_162_680n,
      binLiquidityDist: Array.from({ length: 23 }, (_, i) => ({ binId: 1_687 + i, weight: 1 })),
      maxActiveBinSlippage: 2_147_483_647,
    },
  },
  add_liquidity: {
    liquidityParameter: {
      amountX: 300_000_000_000_000_000n,
      amountY: 0n,
      binLiquidityDist: [{ binId: -2_022, distributionX: 10_000, distributionY: 0 }],
    },
  },
  add_liquidity_one_side: {
    liquidityParameter: {
      activeId: -428,
      amount: 25_650_410_760n,
      binLiquidityDist: [
        { binId: -428, weight: 2_252 },
        { binId: -427, weight: 4_568 },
        { binId: -426, weight: 5_738 },
        { binId: -425, weight: 6_918 },
        { binId: -424, weight: 8_088 },
        { binId: -423, weight: 9_266 },
        { binId: -422, weight: 10_439 },
        { binId: -421, weight: 8_092 },
        { binId: -420, weight: 5_739 },
        { binId: -419, weight: 3_388 },
        { binId: -418, weight: 1_041 },
      ],
      maxActiveBinSlippage: 4,
    },
  },
  add_liquidity_one_side_precise: {
    parameter: {
      bins: [
        { amount: 92_867, binId: -800 },
        { amount: 206_898, binId: -799 },
        { amount: 299_326, binId: -798 },
        { amount: 384_861, binId: -797 },
        { amount: 467_370, binId: -796 },
        { amount: 548_676, binId: -795 },
      ],
      decompressMultiplier: 1_000_000_000n,
    },
  },
  claim_fee2: {
    maxBinId: -3_601,
    minBinId: -3_669,
    remainingAccountsInfo: {
      slices: [
        { accountsType: 0, length: 0 },
        { accountsType: 1, length: 0 },
      ],
    },
  },
  claim_reward2: {
    maxBinId: 4,
    minBinId: 4,
    remainingAccountsInfo: { slices: [{ accountsType: 2, length: 0 }] },
    rewardIndex: 0n,
  },
  claim_reward: { rewardIndex: 0n },
  go_to_a_bin: { binId: -11_653 },
  initialize_bin_array: { index: 6n },
  initialize_customizable_permissionless_lb_pair2: {
    params: {
      activeId: -1_157,
      binStep: 100,
      baseFactor: 10_000,
      activationType: 1,
      hasAlphaVault: true,
      activationPoint: 1_748_602_200n,
      creatorPoolOnOffControl: false,
      baseFeePowerFactor: 0,
      padding: times(62, 0),
    },
  },
  initialize_customizable_permissionless_lb_pair: {
    params: {
      activationPoint: undefined,
      activationType: 0,
      activeId: 1,
      baseFactor: 5_000,
      binStep: 2,
      hasAlphaVault: false,
      creatorPoolOnOffControl: false,
      baseFeePowerFactor: 0,
      padding: times(62, 0),
    },
  },
  initialize_lb_pair2: { params: { activeId: -341, padding: times(96, 0) } },
  initialize_lb_pair: { activeId: 91, binStep: 250 },
  initialize_permission_lb_pair: {
    ixData: {
      activeId: -48_930,
      binStep: 1,
      baseFactor: 10_000,
      baseFeePowerFactor: 0,
      activationType: 1,
      protocolShare: 500,
    },
  },
  initialize_position_by_operator: {
    feeOwner: "2yRC3SXXh8dUpHfKYXyWwn1b1QJPrJwuJ7UKtLU4Usmu",
    lockReleasePoint: 0n,
    lowerBinId: -2_022,
    width: 1,
  },
  initialize_position: { lowerBinId: -730, width: 1 },
  initialize_position_pda: { lowerBinId: -2_070, width: 70 },
  remove_liquidity2: {
    binLiquidityRemoval: [{ binId: -560, bpsToRemove: 10_000 }],
    remainingAccountsInfo: {
      slices: [
        { accountsType: 0, length: 0 },
        { accountsType: 1, length: 0 },
      ],
    },
  },
  remove_liquidity_by_range2: {
    bpsToRemove: 10_000,
    fromBinId: -3_567,
    remainingAccountsInfo: {
      slices: [
        { accountsType: 0, length: 0 },
        { accountsType: 1, length: 0 },
      ],
    },
    toBinId: -3_499,
  },
  remove_liquidity_by_range: { bpsToRemove: 10_000, fromBinId: -239, toBinId: -171 },
  remove_liquidity: {
    binLiquidityRemoval: Array.from({ length: 23 }, (_, i) => ({ binId: 1_687 + i, bpsToRemove: 1 })),
  },
  set_activation_point: { activationPoint: 1_748_178_300n },
  set_pair_status: { status: 1 },
  set_pair_status_permissionless: { status: 0 },
  set_pre_activation_duration: { preActivationDuration: 3_600n },
  set_pre_activation_swap_address: { preActivationSwapAddress: "8gCqHrCcP5PxUf2fPR1nre5B9t2HjWQu6StujDCor4oW" },
  swap2: { amountIn: 217_206_901n, minAmountOut: 0n, remainingAccountsInfo: { slices: [] } },
  swap_exact_out2: {
    maxInAmount: 3_826_290_145n,
    outAmount: 4_891_000_000_000n,
    remainingAccountsInfo: { slices: [] },
  },
  swap_exact_out: { maxInAmount: U64_MAX, outAmount: 5_950_000n },
  swap: { amountIn: 60_165_522n, minAmountOut: 0n },
  swap_with_price_impact2: {
    activeId: -533,
    amountIn: 58_823n,
    maxPriceImpactBps: 1_000,
    remainingAccountsInfo: { slices: [] },
  },
  update_base_fee_parameters: { feeParameter: { baseFactor: 3_125, baseFeePowerFactor: 0, protocolShare: 2_000 } },
};

type Expected = {
  readonly name: string;
  readonly fields: object;
  /** Lists too long to stand here. */
  readonly digests: Readonly<Record<string, string>>;
};

const RECORDS: Readonly<Record<string, Expected>> = {
  lb_pair_account: {
    name: "LbPair",
    fields: {
      parameters: {
        baseFactor: 62_500,
        filterPeriod: 300,
        decayPeriod: 1_200,
        reductionFactor: 5_000,
        variableFeeControl: 7_500,
        maxVolatilityAccumulator: 150_000,
        minBinId: -5_458,
        maxBinId: 5_458,
        protocolShare: 500,
        baseFeePowerFactor: 0,
        padding: [0, 0, 0],
        functionType: 0,
        collectFeeMode: 0,
      },
      vParameters: {
        volatilityAccumulator: 150_000,
        volatilityReference: 75_000,
        indexReference: -886,
        padding: times(4, 0),
        lastUpdateTimestamp: 1_748_616_125n,
        padding1: times(8, 0),
      },
      bumpSeed: [255],
      binStepSeed: [80, 0],
      pairType: 3,
      activeId: -1_054,
      binStep: 80,
      status: 0,
      requireBaseFactorSeed: 0,
      baseFactorSeed: [36, 244],
      activationType: 0,
      creatorPoolOnOffControl: 0,
      tokenXMint: "FzytSxQv6nBgH3dByVJtgMVg6rANTZaZPzU6dcRbpump",
      tokenYMint: "So11111111111111111111111111111111111111112",
      reserveX: "7SWjpLPaLKxGogCY321XRFbiSiAkXSKh8q8qioGdu8N8",
      reserveY: "iiWfKZygJii3g8RrKyWVQJdc6CciK2xGpuD8aCbgqbS",
      protocolFee: { amountX: 317_260_998_460n, amountY: 240_423_958n },
      padding1: times(32, 0),
      oracle: "YJ2QX2V48nZiB4kH2XtRZnLNKkA7v7N1sXnWfQ8n9Jq",
      binArrayBitmap: [0n, 0n, 0n, 0n, 0n, 0n, 0n, 3_377_699_720_527_872n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n],
      lastUpdatedAt: 0n,
      padding2: times(32, 0),
      preActivationSwapAddress: "11111111111111111111111111111111",
      baseKey: "VamLzWq6NAZMK8Vw2tFEfr4bkkeeaS7yDDf2C5sNqLQ",
      activationPoint: 0n,
      preActivationDuration: 0n,
      padding3: times(8, 0),
      padding4: 0n,
      creator: "5oWhudgFVd1mEeKTzduHreYWSmYgfsMmBFLxqkD5AeJT",
      tokenMintXProgramFlag: 0,
      tokenMintYProgramFlag: 0,
      reserved: times(22, 0),
    },
    digests: { rewardInfos: "b57697b1767bd036" },
  },
  oracle_account: { name: "Oracle", fields: { idx: 0n, activeSize: 1n, length: 100n }, digests: {} },
  position_account: {
    name: "Position",
    fields: {
      lbPair: "FoSDw2L5DmTuQTFe55gWPDXf88euaxAEKFre74CnvQbX",
      owner: "2W7yBhBJDScbun4JbocAcRp5sx8SShy8uaHFDHfBeks6",
      rewardInfos: times(70, { rewardPerTokenCompletes: [0n, 0n], rewardPendings: [0n, 0n] }),
      lowerBinId: -2_999,
      upperBinId: -2_931,
      lastUpdatedAt: 1_703_204_155n,
      totalClaimedFeeXAmount: 0n,
      totalClaimedFeeYAmount: 0n,
      totalClaimedRewards: [0n, 0n],
      reserved: times(160, 0),
    },
    digests: { liquidityShares: "6f3af398f7bf9d41", feeInfos: "9113aea615ad649b" },
  },
  preset_parameter_account: {
    name: "PresetParameter",
    fields: {
      binStep: 30,
      baseFactor: 10_000,
      filterPeriod: 30,
      decayPeriod: 600,
      reductionFactor: 5_000,
      variableFeeControl: 15_000,
      maxVolatilityAccumulator: 350_000,
      minBinId: -14_577,
      maxBinId: 14_577,
      protocolShare: 500,
    },
    digests: {},
  },
};

describe.skipIf(recorded === undefined)("DLMM by its table", () => {
  const { instructions, records } = recorded ?? { instructions: [], records: [] };

  test.each(instructions.map((it) => [it.name, it] as const))("decodeDlmmInstruction() reads %s", (name, it) => {
    const read = decodeDlmmInstruction(it.data, it.accounts);
    if (!read.ok) throw read.error;
    expect(read.value?.name).toBe(name);
    expect(read.value?.args as object).toStrictEqual(ARGS[name] ?? {});
    expect(read.value?.accounts).toStrictEqual(it.named);
    expect(read.value?.remaining).toStrictEqual(it.accounts.slice(Object.keys(it.named).length));
  });

  test.each(records.map((it) => [it.file.slice(0, -".json".length), it] as const))(
    "decodeDlmmRecord() reads %s",
    (file, it) => {
      const read = decodeDlmmRecord(it.data);
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
      `meteora-dlmm: ${instructions.length} instructions and ${records.length} accounts as expected, 0 skipped`,
    );
    expect([instructions.length, records.length]).toEqual([44, 4]);
    const names = new Set(instructions.map(({ name }) => name));
    expect(Object.keys(ARGS).filter((name) => !names.has(name))).toEqual([]);
    expect(Object.keys(RECORDS)).toHaveLength(records.length);
  });
});
