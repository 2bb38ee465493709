import { describe, expect, test } from "bun:test";
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress, cpmmAuthority, cpmmConfigAddress, cpmmPoolAddresses } from "./addresses.ts";
import { DEX_ERROR } from "./errors.ts";
import { RAYDIUM_CPMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "./program-addresses.ts";
import { decodeAmmV4Swap } from "./raydium-amm-v4/decode.ts";
import { ammV4PoolFacts } from "./raydium-amm-v4/facts.ts";
import { swapInstruction } from "./swap-instruction.ts";

const USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v" as Address;
const named = (name: string) => name as Address;
const REQUEST = {
  owner: named("owner"),
  inputAccount: named("from"),
  outputAccount: named("to"),
  amountIn: 1_000n,
  minimumOut: 0x0102030405060708n,
};

const CPMM_POOL: PoolFacts = {
  index: 0,
  dex: "raydium-cpmm",
  address: named("pool"),
  mints: [named("mint 0"), named("mint 1")],
  decimals: [9, 6],
  vaults: [named("vault 0"), named("vault 1")],
  tokenPrograms: [TOKEN_PROGRAM, TOKEN_2022_PROGRAM],
  feeNumerator: 2_500,
  feeDenominator: 1_000_000,
  accounts: { authority: named("authority"), ammConfig: named("config"), observationState: named("observation") },
};

describe("swapInstruction() on CP-Swap", () => {
  test("has the program's 13 accounts in its order, the sides by the input", () => {
    const swap = swapInstruction(CPMM_POOL, { ...REQUEST, inputSide: 1 });
    expect(swap.programAddress).toBe(RAYDIUM_CPMM_PROGRAM);
    const shown = swap.accounts.map(
      ({ address, signer, writable }) => `${address}${signer ? " s" : ""}${writable ? " w" : ""}`,
    );
    expect(shown).toEqual([
      "owner s",
      "authority",
      "config",
      "pool w",
      "from w",
      "to w",
      "vault 1 w",
      "vault 0 w",
      TOKEN_2022_PROGRAM,
      TOKEN_PROGRAM,
      "mint 1",
      "mint 0",
      "observation w",
    ]);
  });

  test("has golden data: discriminator, input, least output", () => {
    const { data } = swapInstruction(CPMM_POOL, { ...REQUEST, inputSide: 0 });
    expect(Buffer.from(data).toString("hex")).toBe("8fbe5adac41e33de" + "e803000000000000" + "0807060504030201");
  });

  test("refuses facts without an account that it needs", () => {
    expect(() => swapInstruction({ ...CPMM_POOL, accounts: {} }, { ...REQUEST, inputSide: 0 })).toThrow(SandpiperError);
    try {
      swapInstruction({ ...CPMM_POOL, accounts: {} }, { ...REQUEST, inputSide: 0 });
    } catch (thrown) {
      expect((thrown as SandpiperError).code).toBe(DEX_ERROR.facts);
    }
  });
});

describe("swapInstruction() on AMM v4", () => {
  test("is read back by the decoder, in the form without target orders", () => {
    const names = ["token", "amm", "auth", "orders", "coin", "pc", "program", "market", "bids", "asks", "queue"];
    const accounts = [...names, "market coin", "market pc", "signer", "from", "to", "owner"].map(named);
    const data = new Uint8Array([9, ...new Uint8Array(16)]);
    const first = decodeAmmV4Swap(data, [...accounts.slice(0, 4), named("targets"), ...accounts.slice(4)]);
    if (!first.ok) throw first.error;
    const facts = ammV4PoolFacts(first.value.accounts, { mint: WSOL_MINT, decimals: 9 }, { mint: USDC, decimals: 6 });
    const swap = swapInstruction({ index: 0, ...facts }, { ...REQUEST, inputSide: 0 });
    const again = decodeAmmV4Swap(
      swap.data,
      swap.accounts.map(({ address }) => address),
    );
    if (!again.ok) throw again.error;
    expect(again.value).toEqual({
      kind: "base-in",
      amountIn: REQUEST.amountIn,
      amountOut: REQUEST.minimumOut,
      accounts: { ...first.value.accounts, tokenProgram: TOKEN_PROGRAM },
    });
  });
});

describe("addresses", () => {
  // The real SOL/USDC pool of mainnet and its accounts.
  test("cpmmPoolAddresses() derives the accounts of a pool from its config and mints", async () => {
    const config = "D4FPEruKEHrG5TenZ2mpDGEfu1iUvTiqBxvpU8HLBvC2" as Address;
    expect((await cpmmConfigAddress(0)).address).toBe(config);
    expect((await cpmmAuthority()).address).toBe(named("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL"));
    const derived = await cpmmPoolAddresses(config, WSOL_MINT, USDC);
    expect(derived.pool).toBe(named("7JuwJuNU88gurFnyWeiyGKbFmExMWcmRZntn9imEzdny"));
    expect(derived.observation).toBe(named("4MYrPgjgFceyhtwhG1ZX8UVb4wn1aQB5wzMimtFqg7U8"));
  });

  test("associatedTokenAddress() is the one that wallets use", async () => {
    const owner = "GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL" as Address;
    const address = await associatedTokenAddress(owner, USDC, TOKEN_PROGRAM);
    expect(address).not.toBe(await associatedTokenAddress(owner, USDC, TOKEN_2022_PROGRAM));
    expect(address).toMatch(/^[1-9A-HJ-NP-Za-km-z]{43,44}$/);
  });
});
