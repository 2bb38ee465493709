/**
 * Whirlpool's accounts. Expected values of the fixtures are those that their authors (sevenlabs-hq/carbon) expect; real
 * accounts are a snapshot of mainnet. Both lie outside the repository: SANDPIPER_SHARED_DATA, else ../shared/data.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeAdaptiveFeeTier, decodeFeeTier, decodeOracle, decodeWhirlpool } from "./decode.ts";
import { decodeTickArray } from "./decode-tick-array.ts";
import {
  ADAPTIVE_FEE_TIER,
  ADAPTIVE_FEE_TIER_BYTES,
  DYNAMIC_TICK_ARRAY,
  ORACLE,
  TICK_ARRAY,
  TICK_BYTES,
  WHIRLPOOL,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import { SYNTHETIC, type SyntheticSpec, syntheticPool } from "./synthetic-pool.ts";

const FIXTURES = join(SHARED_DATA, "carbon-decoder-fixtures/orca-whirlpool");
const SNAPSHOT = join(SHARED_DATA, "orca-whirlpool-accounts");
const there = existsSync(FIXTURES) && existsSync(SNAPSHOT);
if (!there) console.warn(`SKIPPED: accounts of Orca Whirlpool: not found at ${FIXTURES} and ${SNAPSHOT}`);

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const fixture = async (name: string) => fromBase64((await Bun.file(join(FIXTURES, `${name}.json`)).json()).data);
async function snapshot(part: string): Promise<Uint8Array> {
  const name = readdirSync(SNAPSHOT).find((file) => file.includes(part));
  if (name === undefined) throw new Error(`no ${part} in ${SNAPSHOT}`);
  return fromBase64((await Bun.file(join(SNAPSHOT, name)).json()).account.data[0]);
}

function decoded<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error },
): T {
  if (!result.ok) throw result.error;
  return result.value;
}

describe.skipIf(!there)("recorded accounts", () => {
  test("decodeWhirlpool() reads a full-range pool", async () => {
    const { rewardInfos, ...pool } = decoded(decodeWhirlpool(await fixture("whirlpool_account")));
    expect(pool as object).toEqual({
      whirlpoolsConfig: "2LecshUwdy9xi7meFgHtFJQNSKk4KdTrcpvaB56dP2NQ",
      tickSpacing: 32_896,
      feeTierIndex: 32_896,
      feeRate: 10_000,
      protocolFeeRate: 1_300,
      liquidity: 141_421_356n,
      sqrtPrice: 1_304_381_782_533_278_221_200_000n,
      tickCurrentIndex: 223_338,
      protocolFeeOwedA: 0n,
      protocolFeeOwedB: 0n,
      tokenMintA: "So11111111111111111111111111111111111111112",
      tokenVaultA: "6cS7s6TZuQofs1TPYSpZ51qGPQKnrxk6xWhW131MysXh",
      feeGrowthGlobalA: 0n,
      tokenMintB: "DzkKGBw4njGApBJ4Bd2csCpm4rsdgEmkgivR7XZvENPv",
      tokenVaultB: "25tSGzR5NcRpuoWKzWFTWfMaB1ijiaHP6HkqjxZNH72m",
      feeGrowthGlobalB: 0n,
      rewardLastUpdatedTimestamp: 1_745_354_322n,
    });
    expect(rewardInfos.map(({ initialized }) => initialized)).toEqual([false, false, false]);
  });

  test("decodeTickArray() reads the first layout", async () => {
    const array = decoded(decodeTickArray(await fixture("tick_array_account")));
    expect([array.startTickIndex, array.whirlpool as string]).toEqual([
      -2_894_848,
      "CGGNcohZdLdeDBdhmQRGmUH1Viv1p4d1ds2aPLoiVWaR",
    ]);
    expect(array.ticks.map((tick, i) => (tick === undefined ? -1 : i)).filter((i) => i >= 0)).toEqual([75]);
    expect(array.ticks[75]).toEqual({
      liquidityNet: 141_421_356n,
      liquidityGross: 141_421_356n,
      feeGrowthOutsideA: 0n,
      feeGrowthOutsideB: 0n,
      rewardGrowthsOutside: [0n, 0n, 0n],
    });
  });

  test("decodeTickArray() reads the newer layout", async () => {
    const array = decoded(decodeTickArray(await fixture("dynamic_tick_array_account0")));
    expect(array.startTickIndex).toBe(45_056);
    expect(array.ticks).toHaveLength(88);
    expect(array.ticks.filter((tick) => tick !== undefined)).toEqual([
      {
        liquidityNet: 74_989_308_705n,
        liquidityGross: 74_989_308_705n,
        feeGrowthOutsideA: 0n,
        feeGrowthOutsideB: 0n,
        rewardGrowthsOutside: [0n, 0n, 0n],
      },
    ]);
    expect(array.ticks[32]).toBeDefined();
  });

  test("decodeFeeTier() reads tiers", async () => {
    expect(decoded(decodeFeeTier(await fixture("fee_tier_account"))) as object).toEqual({
      whirlpoolsConfig: "2LecshUwdy9xi7meFgHtFJQNSKk4KdTrcpvaB56dP2NQ",
      tickSpacing: 32_896,
      defaultFeeRate: 10_000,
    });
    expect(decoded(decodeFeeTier(await snapshot("feetier64")))).toMatchObject({
      tickSpacing: 64,
      defaultFeeRate: 3_000,
    });
  });

  test("decodeWhirlpool() and decodeTickArray() agree on a pool of mainnet", async () => {
    const pool = decoded(decodeWhirlpool(await snapshot("wp_whirlpool")));
    expect(pool).toMatchObject({ tickSpacing: 64, feeRate: 2_000, tickCurrentIndex: -32_101 });
    expect(pool.rewardInfos.map(({ initialized }) => initialized)).toEqual([true, false, false]);
    const starts = ["n16896", "n22528", "n28160", "n33792", "n39424", "n45056", "n50688"];
    for (const name of starts) {
      const array = decoded(decodeTickArray(await snapshot(`ta_${name}`)));
      expect([array.startTickIndex, array.whirlpool as string]).toEqual([
        -Number(name.slice(1)),
        "HJPjoWUrhoZzkNfRpHuieeFk9WcZWjwy6PBjZ81ngndJ",
      ]);
      for (const tick of array.ticks) if (tick !== undefined) expect(tick.liquidityGross).toBeGreaterThan(0n);
    }
  });
});

const SPEC: SyntheticSpec = {
  tickSpacing: 64,
  tick: 64,
  positions: [{ lower: -128, upper: 640, liquidity: 10n ** 9n }],
  adaptive: {
    filterPeriod: 30,
    decayPeriod: 600,
    reductionFactor: 500,
    adaptiveFeeControlFactor: 4_000,
    maxVolatilityAccumulator: 350_000,
    tickGroupSize: 64,
    majorSwapThresholdTicks: 64,
  },
};
/** An account of the made pool, with one change to its bytes. */
function changed(name: string, change: (view: DataView) => void = () => undefined, spec = SPEC): Uint8Array {
  const data =
    syntheticPool(spec)
      .get(name as Address)
      ?.data.slice() ?? new Uint8Array();
  change(new DataView(data.buffer));
  return data;
}

