import { describe, expect, test } from "bun:test";
import { DEX_ERROR } from "#dex/errors.ts";
import type { SwapOrder } from "#dex/venue.ts";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_INDEX_MAX } from "./limits.ts";
import type { WhirlpoolState } from "./load.ts";
import { SYNTHETIC, type SyntheticSpec, syntheticPool } from "./synthetic-pool.ts";
import { orcaWhirlpoolVenue } from "./venue.ts";

const TIME = { slot: 300_000_000n, epoch: 694n, unixSeconds: 1_734_000_000n };
const SPEC: SyntheticSpec = {
  tickSpacing: 64,
  tick: 64,
  positions: [
    { lower: -443_584, upper: 443_584, liquidity: 10n ** 12n },
    { lower: -640, upper: 1_280, liquidity: 10n ** 13n },
    { lower: -64_000, upper: 45_056, liquidity: 10n ** 9n },
  ],
};
const ADAPTIVE = {
  filterPeriod: 30,
  decayPeriod: 600,
  reductionFactor: 500,
  adaptiveFeeControlFactor: 4_000,
  maxVolatilityAccumulator: 350_000,
  tickGroupSize: 64,
  majorSwapThresholdTicks: 64,
};
/** A pool of full range only. */
const SPLASH: SyntheticSpec = {
  tickSpacing: 32_896,
  tick: 0,
  positions: [{ lower: -427_648, upper: 427_648, liquidity: 10n ** 9n }],
};

function poolOf(spec: SyntheticSpec): WhirlpoolState {
  const state = orcaWhirlpoolVenue.load(SYNTHETIC.pool, syntheticPool(spec));
  if (!state.ok) throw state.error;
  return state.value;
}

function order(inputSide: 0 | 1, mode: SwapOrder["mode"], amount: bigint): SwapOrder {
  return { inputSide, mode, amount };
}

function fill(state: WhirlpoolState, wanted: SwapOrder, unixSeconds = TIME.unixSeconds) {
  const done = orcaWhirlpoolVenue.swap(state, wanted, { ...TIME, unixSeconds });
  if (!done.ok) throw new Error(`was refused: ${done.error.custom} ${done.error.name}`);
  return done.value;
}

const amountsOf = ({ amountIn, amountOut }: { amountIn: bigint; amountOut: bigint }) => [amountIn, amountOut];
const refusalOf = (state: WhirlpoolState, wanted: SwapOrder, time = TIME) => {
  const done = orcaWhirlpoolVenue.swap(state, wanted, time);
  return done.ok ? undefined : [done.error.custom, done.error.name];
};

