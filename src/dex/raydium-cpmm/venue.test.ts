/** CP-Swap swaps: creator fees in every mode by hand, and mainnet's simulations with transfer fees on both tokens. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Address } from "#core/units.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import type { AccountSet, SwapOrder } from "#dex/venue.ts";
import { type CpmmRates, tradeBaseInput, tradeBaseOutput } from "./curve.ts";
import { type CpmmState, raydiumCpmmVenue } from "./venue.ts";

const SIMULATIONS = join(SHARED_DATA, "sol-trade-sdk-fixtures/cpmm_swap_after_collection_mainnet.json");
const there = existsSync(SIMULATIONS);
if (!there) console.warn(`SKIPPED: mainnet's simulations of CP-Swap: not found at ${SIMULATIONS}`);

const RATES: CpmmRates = {
  tradeFeeRate: 2_500n,
  creatorFeeRate: 500n,
  protocolFeeRate: 120_000n,
  fundFeeRate: 40_000n,
  creatorFeeOnInput: true,
};
const TIME = { slot: 0n, epoch: 0n, unixSeconds: 100n };

function stateOf(pool: Partial<CpmmState["pool"]> = {}, more: Partial<CpmmState> = {}): CpmmState {
  const address = "address" as Address;
  return {
    pool: {
      ammConfig: address,
      vaults: [address, address],
      mints: [address, address],
      tokenPrograms: [address, address],
      observationState: address,
      decimals: [9, 6],
      status: 0,
      openTime: 100n,
      protocolFees: [10n, 20n],
      fundFees: [1n, 2n],
      creatorFees: [3n, 4n],
      feesOwed: [14n, 26n],
      creatorFeeMode: 0,
      creatorFeeOn: 0,
      ...pool,
    },
    config: { tradeFeeRate: 2_500n, creatorFeeRate: 500n, protocolFeeRate: 120_000n, fundFeeRate: 40_000n },
    transferFees: [undefined, undefined],
    vaultAmounts: [1_000_014n, 2_000_026n],
    ...more,
  };
}

const order = (inputSide: 0 | 1, mode: SwapOrder["mode"], amount: bigint): SwapOrder => ({ inputSide, mode, amount });

function figuresAfter(state: CpmmState, swap: SwapOrder) {
  const filled = raydiumCpmmVenue.swap(state, swap, TIME);
  if (!filled.ok) throw new Error(filled.error.name);
  return { ...filled.value, figures: raydiumCpmmVenue.figures(filled.value.after) };
}

describe("raydiumCpmmVenue.swap()", () => {
  test("takes the creator's fee from the input and books it there", () => {
    // 10,000 in: ⌈10000 · 3000 / 10^6⌉ = 30 of fees, 5 of them the creator's, 3 the protocol's, 1 the fund's.
    const { amountOut, figures } = figuresAfter(stateOf(), order(0, "exact-in", 10_000n));
    expect(amountOut).toBe((9_970n * 2_000_000n) / 1_009_970n);
    expect(figures).toMatchObject({ vault_0: 1_010_014n, protocol_fees_0: 13n, fund_fees_0: 2n, creator_fees_0: 8n });
  });

  test.each([
    ["token 1 on a swap of token 0", 2, 0, "creator_fees_1", 4n] as const,
    ["token 0 on a swap of token 1", 1, 1, "creator_fees_0", 3n] as const,
  ])("takes a fee that is fixed on %s from the output", (_, mode, side, figure, before) => {
    const state = stateOf({ creatorFeeMode: mode, creatorFeeOn: mode });
    const [reserveIn, reserveOut] = side === 0 ? [1_000_000n, 2_000_000n] : [2_000_000n, 1_000_000n];
    const swapped = (9_975n * reserveOut) / (reserveIn + 9_975n);
    const fee = (swapped * 500n + 999_999n) / 1_000_000n;
    const { amountOut, figures } = figuresAfter(state, order(side, "exact-in", 10_000n));
    expect(amountOut).toBe(swapped - fee);
    expect(figures[figure]).toBe(before + fee);
  });

  test.each([
    ["swaps are forbidden", stateOf({ status: 4 }), 6000],
    ["the pool opens later", stateOf({ openTime: 101n }), 6000],
    ["the fee's mode is unknown", stateOf({ creatorFeeMode: 3 }), 6013],
    ["a vault holds less than is owed", stateOf({ feesOwed: [0n, 3_000_000n] }), 6012],
    ["the owed fees overflow", stateOf({ feesOwed: [1n << 64n, 0n] }), 6011],
    ["a reserve is empty", stateOf({ feesOwed: [1_000_014n, 0n] }), 0],
  ])("refuses when %s", (_, state, custom) => {
    const answer = raydiumCpmmVenue.swap(state, order(0, "exact-in", 10_000n), TIME);
    expect(answer.ok ? "filled" : answer.error.custom).toBe(custom);
  });

  test.each([
    ["nothing in", order(0, "exact-in", 0n), 2505],
    ["nothing out", order(0, "exact-out", 0n), 2505],
    ["too little to give a unit", order(1, "exact-in", 1n), 2505],
    ["more than the reserve", order(0, "exact-out", 2_000_000n), 0],
  ])("refuses %s", (_, swap, custom) => {
    const answer = raydiumCpmmVenue.swap(stateOf(), swap, TIME);
    expect(answer.ok ? "filled" : answer.error.custom).toBe(custom);
  });
});

describe("the curve", () => {
  const amount = fc.bigInt({ min: 1n, max: 10n ** 15n });

  test("never gives more for the input of an exact output than for that input asked directly", () => {
    fc.assert(
      fc.property(amount, amount, amount, fc.boolean(), (reserveIn, reserveOut, out, creatorFeeOnInput) => {
        const rates = { ...RATES, creatorFeeOnInput };
        const asked = tradeBaseOutput(rates, reserveIn, reserveOut, out);
        if (!asked.ok) return;
        const got = tradeBaseInput(rates, reserveIn, reserveOut, asked.value.amountIn);
        expect(got.ok && got.value.amountOut >= out).toBe(true);
      }),
    );
  });

  test("cannot split a fee of no rates at all, as the program", () => {
    const free = { ...RATES, tradeFeeRate: 0n, creatorFeeRate: 0n };
    const answer = tradeBaseInput(free, 1_000n, 1_000n, 10n);
    expect(answer.ok ? "filled" : answer.error.name).toBe("ZeroTradingTokens");
    expect(tradeBaseInput({ ...free, creatorFeeOnInput: false }, 1_000n, 1_000n, 10n).ok).toBe(true);
  });
});

test.skipIf(!there)("swaps with fees on both tokens equal mainnet's simulations, the pool after it included", () => {
  const { comparisons } = JSON.parse(readFileSync(SIMULATIONS, "utf8")) as { comparisons: Comparison[] };
  expect(comparisons).toHaveLength(4);
  for (const comparison of comparisons) {
    const before = raydiumCpmmVenue.load(comparison.pool, accountSet(comparison.before_accounts));
    const after = raydiumCpmmVenue.load(comparison.pool, accountSet(comparison.baseline_accounts));
    if (!before.ok) throw before.error;
    if (!after.ok) throw after.error;
    const exactOut = comparison.exact_output;
    const swap = order(
      1,
      exactOut ? "exact-out" : "exact-in",
      BigInt(exactOut ? comparison.actual_output : comparison.actual_input),
    );
    const time = { slot: 0n, epoch: BigInt(comparison.baseline_slot) / 432_000n, unixSeconds: 1_791_000_000n };
    const filled = raydiumCpmmVenue.swap(before.value, swap, time);
    if (!filled.ok) throw new Error(filled.error.name);
    expect([filled.value.amountIn, filled.value.amountOut].map(String)).toEqual([
      comparison.actual_input,
      comparison.actual_output,
    ]);
    expect(raydiumCpmmVenue.figures(filled.value.after)).toEqual(raydiumCpmmVenue.figures(after.value));
  }
});

type Recorded = { pubkey: Address; owner: Address; data_base64: string } | null;
type Comparison = {
  pool: Address;
  before_accounts: Recorded[];
  baseline_accounts: Recorded[];
  exact_output: boolean;
  actual_input: string;
  actual_output: string;
  baseline_slot: number;
};

function accountSet(accounts: readonly Recorded[]): AccountSet {
  return new Map(
    accounts.flatMap((account) =>
      account === null
        ? []
        : [
            [
              account.pubkey,
              { owner: account.owner, data: new Uint8Array(Buffer.from(account.data_base64, "base64")) },
            ],
          ],
    ),
  );
}