describe("decodeWhirlpool()", () => {
  test.each<[string, (view: DataView) => void]>([
    ["marks of another account", (view) => view.setUint8(0, 0)],
    ["no tick spacing", (view) => view.setUint16(WHIRLPOOL.tickSpacing, 0, true)],
    ["a protocol fee above the fee", (view) => view.setUint16(WHIRLPOOL.protocolFeeRate, 10_001, true)],
    ["a price below the lowest", (view) => view.setBigUint64(WHIRLPOOL.sqrtPrice + 8, 0n, true)],
    ["a price above the highest", (view) => view.setBigUint64(WHIRLPOOL.sqrtPrice + 8, 1n << 33n, true)],
    ["a tick that is not its price's", (view) => view.setInt32(WHIRLPOOL.tickCurrentIndex, 65, true)],
  ])("refuses %s", (_, change) => {
    expect(decodeWhirlpool(changed(SYNTHETIC.pool)).ok).toBe(true);
    expect(decodeWhirlpool(changed(SYNTHETIC.pool, change)).ok).toBe(false);
  });

  test("takes the tick below at a tick's own price, as a swap downwards leaves it", () => {
    const below = changed(SYNTHETIC.pool, (view) => view.setInt32(WHIRLPOOL.tickCurrentIndex, 63, true));
    expect(decodeWhirlpool(below).ok).toBe(true);
  });

  test("refuses an account cut short", () => {
    expect(decodeWhirlpool(changed(SYNTHETIC.pool).subarray(0, 652)).ok).toBe(false);
  });
});

