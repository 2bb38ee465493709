/** Swaps on pairs made for the purpose: paths that the recorded executions do not take. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { SwapOrder } from "#dex/venue.ts";
import type { DlmmState } from "./state.ts";
import { SYNTHETIC, SYNTHETIC_TIME, type SyntheticPair, syntheticPair } from "./synthetic-pair.ts";
import { meteoraDlmmVenue } from "./venue.ts";

const BINS = { 0: { x: 1_000_000n, y: 1_000_000n }, 1: { x: 1_000_000n }, [-1]: { y: 1_000_000n } };

function load(spec: SyntheticPair): DlmmState {
  const state = meteoraDlmmVenue.load(SYNTHETIC.pair, syntheticPair(spec));
  if (!state.ok) throw state.error;
  return state.value;
}

const swap = (state: DlmmState, inputSide: 0 | 1, mode: SwapOrder["mode"], amount: bigint) =>
  meteoraDlmmVenue.swap(state, { inputSide, mode, amount }, SYNTHETIC_TIME);

function filled(state: DlmmState, inputSide: 0 | 1, mode: SwapOrder["mode"], amount: bigint) {
  const fill = swap(state, inputSide, mode, amount);
  if (!fill.ok) throw new Error(`was refused: ${fill.error.name}`);
  return fill.value;
}

const refusalOf = (spec: SyntheticPair, inputSide: 0 | 1, amount: bigint, mode: SwapOrder["mode"] = "exact-in") => {
  const fill = swap(load(spec), inputSide, mode, amount);
  return fill.ok ? undefined : fill.error.name;
};

describe("swap()", () => {
  test("takes its fee of the input and leaves the protocol's part apart", () => {
    const { amountOut, after } = filled(load({ bins: BINS }), 0, "exact-in", 100_000n);
    expect(amountOut).toBe(99_900n);
    expect(after.protocolFees).toEqual([10n, 0n]);
    expect(after.activeId).toBe(0);
    expect(after.lastUpdateTimestamp).toBe(0n);
  });

  test("takes fees of Y only where the pair says so", () => {
    const state = load({ bins: BINS, fields: { collectFeeMode: 1 } });
    expect(filled(state, 0, "exact-in", 100_000n)).toMatchObject({ amountOut: 99_900n });
    expect(filled(state, 0, "exact-in", 100_000n).after.protocolFees).toEqual([0n, 10n]);
    expect(filled(state, 1, "exact-in", 100_000n).after.protocolFees).toEqual([0n, 10n]);
  });

  test("goes on in the next bin, and says when", () => {
    const { after } = filled(load({ bins: BINS }), 1, "exact-in", 1_500_000n);
    expect(after.activeId).toBe(1);
    expect(after.volatilityAccumulator).toBe(0);
    expect(after.lastUpdateTimestamp).toBe(SYNTHETIC_TIME.unixSeconds);
  });

  test("jumps over bin arrays that the bitmap does not hold", () => {
    const far = { ...BINS, 700: { x: 1_000_000n }, [-700]: { y: 1_000_000n } };
    expect(filled(load({ bins: far }), 1, "exact-in", 2_100_000n).after.activeId).toBe(700);
    expect(filled(load({ bins: far }), 0, "exact-in", 2_100_000n).after.activeId).toBe(-700);
  });

  test("leaves the pair's own bitmap by its extension only", () => {
    const beyond = { ...BINS, [40_000]: { x: 1_000n }, [-40_000]: { y: 1_000n } };
    const spec = { bins: beyond, binStep: 1 };
    expect(refusalOf(spec, 1, 10_000_000n)).toBe("BitmapExtensionAccountIsNotProvided");
    expect(filled(load({ ...spec, withExtension: true }), 1, "exact-in", 2_030_000n).after.activeId).toBe(40_000);
    expect(filled(load({ ...spec, withExtension: true }), 0, "exact-in", 2_030_000n).after.activeId).toBe(-40_000);
    expect(refusalOf({ ...spec, withExtension: true }, 1, 10_000_000n)).toBe("CannotFindNonZeroLiquidityBinArrayId");
  });

  test("fills limit orders after market makers, those under way first", () => {
    const bins = { 0: { x: 1_000n, openOrders: 5_000n, processedOrders: 2_000n, ordersAsk: true } };
    const { amountOut, after } = filled(load({ bins }), 1, "exact-in", 4_004n);
    expect(amountOut).toBe(3_999n);
    expect(after.arrays[0]?.bins[0]).toMatchObject({
      amountX: 0n,
      amountY: 1_000n,
      processedOrderRemainingAmount: 4_001n,
      openOrderAmount: 0n,
    });
    expect(filled(load({ bins }), 1, "exact-in", 2_000n).after.arrays[0]?.bins[0]).toMatchObject({
      processedOrderRemainingAmount: 1_002n,
      openOrderAmount: 5_000n,
    });
  });

  test("passes over limit orders of the other side and of pairs that farm", () => {
    const bins = { 0: { x: 1_000n, openOrders: 5_000n, ordersAsk: false } };
    expect(refusalOf({ bins }, 1, 4_000n)).toBe("BitmapExtensionAccountIsNotProvided");
    const ask = { 0: { x: 1_000n, openOrders: 5_000n, ordersAsk: true } };
    expect(refusalOf({ bins: ask, fields: { functionType: 1 } }, 1, 4_000n)).toBe(
      "BitmapExtensionAccountIsNotProvided",
    );
  });

  test("reckons with what Token-2022 keeps, on the way in and on the way out", () => {
    const state = load({ bins: BINS, transferFeeX: 100 });
    const sold = filled(state, 0, "exact-in", 100_000n);
    expect(sold).toMatchObject({ amountIn: 100_000n, amountOut: 98_901n });
    expect(sold.after.reserves[0]).toBe(10n ** 18n + 99_000n);
    expect(filled(state, 1, "exact-out", 50_000n)).toMatchObject({ amountOut: 50_000n, amountIn: 50_557n });
    expect(filled(state, 1, "exact-out", 50_000n).after.reserves[0]).toBe(10n ** 18n - 50_506n);
  });

  test.each<[string, SyntheticPair, SwapOrder["mode"], bigint]>([
    ["InvalidInput", { bins: BINS }, "exact-in", 0n],
    ["InsufficientOutAmount", { bins: BINS }, "exact-out", 0n],
    ["InsufficientOutAmount", { bins: BINS }, "exact-in", 1n],
    ["PoolDisabled", { bins: BINS, fields: { status: 1 } }, "exact-in", 9n],
    ["PoolDisabled", { bins: BINS, fields: { pairType: 2, activationPoint: 1_001 } }, "exact-in", 9n],
    [
      "PoolDisabled",
      { bins: BINS, fields: { pairType: 1, activationType: 1, activationPoint: 2_000_001 } },
      "exact-in",
      9n,
    ],
    ["InvalidActivationType", { bins: BINS, fields: { pairType: 1, activationType: 2 } }, "exact-in", 9n],
    ["InvalidPoolType", { bins: BINS, fields: { pairType: 4 } }, "exact-in", 9n],
    ["InvalidCollectFeeMode", { bins: BINS, fields: { collectFeeMode: 2 } }, "exact-in", 9n],
    ["TypeCastFailed", { bins: BINS, fields: { functionType: 3 } }, "exact-in", 9n],
    ["ProgramFailedToComplete", { bins: BINS, fields: { baseFeePowerFactor: 39 } }, "exact-in", 9n],
    ["MathOverflow", { bins: BINS, fields: { baseFeePowerFactor: 38 } }, "exact-in", 9n],
    ["PairInsufficientLiquidity", { bins: BINS, fields: { minBinId: 0 } }, "exact-in", 1_100_000n],
    ["BitmapExtensionAccountIsNotProvided", { bins: BINS }, "exact-out", 9_000_000n],
  ])("refuses with %s", (name, spec, mode, amount) => {
    expect(refusalOf(spec, 0, amount, mode)).toBe(name);
  });

  test("opens at its activation point", () => {
    expect(refusalOf({ bins: BINS, fields: { pairType: 2, activationPoint: 1_000 } }, 0, 9n)).toBeUndefined();
    const byTime = { pairType: 1, activationType: 1, activationPoint: 2_000_000 };
    expect(refusalOf({ bins: BINS, fields: byTime }, 0, 9n)).toBeUndefined();
  });

  test("refuses where the reserve holds less than the bins, or a live array is not at hand", () => {
    const accounts = syntheticPair({ bins: { ...BINS, 100: { x: 1n } } });
    const reserve = accounts.get(SYNTHETIC.reserves[1]);
    const empty = reserve && { ...reserve, data: reserve.data.with(71, 0).fill(0, 64, 72) };
    if (empty !== undefined) accounts.set(SYNTHETIC.reserves[1], empty);
    for (const [address, { data }] of accounts) if (data.length === 10_136 && data[8] === 1) accounts.delete(address);
    const state = meteoraDlmmVenue.load(SYNTHETIC.pair, accounts);
    if (!state.ok) throw state.error;
    const names = [swap(state.value, 0, "exact-in", 900n), swap(state.value, 1, "exact-in", 9_000_000n)];
    expect(names.map((fill) => !fill.ok && fill.error.name)).toEqual(["InsufficientFunds", "AccountNotEnoughKeys"]);
  });

  test("never pays more for an exact output than the input it names buys", () => {
    const state = load({ bins: BINS, fields: { variableFeeControl: 50_000, maxVolatilityAccumulator: 300_000 } });
    fc.assert(
      fc.property(fc.bigInt(1n, 1_900_000n), fc.constantFrom(0, 1), (amount, side) => {
        const exact = swap(state, side as 0 | 1, "exact-out", amount);
        if (!exact.ok) return;
        const { amountOut } = filled(state, side as 0 | 1, "exact-in", exact.value.amountIn);
        expect(amountOut).toBeGreaterThanOrEqual(amount);
      }),
    );
  });

  test("leaves the state that it started from as it was", () => {
    const state = load({ bins: BINS });
    const before = structuredClone(state);
    filled(state, 1, "exact-in", 1_500_000n);
    expect(state).toEqual(before);
  });
});
