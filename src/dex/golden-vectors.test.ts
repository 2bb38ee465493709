/**
 * The quotes against vectors that the deployed programs gave in a real SVM (test/fixtures/golden-vectors).
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { quoteExactIn, quoteExactOut } from "./quote.ts";
import { decodeAmmConfig, decodePoolState, decodeTokenAmount } from "./raydium-cpmm/decode.ts";
import { cpmmPoolFacts, cpmmReserve } from "./raydium-cpmm/facts.ts";
import { GOLDEN_VECTORS } from "./test-data.ts";

type Vector = {
  readonly dir: "AtoB" | "BtoA";
  readonly mode: "exactIn" | "exactOut";
  readonly amount: string;
  readonly ok: boolean;
  readonly in: string;
  readonly out: string;
};
type Fee = { readonly feeNumerator: number; readonly feeDenominator: number };

const read = (name: string) => Bun.file(join(GOLDEN_VECTORS, `${name}.json`)).json();

/** How many vectors the quote equals; refusals must be 0n. */
function agreeing(vectors: readonly Vector[], fee: Fee, reserves: readonly [bigint, bigint]): number {
  return vectors.filter((vector) => {
    const [reserveIn, reserveOut] = vector.dir === "AtoB" ? reserves : [reserves[1], reserves[0]];
    const quote = vector.mode === "exactIn" ? quoteExactIn : quoteExactOut;
    const want = vector.ok ? BigInt(vector.mode === "exactIn" ? vector.out : vector.in) : 0n;
    return quote(fee, reserveIn, reserveOut, BigInt(vector.amount)) === want;
  }).length;
}

test("quotes equal the deployed CP-Swap from its raw accounts, refusals included: 460 of 460", async () => {
  const golden = await read("raydium-cpmm__SOL-USDC-7Juw");
  const bytes = (address: string) => {
    const { data } =
      golden.accounts[address] ?? golden.accounts.find((item: { pubkey: string }) => item.pubkey === address);
    return new Uint8Array(Buffer.from(Array.isArray(data) ? data[0] : data, "base64"));
  };
  const unwrap = <T>(result: { ok: boolean; value?: T }): T => {
    if (!result.ok) throw new Error("was refused");
    return result.value as T;
  };
  const state = unwrap(decodePoolState(bytes(golden.pool)));
  const config = unwrap(decodeAmmConfig(bytes(state.ammConfig)));
  const facts = unwrap(cpmmPoolFacts(golden.pool, state, config, golden.pool));
  const reserve = (side: 0 | 1) => cpmmReserve(state, side, unwrap(decodeTokenAmount(bytes(state.vaults[side]))));
  expect(state.mints.map(String)).toEqual([golden.token_A, golden.token_B]);
  expect(agreeing(golden.vectors, facts, [reserve(0), reserve(1)])).toBe(460);
});

test("quotes equal the deployed AMM v4, refusals included: 460 of 460", async () => {
  const { vectors, initial_state: state } = await read("raydium-amm-v4__SOL-USDC-58oQ");
  const reserves = [
    BigInt(state.vault_coin) - BigInt(state.need_take_pnl_coin),
    BigInt(state.vault_pc) - BigInt(state.need_take_pnl_pc),
  ] as const;
  expect(agreeing(vectors, { feeNumerator: 25, feeDenominator: 10_000 }, reserves)).toBe(460);
});