describe("swap()", () => {
  test("goes the same way through both layouts of tick arrays", () => {
    const fixed = fill(poolOf(SPEC), order(0, "exact-in", 900_000_000_000n));
    const dynamic = fill(poolOf({ ...SPEC, dynamicArrays: true }), order(0, "exact-in", 900_000_000_000n));
    expect(amountsOf(dynamic)).toEqual(amountsOf(fixed));
    expect(dynamic.after.tickArrays).toEqual(fixed.after.tickArrays);
    expect(fixed.after.whirlpool.tickCurrentIndex).toBeLessThan(-640);
  });

  test("turns over what has grown outside of a crossed tick, in the state after only", () => {
    const state = poolOf(SPEC);
    const { after } = fill(state, order(1, "exact-in", 900_000_000_000n));
    const tickAt1280 = (pool: WhirlpoolState) => pool.tickArrays.get(0)?.ticks[20];
    expect(tickAt1280(state)?.feeGrowthOutsideB).toBe(0n);
    expect(tickAt1280(after)?.feeGrowthOutsideB).toBeGreaterThan(0n);
    expect(after.whirlpool.liquidity).toBe(10n ** 12n + 10n ** 9n);
    expect(after.tickArrays.get(-5_632)).toBe(state.tickArrays.get(-5_632));
  });

  test("takes what it gave back, less fees", () => {
    const there = fill(poolOf(SPEC), order(0, "exact-in", 500_000_000_000n));
    const back = fill(there.after, order(1, "exact-in", there.amountOut));
    expect(back.amountOut).toBeLessThan(500_000_000_000n);
    expect(back.amountOut).toBeGreaterThan(496_000_000_000n);
  });

  test.each([0, 1] as const)("fills in part to the end of all prices, side %i in", (side) => {
    const inPart = fill(poolOf(SPLASH), order(side, "exact-in", 10n ** 19n));
    expect(inPart.amountIn).toBeLessThan(10n ** 19n);
    expect(inPart.after.whirlpool.sqrtPrice).toBe(side === 0 ? SQRT_PRICE_MIN : SQRT_PRICE_MAX);
    expect(inPart.after.whirlpool.liquidity).toBe(0n);
    const outInPart = fill(poolOf(SPLASH), order(side, "exact-out", 10n ** 18n));
    expect(outInPart.amountOut).toBe(999_999_999n);
    expect(outInPart.amountIn).toBe(inPart.amountIn);
  });

  test("refuses by the program's numbers", () => {
    const state = poolOf(SPEC);
    expect(refusalOf(state, order(0, "exact-in", 0n))).toEqual([6035, "ZeroTradableAmount"]);
    // Three arrays of spacing 64 end long before the liquidity does.
    expect(refusalOf(state, order(0, "exact-in", 10n ** 18n))).toEqual([6038, "TickArraySequenceInvalidIndex"]);
    expect(refusalOf(poolOf({ ...SPEC, vaultAmount: 99n }), order(1, "exact-out", 100n))).toEqual([
      1,
      "InsufficientFunds",
    ]);
    const { after } = fill(state, order(0, "exact-in", 1_000n));
    expect(refusalOf(after, order(0, "exact-in", 1_000n), { ...TIME, unixSeconds: TIME.unixSeconds - 1n })).toEqual([
      6022,
      "InvalidTimestamp",
    ]);
    const atTheEnd = poolOf({ ...SPLASH, tick: TICK_INDEX_MAX });
    expect(refusalOf(atTheEnd, order(1, "exact-in", 1n))).toEqual([6034, "InvalidSqrtPriceLimitDirection"]);
  });
});

describe("swap() with transfer fees", () => {
  const fee = { basisPoints: 100, maximum: 5_000n };

  test("keeps the input's fee before the curve and the output's after it", () => {
    const plain = fill(poolOf(SPEC), order(0, "exact-in", 99_000n));
    const onInput = fill(poolOf({ ...SPEC, transferFees: [fee, undefined] }), order(0, "exact-in", 100_000n));
    expect(amountsOf(onInput)).toEqual([100_000n, plain.amountOut]);
    expect(onInput.after.vaultAmounts).toEqual(plain.after.vaultAmounts);
    const onOutput = fill(poolOf({ ...SPEC, transferFees: [undefined, fee] }), order(0, "exact-in", 99_000n));
    expect(onOutput.amountOut).toBe(plain.amountOut - (plain.amountOut + 99n) / 100n);
    expect(onOutput.after.vaultAmounts).toEqual(plain.after.vaultAmounts);
  });

  test("asks for more so that an exact output arrives", () => {
    const plain = fill(poolOf(SPEC), order(0, "exact-out", 100_000n));
    const onOutput = fill(poolOf({ ...SPEC, transferFees: [undefined, fee] }), order(0, "exact-out", 99_000n));
    expect(amountsOf(onOutput)).toEqual([plain.amountIn, 99_000n]);
    const onInput = fill(poolOf({ ...SPEC, transferFees: [fee, undefined] }), order(0, "exact-out", 100_000n));
    expect(onInput.amountIn - (onInput.amountIn + 99n) / 100n).toBe(plain.amountIn);
  });

  test("stops at the fee's maximum, and adds it to a part that was taken", () => {
    const capped = fill(poolOf({ ...SPEC, transferFees: [fee, undefined] }), order(0, "exact-in", 1_005_000n));
    expect(capped.amountOut).toBe(fill(poolOf(SPEC), order(0, "exact-in", 1_000_000n)).amountOut);
    const part = fill(poolOf(SPLASH), order(0, "exact-in", 10n ** 19n));
    const partWithFee = fill(poolOf({ ...SPLASH, transferFees: [fee, undefined] }), order(0, "exact-in", 10n ** 19n));
    expect(partWithFee.amountIn).toBe(part.amountIn + 5_000n);
  });

  test("refuses what no fee can be added to", () => {
    const state = poolOf({ ...SPEC, transferFees: [undefined, { basisPoints: 5_000, maximum: 2n ** 63n }] });
    expect(refusalOf(state, order(0, "exact-out", 2n ** 63n + 1n))).toEqual([6052, "TransferFeeCalculationError"]);
  });
});

