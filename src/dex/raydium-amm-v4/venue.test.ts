import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { decodeAmmInfo } from "./decode.ts";
import { AMM_INFO, AMM_INFO_BYTES } from "./layout.ts";
import { type AmmV4State, raydiumAmmV4Venue } from "./venue.ts";

const address = "address" as Address;
const TIME = { slot: 0n, epoch: 0n, unixSeconds: 100n };

function stateOf(more: Partial<AmmV4State> = {}): AmmV4State {
  return {
    status: 6n,
    openTime: 0n,
    decimals: [9, 6],
    vaults: [address, address],
    mints: [address, address],
    feeNumerator: 25n,
    feeDenominator: 10_000n,
    needTakePnl: [100n, 200n],
    vaultAmounts: [1_000_100n, 2_000_200n],
    ...more,
  };
}

const swap = (state: AmmV4State, inputSide: 0 | 1, mode: "exact-in" | "exact-out", amount: bigint) =>
  raydiumAmmV4Venue.swap(state, { inputSide, mode, amount }, TIME);

test("raydiumAmmV4Venue.swap() prices on the vaults less the profit set aside, and moves the vaults", () => {
  const filled = swap(stateOf(), 0, "exact-in", 10_000n);
  if (!filled.ok) throw new Error(filled.error.name);
  const out = (9_975n * 2_000_000n) / 1_009_975n;
  expect(filled.value.amountOut).toBe(out);
  expect(raydiumAmmV4Venue.figures(filled.value.after)).toEqual({
    vault_coin: 1_010_100n,
    vault_pc: 2_000_200n - out,
    need_take_pnl_coin: 100n,
    need_take_pnl_pc: 200n,
  });
});

test("raydiumAmmV4Venue.swap() opens a waiting pool with its first swap", () => {
  const filled = swap(stateOf({ status: 7n, openTime: 100n }), 1, "exact-out", 5n);
  expect(filled.ok && filled.value.after.status).toBe(6n);
});

describe("raydiumAmmV4Venue.swap() refuses", () => {
  test.each([
    ["a pool that is disabled", stateOf({ status: 2n }), 22],
    ["a status that is none", stateOf({ status: 99n }), 22],
    ["a pool that opens later", stateOf({ status: 7n, openTime: 101n }), 22],
    ["a vault below the profit set aside", stateOf({ needTakePnl: [2_000_000n, 0n] }), 32],
    ["a fee of nothing over nothing", stateOf({ feeDenominator: 0n }), 0],
    ["a fee above the whole", stateOf({ feeNumerator: 20_000n }), 0],
  ])("%s", (_, state, custom) => {
    const answer = swap(state, 0, "exact-in", 10_000n);
    expect(answer.ok ? "filled" : answer.error.custom).toBe(custom);
  });

  test.each([
    ["nothing in", "exact-in", 0n, 29],
    ["too little to give a unit", "exact-in", 1n, 29],
    ["nothing out", "exact-out", 0n, 29],
    ["all of the reserve", "exact-out", 2_000_000n, 0],
    ["more than a u64 in", "exact-in", 1n << 64n, 0],
  ] as const)("%s", (_, mode, amount, custom) => {
    const answer = swap(stateOf(), 0, mode, amount);
    expect(answer.ok ? "filled" : answer.error.custom).toBe(custom);
  });
});

describe("decodeAmmInfo()", () => {
  test("reads each field at its place", () => {
    const data = new Uint8Array(AMM_INFO_BYTES);
    const view = new DataView(data.buffer);
    const words = Object.entries({
      status: 6n,
      coinDecimals: 9n,
      pcDecimals: 6n,
      swapFeeNumerator: 25n,
      swapFeeDenominator: 10_000n,
      needTakePnlCoin: 7n,
      needTakePnlPc: 8n,
      poolOpenTime: 9n,
    }) as [keyof typeof AMM_INFO, bigint][];
    for (const [name, value] of words) view.setBigUint64(AMM_INFO[name], value, true);
    const info = decodeAmmInfo(data);
    expect(info.ok && info.value).toMatchObject({
      status: 6n,
      openTime: 9n,
      decimals: [9, 6],
      feeNumerator: 25n,
      feeDenominator: 10_000n,
      needTakePnl: [7n, 8n],
    });
  });

  test("refuses any other size", () => {
    expect(decodeAmmInfo(new Uint8Array(AMM_INFO_BYTES - 1)).ok).toBe(false);
    expect(decodeAmmInfo(new Uint8Array(AMM_INFO_BYTES + 1)).ok).toBe(false);
  });
});
