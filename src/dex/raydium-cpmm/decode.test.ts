import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { type CpmmPoolState, decodeAmmConfig, decodePoolState, decodeSwapEvent, decodeTokenAmount } from "./decode.ts";
import { cpmmPoolFacts, cpmmReserve, cpmmSwaps } from "./facts.ts";
import {
  AMM_CONFIG,
  AMM_CONFIG_BYTES,
  CPMM_DISCRIMINATOR,
  POOL_STATE,
  POOL_STATE_BYTES,
  SWAP_EVENT,
  SWAP_EVENT_BYTES_MIN,
  TOKEN_ACCOUNT,
} from "./layout.ts";

function account(
  bytes: number,
  discriminator: readonly number[],
  words: Readonly<Record<number, bigint>> = {},
): Uint8Array {
  const data = Buffer.alloc(bytes);
  data.set(discriminator);
  for (const [offset, word] of Object.entries(words)) data.writeBigUInt64LE(word, Number(offset));
  return new Uint8Array(data);
}

const pool = (words: Readonly<Record<number, bigint>> = {}) =>
  account(POOL_STATE_BYTES, CPMM_DISCRIMINATOR.poolState, words);
const config = (words: Readonly<Record<number, bigint>> = {}) =>
  account(AMM_CONFIG_BYTES, CPMM_DISCRIMINATOR.ammConfig, words);

function stateOf(data: Uint8Array): CpmmPoolState {
  const state = decodePoolState(data);
  if (!state.ok) throw state.error;
  return state.value;
}

describe("decodePoolState()", () => {
  test("adds up what protocol, fund and creator are owed, per side", () => {
    const state = stateOf(
      pool({
        [POOL_STATE.protocolFeesToken0]: 1n,
        [POOL_STATE.fundFeesToken0]: 20n,
        [POOL_STATE.creatorFeesToken0]: 300n,
        [POOL_STATE.protocolFeesToken1]: 4n,
        [POOL_STATE.fundFeesToken1]: 50n,
        [POOL_STATE.creatorFeesToken1]: 600n,
      }),
    );
    expect(state.feesOwed).toEqual([321n, 654n]);
    expect(cpmmReserve(state, 0, 1_000n)).toBe(679n);
    expect(cpmmReserve(state, 1, 1_000n)).toBe(346n);
  });

  test("knows that a pool of an older build pays no creator", () => {
    expect(stateOf(pool()).creatorFeeOn).toBeUndefined();
  });

  test.each([
    ["one byte less", pool().subarray(1)],
    ["one byte more", account(POOL_STATE_BYTES + 1, CPMM_DISCRIMINATOR.poolState)],
    ["the marks of another account", account(POOL_STATE_BYTES, CPMM_DISCRIMINATOR.ammConfig)],
    ["nothing", new Uint8Array()],
  ])("refuses %s", (_, data) => {
    expect(decodePoolState(data).ok).toBe(false);
  });
});

test("cpmmReserve() is 0 when the vault holds less than is owed", () => {
  expect(cpmmReserve(stateOf(pool({ [POOL_STATE.fundFeesToken0]: 11n })), 0, 10n)).toBe(0n);
});

test("cpmmSwaps() knows closed pools and those that open later", () => {
  const statusOf = (status: number) => {
    const data = pool();
    data[POOL_STATE.status] = status;
    return stateOf(data);
  };
  expect([0, 3, 4, 7].map((status) => cpmmSwaps(statusOf(status), 100))).toEqual([true, true, false, false]);
  const later = stateOf(pool({ [POOL_STATE.openTime]: 101n }));
  expect([cpmmSwaps(later, 100.9), cpmmSwaps(later, 101)]).toEqual([false, true]);
});

describe("cpmmPoolFacts()", () => {
  const rates = decodeAmmConfig(config({ [AMM_CONFIG.tradeFeeRate]: 2_500n, [AMM_CONFIG.creatorFeeRate]: 500n }));
  const factsOf = (enabled: number, feeOn: number) => {
    const data = pool();
    data[POOL_STATE.enableCreatorFee] = enabled;
    data[POOL_STATE.creatorFeeOn] = feeOn;
    if (!rates.ok) throw rates.error;
    return cpmmPoolFacts("pool" as Address, stateOf(data), rates.value, "authority" as Address);
  };

  test.each([
    ["without creator fees", 0, 0, 2_500],
    ["with fields that are not switched on", 0, 2, 2_500],
    ["with a creator fee on the input", 1, 0, 3_000],
  ])("takes the whole input fee of a pool %s", (_, enabled, feeOn, fee) => {
    const facts = factsOf(enabled, feeOn);
    expect(facts.ok && [facts.value.feeNumerator, facts.value.feeDenominator]).toEqual([fee, 1_000_000]);
  });

  test.each([1, 2])("refuses a creator fee on one token (%i), which would be taken from the output too", (feeOn) => {
    expect(factsOf(1, feeOn).ok).toBe(false);
  });

  test("refuses a fee that takes all", () => {
    const all = decodeAmmConfig(config({ [AMM_CONFIG.tradeFeeRate]: 1_000_000n }));
    if (!all.ok) throw all.error;
    expect(cpmmPoolFacts("pool" as Address, stateOf(pool()), all.value, "authority" as Address).ok).toBe(false);
  });
});

test("decodeSwapEvent() reads both the short and the long form", () => {
  const words = {
    [SWAP_EVENT.inputVaultBefore]: 1n,
    [SWAP_EVENT.outputVaultBefore]: 2n,
    [SWAP_EVENT.inputAmount]: 3n,
    [SWAP_EVENT.outputAmount]: 4n,
  };
  for (const bytes of [SWAP_EVENT_BYTES_MIN, SWAP_EVENT_BYTES_MIN + 81]) {
    const event = decodeSwapEvent(account(bytes, CPMM_DISCRIMINATOR.swapEvent, words));
    expect(event.ok && event.value).toMatchObject({
      reserveInBefore: 1n,
      reserveOutBefore: 2n,
      amountIn: 3n,
      amountOut: 4n,
    });
  }
  expect(decodeSwapEvent(account(SWAP_EVENT_BYTES_MIN - 1, CPMM_DISCRIMINATOR.swapEvent)).ok).toBe(false);
});

test("decodeTokenAmount() refuses an account that was never initialised", () => {
  const data = account(165, [], { [TOKEN_ACCOUNT.amount]: 7n });
  expect(decodeTokenAmount(data).ok).toBe(false);
  data[TOKEN_ACCOUNT.state] = 1;
  expect(decodeTokenAmount(data)).toEqual({ ok: true, value: 7n });
});
