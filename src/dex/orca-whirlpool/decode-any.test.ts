/**
 * Every recorded instruction and record of the program (sevenlabs-hq/carbon's fixtures; the expected values are its
 * authors'). They lie outside the repository: SANDPIPER_SHARED_DATA, else ../shared/data beside it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeWhirlpoolInstruction, decodeWhirlpoolRecord } from "./decode-any.ts";
import { WHIRLPOOL_DISCRIMINATOR } from "./layout.ts";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN } from "./limits.ts";

const FIXTURES = join(SHARED_DATA, "carbon-decoder-fixtures/orca-whirlpool");
const there = existsSync(FIXTURES);
if (!there) console.warn(`SKIPPED: fixtures of Orca Whirlpool: not found at ${FIXTURES}`);

const AUTHORITY = "DDGbigvGH49guY7PaaSdaNd3FiF5fyMzywzkF35bjZz7";
const CONFIG_AUTHORITY = "6Pg1AsSovedLHBgtAzm4i3A7AoZDTo28qkV9U46Zj8iA";
const CONFIG = "2LecshUwdy9xi7meFgHtFJQNSKk4KdTrcpvaB56dP2NQ";
const U64_MAX = 18_446_744_073_709_551_615n;

/** Arguments by fixture; those that are not here have none. */
const ARGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  close_bundled_position: { bundleIndex: 0 },
  collect_fees_v2: { remainingAccountsInfo: undefined },
  collect_protocol_fees_v2: { remainingAccountsInfo: undefined },
  collect_reward: { rewardIndex: 0 },
  collect_reward_v2: { rewardIndex: 0, remainingAccountsInfo: undefined },
  decrease_liquidity: { liquidityAmount: 6_728_487_368n, tokenMinA: 859_639_789n, tokenMinB: 742_325_562n },
  decrease_liquidity_v2: { liquidityAmount: 33_429_762_919n, tokenMinA: 0n, tokenMinB: 341_312_282n },
  increase_liquidity: { liquidityAmount: 22_561_146n, tokenMaxA: 7_709n, tokenMaxB: 16_093_721_672n },
  increase_liquidity_v2: { liquidityAmount: 119_303_511_311n, tokenMaxA: U64_MAX, tokenMaxB: U64_MAX },
  initialize_config: {
    feeAuthority: AUTHORITY,
    collectProtocolFeesAuthority: AUTHORITY,
    rewardEmissionsSuperAuthority: AUTHORITY,
    defaultProtocolFeeRate: 0,
  },
  initialize_fee_tier: { tickSpacing: 256, defaultFeeRate: 0 },
  initialize_pool: {
    whirlpoolBump: 246,
    tickSpacing: 32_896,
    initialSqrtPrice: 1_304_381_782_533_278_221_200_000n,
  },
  initialize_pool_v2: { tickSpacing: 32_896, initialSqrtPrice: 313_696_632_313_979_986_050n },
  initialize_reward_v2: { rewardIndex: 1 },
  initialize_tick_array: { startTickIndex: 0 },
  open_bundled_position: { bundleIndex: 0, tickLowerIndex: 78_272, tickUpperIndex: 79_872 },
  open_position: { positionBump: 253, tickLowerIndex: -21_264, tickUpperIndex: -19_424 },
  open_position_with_metadata: {
    positionBump: 254,
    metadataBump: 255,
    tickLowerIndex: -18_776,
    tickUpperIndex: -18_576,
  },
  set_reward_emissions_v2: { rewardIndex: 0, emissionsPerSecondX64: 610_011_378_098_860_833_862_433_862n },
  swap: {
    amount: 85_373_619n,
    otherAmountThreshold: 0n,
    sqrtPriceLimit: SQRT_PRICE_MAX,
    amountSpecifiedIsInput: true,
    aToB: false,
  },
  swap_v2: {
    amount: 367_897_999n,
    otherAmountThreshold: 1n,
    sqrtPriceLimit: SQRT_PRICE_MIN,
    amountSpecifiedIsInput: true,
    aToB: true,
  },
  two_hop_swap: {
    amount: 110_000n,
    otherAmountThreshold: 194_634_640n,
    amountSpecifiedIsInput: true,
    aToBOne: true,
    aToBTwo: false,
    sqrtPriceLimitOne: SQRT_PRICE_MIN,
    sqrtPriceLimitTwo: SQRT_PRICE_MAX,
  },
  two_hop_swap_v2: {
    amount: 40_139_172n,
    otherAmountThreshold: 0n,
    amountSpecifiedIsInput: true,
    aToBOne: false,
    aToBTwo: true,
    sqrtPriceLimitOne: SQRT_PRICE_MAX,
    sqrtPriceLimitTwo: SQRT_PRICE_MIN,
  },
};

const fixture = (name: string) => Bun.file(join(FIXTURES, `${name}.json`)).json();