// Amounts by Orca's own whirlpools-core 3.1.0 (its wasm), given the states that these swaps follow from one another.
describe("swap() with an adaptive fee", () => {
  test.each([
    [64, [99_364_580_039n, 429_207_575_892n, 272_816_110_165n, 755_907_302_682n, 911_608_635n]],
    [16, [99_386_609_157n, 439_744_357_447n, 255_676_077_069n, 770_841_648_151n, 911_765_821n]],
  ])("follows the volatility in groups of %i ticks", (tickGroupSize, expected) => {
    let state = poolOf({ ...SPEC, adaptive: { ...ADAPTIVE, tickGroupSize } });
    const swaps = [
      [0n, order(0, "exact-in", 100_000_000_000n)],
      [10n, order(0, "exact-in", 500_000_000_000n)],
      [30n, order(1, "exact-out", 300_000_000_000n)],
      [130n, order(1, "exact-in", 800_000_000_000n)],
      [5_130n, order(0, "exact-out", 1_000_000_000n)],
    ] as const;
    const found = swaps.map(([seconds, wanted]) => {
      const done = fill(state, wanted, TIME.unixSeconds + seconds);
      state = done.after;
      return wanted.mode === "exact-in" ? done.amountOut : done.amountIn;
    });
    expect(found).toEqual([...expected]);
  });

  test("is the static fee where nothing controls it", () => {
    const still = poolOf({ ...SPEC, adaptive: { ...ADAPTIVE, adaptiveFeeControlFactor: 0 } });
    const wanted = order(0, "exact-in", 900_000_000_000n);
    expect(amountsOf(fill(still, wanted))).toEqual(amountsOf(fill(poolOf(SPEC), wanted)));
  });

  test("remembers volatility, its reference and the last major swap", () => {
    const { after } = fill(poolOf({ ...SPEC, adaptive: ADAPTIVE }), order(0, "exact-in", 100_000_000_000n));
    expect(after.oracle?.variables).toEqual({
      lastReferenceUpdateTimestamp: TIME.unixSeconds,
      lastMajorSwapTimestamp: TIME.unixSeconds,
      volatilityReference: 0,
      tickGroupIndexReference: 1,
      volatilityAccumulator: 30_000,
    });
    const past = { ...TIME, unixSeconds: TIME.unixSeconds - 1n };
    expect(refusalOf(after, order(0, "exact-in", 1n), past)).toEqual([6022, "InvalidTimestamp"]);
  });

  // Two cases of the program's own tests (`manager/swap_manager.rs`), from tick 0 and from the same price with tick -1.
  test("counts the groups that the price crossed, from the tick it began in", () => {
    const begun = poolOf({
      ...SPEC,
      tick: 0,
      positions: [
        { lower: -2_816, upper: 2_816, liquidity: 1_000_000n },
        { lower: 0, upper: 1_408, liquidity: 500_000n },
      ],
      feeRate: 1_000,
      protocolFeeRate: 100,
      adaptive: { ...ADAPTIVE, adaptiveFeeControlFactor: 0 },
    });
    const shifted = { ...begun, whirlpool: { ...begun.whirlpool, tickCurrentIndex: -1, liquidity: 1_000_000n } };
    const variablesAfter = (state: WhirlpoolState) =>
      fill(state, order(1, "exact-in", 150_000n), 1_000_000n).after.oracle?.variables;
    const times = { lastReferenceUpdateTimestamp: 1_000_000n, lastMajorSwapTimestamp: 1_000_000n };
    const fromZero = { ...times, volatilityReference: 0, tickGroupIndexReference: 0, volatilityAccumulator: 330_000 };
    expect(variablesAfter(begun)).toEqual(fromZero);
    expect(variablesAfter(shifted)).toEqual({
      ...fromZero,
      tickGroupIndexReference: -1,
      volatilityAccumulator: 340_000,
    });
  });

  test("gives up where no compute budget would reach", () => {
    const fine = { ...ADAPTIVE, tickGroupSize: 1, maxVolatilityAccumulator: 0xffff_ffff };
    const state = poolOf({ ...SPEC, adaptive: fine });
    expect(refusalOf(state, order(0, "exact-in", 900_000_000_000n))).toEqual([0, "ComputationalBudgetExceeded"]);
    expect(refusalOf(state, order(0, "exact-in", 1_000_000_000n))).toBeUndefined();
  });

  test("waits for the pool to open", () => {
    const closed = poolOf({ ...SPEC, adaptive: ADAPTIVE, tradeEnableTimestamp: TIME.unixSeconds + 1n });
    expect(refusalOf(closed, order(0, "exact-in", 1n))).toEqual([6064, "TradeIsNotEnabled"]);
    expect(
      refusalOf(closed, order(0, "exact-in", 1n), { ...TIME, unixSeconds: TIME.unixSeconds + 1n }),
    ).toBeUndefined();
  });
});