describe("decodeTickArray()", () => {
  test("refuses a first byte of a tick that is neither 0 nor 1", () => {
    const odd = (view: DataView) => view.setUint8(TICK_ARRAY.ticks + 3 * TICK_BYTES, 2);
    expect(decodeTickArray(changed("array 0", odd)).ok).toBe(false);
  });

  test("refuses a newer array whose bitmap says otherwise than its ticks", () => {
    const spec = { ...SPEC, dynamicArrays: true };
    const flip = (view: DataView) => view.setUint8(DYNAMIC_TICK_ARRAY.tickBitmap, 1);
    expect(decodeTickArray(changed("array 0", undefined, spec)).ok).toBe(true);
    expect(decodeTickArray(changed("array 0", flip, spec)).ok).toBe(false);
    expect(decodeTickArray(changed("array 0", undefined, spec).subarray(0, -1)).ok).toBe(false);
  });
});

describe("decodeOracle()", () => {
  test("reads constants and variables", () => {
    const oracle = decoded(decodeOracle(changed(SYNTHETIC.oracle)));
    expect(oracle).toMatchObject({ whirlpool: SYNTHETIC.pool, constants: { ...SPEC.adaptive } });
    expect(oracle.variables.volatilityAccumulator).toBe(0);
  });

  test.each<[string, (view: DataView) => void]>([
    ["groups of no ticks", (view) => view.setUint16(ORACLE.tickGroupSize, 0, true)],
    ["no filter period", (view) => view.setUint16(ORACLE.filterPeriod, 0, true)],
    ["a decay before the filter ends", (view) => view.setUint16(ORACLE.decayPeriod, 30, true)],
    ["a reduction to more than all", (view) => view.setUint16(ORACLE.reductionFactor, 10_000, true)],
    ["a control factor of one", (view) => view.setUint32(ORACLE.adaptiveFeeControlFactor, 100_000, true)],
    ["a volatility above the most", (view) => view.setUint32(ORACLE.volatilityAccumulator, 350_001, true)],
    ["a reference outside the ticks", (view) => view.setInt32(ORACLE.tickGroupIndexReference, 6_932, true)],
  ])("refuses %s", (_, change) => {
    expect(decodeOracle(changed(SYNTHETIC.oracle, change)).ok).toBe(false);
  });
});

test("decodeAdaptiveFeeTier() reads what its pools start with", () => {
  const data = new Uint8Array(ADAPTIVE_FEE_TIER_BYTES);
  const view = new DataView(data.buffer);
  data.set(WHIRLPOOL_DISCRIMINATOR.adaptiveFeeTier);
  view.setUint16(ADAPTIVE_FEE_TIER.feeTierIndex, 1_025, true);
  view.setUint16(ADAPTIVE_FEE_TIER.tickSpacing, 64, true);
  view.setUint16(ADAPTIVE_FEE_TIER.defaultBaseFeeRate, 3_000, true);
  view.setUint32(ADAPTIVE_FEE_TIER.adaptiveFeeControlFactor, 4_000, true);
  view.setUint16(ADAPTIVE_FEE_TIER.majorSwapThresholdTicks, 64, true);
  expect(decoded(decodeAdaptiveFeeTier(data))).toMatchObject({
    feeTierIndex: 1_025,
    tickSpacing: 64,
    defaultBaseFeeRate: 3_000,
    constants: { adaptiveFeeControlFactor: 4_000, majorSwapThresholdTicks: 64 },
  });
  expect(decodeAdaptiveFeeTier(data.subarray(1)).ok).toBe(false);
});