describe.skipIf(!there)("decodeWhirlpoolInstruction()", () => {
  test("reads every recorded instruction: name, arguments and accounts", async () => {
    const names = readdirSync(FIXTURES).flatMap((file) => file.match(/^(.+)_ix\.json$/)?.[1] ?? []);
    for (const name of names) {
      const { accounts, data } = await fixture(`${name}_ix`);
      const metas = accounts as { readonly pubkey: Address; readonly label: string }[];
      const read = decodeWhirlpoolInstruction(
        new Uint8Array(Buffer.from(data, "hex")),
        metas.map(({ pubkey }) => pubkey),
      );
      if (!read.ok) throw read.error;
      expect(read.value?.name).toBe(name);
      expect(read.value?.args as object).toEqual(ARGS[name] ?? {});
      expect(read.value?.accounts).toEqual(Object.fromEntries(metas.map(({ label, pubkey }) => [label, pubkey])));
    }
    expect(names).toHaveLength(33);
    console.log(`orca-whirlpool: ${names.length} instructions as expected, 0 skipped`);
  });
});

describe.skipIf(!there)("decodeWhirlpoolRecord()", () => {
  test.each([
    [
      "position_account",
      "Position",
      {
        whirlpool: "C9U2Ksk6KKWvLEeo5yUQ7Xu46X7NzeBJtd9PBfuXaUSM",
        positionMint: "4t8CquCQLazH6AZHtCdqfNowTvGztBRFdQ5ewimu8bpB",
        liquidity: 27_713_585_964n,
        tickLowerIndex: -21_264,
        tickUpperIndex: -19_424,
        feeGrowthCheckpointA: 340_282_366_920_938_463_461_883_143_742_666_180_270n,
        feeOwedA: 0n,
        feeGrowthCheckpointB: 340_282_366_920_938_463_463_072_690_694_709_896_731n,
        feeOwedB: 0n,
        amountOwed2: 0n,
      },
    ],
    [
      "position_bundle_account",
      "PositionBundle",
      { positionBundleMint: "EMY7ftt18nnjQSLd8v9QvJ91hZbeRFQRjXbkb5pEJWpF", positionBitmapLow: 0n },
    ],
    [
      "token_badge_account",
      "TokenBadge",
      { whirlpoolsConfig: CONFIG, tokenMint: "mzeroXDoBpRVhnEXBra27qzAMdxgpWVY3DzQW7xMVJp" },
    ],
    [
      "whirlpools_config_account",
      "WhirlpoolsConfig",
      {
        feeAuthority: CONFIG_AUTHORITY,
        collectProtocolFeesAuthority: CONFIG_AUTHORITY,
        rewardEmissionsSuperAuthority: CONFIG_AUTHORITY,
        defaultProtocolFeeRate: 300,
      },
    ],
    [
      "whirlpools_config_extension_account",
      "WhirlpoolsConfigExtension",
      {
        whirlpoolsConfig: "ET8gW61Ru2Fgi4Nyvm4uQHeah7v8QMhnXnrgXxN2Y2s9",
        configExtensionAuthority: CONFIG_AUTHORITY,
        tokenBadgeAuthority: CONFIG_AUTHORITY,
      },
    ],
  ])("reads %s", async (file, name, fields) => {
    const read = decodeWhirlpoolRecord(new Uint8Array(Buffer.from((await fixture(file)).data, "base64")));
    expect(read.ok && (read.value as object)).toMatchObject({ name, fields });
  });
});

describe("decoders of any instruction and record", () => {
  const data = new Uint8Array(43);
  data.set(WHIRLPOOL_DISCRIMINATOR.swapV2);
  const accounts = Array.from({ length: 15 }, (_, i) => `account ${i}` as Address);

  test("read what the remaining accounts are for", () => {
    const withSlices = new Uint8Array([...data.with(42, 1), 1, 0, 0, 0, 6, 3]);
    const read = decodeWhirlpoolInstruction(withSlices, accounts);
    expect(read.ok && read.value?.args["remainingAccountsInfo"]).toEqual([{ accountsType: 6, length: 3 }]);
    expect(decodeWhirlpoolInstruction(withSlices.subarray(0, -1), accounts).ok).toBe(false);
    expect(decodeWhirlpoolInstruction(data.with(42, 2), accounts).ok).toBe(false);
  });

  test("pass over what they do not know, and refuse what ends early", () => {
    expect(decodeWhirlpoolInstruction(new Uint8Array(8), accounts)).toEqual({ ok: true, value: undefined });
    expect(decodeWhirlpoolRecord(new Uint8Array(3))).toEqual({ ok: true, value: undefined });
    expect(decodeWhirlpoolInstruction(data.subarray(0, 41), accounts).ok).toBe(false);
    expect(decodeWhirlpoolInstruction(data, accounts.slice(1)).ok).toBe(false);
    expect(decodeWhirlpoolRecord(new Uint8Array([0xaa, 0xbc, 0x8f, 0xe4, 0x7a, 0x40, 0xf7, 0xd0])).ok).toBe(false);
  });
});