describe("load()", () => {
  const accounts = () => syntheticPool({ ...SPEC, adaptive: ADAPTIVE, transferFees: [undefined, TAKES_NOTHING] });
  const TAKES_NOTHING = { basisPoints: 0, maximum: 0n };

  test("counts tick arrays that are not there as empty", () => {
    const set = syntheticPool(SPEC);
    for (const name of set.keys()) if (name.startsWith("array")) set.delete(name);
    const state = orcaWhirlpoolVenue.load(SYNTHETIC.pool, set);
    expect(state.ok && state.value.tickArrays.size).toBe(0);
  });

  test.each([
    ["its pool", SYNTHETIC.pool],
    ["a vault", SYNTHETIC.vaults[0]],
    ["a mint of Token-2022", SYNTHETIC.mints[1]],
    ["the oracle of a pool whose fee adapts", SYNTHETIC.oracle],
  ])("refuses a set without %s", (_, missing) => {
    const set = accounts();
    set.delete(missing);
    const state = orcaWhirlpoolVenue.load(SYNTHETIC.pool, set);
    expect(!state.ok && state.error.code).toBe(DEX_ERROR.account);
    expect(orcaWhirlpoolVenue.load(SYNTHETIC.pool, accounts()).ok).toBe(true);
  });

  test("refuses a mint with a transfer hook as unsupported, unless the hook is off", () => {
    const withHook = (program: number) => {
      const mint = new Uint8Array(278 + 68);
      mint.set(accounts().get(SYNTHETIC.mints[1])?.data ?? []);
      mint.set([14, 0, 64, 0], 278);
      mint.fill(program, 278 + 4 + 32);
      const set = accounts();
      const [mintAddress, owner] = [SYNTHETIC.mints[1], set.get(SYNTHETIC.mints[1])?.owner ?? SYNTHETIC.pool];
      return orcaWhirlpoolVenue.load(SYNTHETIC.pool, set.set(mintAddress, { owner, data: mint }));
    };
    const hooked = withHook(7);
    expect(!hooked.ok && hooked.error.code).toBe(DEX_ERROR.unsupported);
    expect(withHook(0).ok).toBe(true);
  });
});
