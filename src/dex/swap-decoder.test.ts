/** Swaps of made-up transactions; those of mainnet are in test/dex-transactions.test.ts. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Address } from "#core/units.ts";
import {
  PUMPSWAP_PROGRAM,
  RAYDIUM_AMM_V4_PROGRAM,
  RAYDIUM_CPMM_PROGRAM,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
} from "./program-addresses.ts";
import { PUMPSWAP_TRADE } from "./pumpswap/layout.ts";
import { CPMM_DISCRIMINATOR } from "./raydium-cpmm/layout.ts";
import { decodeExecutedSwaps, type ExecutedInstruction } from "./swap-decoder.ts";
import { isVenueProgram } from "./swap-shape.ts";
import { VENUES } from "./venues.ts";

const at = (name: string) => name as Address;

function instruction(
  program: Address,
  data: readonly number[],
  accounts: readonly string[],
  depth: number | undefined,
): ExecutedInstruction {
  return { program, accounts: accounts.map(at), data: () => new Uint8Array(data), depth };
}

const words = (...amounts: bigint[]) => [...new Uint8Array(new BigUint64Array(amounts).buffer)];
const transfer = (from: string, to: string, amount: bigint, depth: number | undefined = 2, program = TOKEN_PROGRAM) =>
  instruction(program, [3, ...words(amount)], [from, to, "owner"], depth);

const cpmm = (depth: number | undefined = 1) =>
  instruction(
    RAYDIUM_CPMM_PROGRAM,
    [...CPMM_DISCRIMINATOR.swapBaseInput, ...words(5n, 1n)],
    "trader authority config pool user0 user1 vault0 vault1 program0 program1 mint0 mint1 observation".split(" "),
    depth,
  );

const MINTS = new Map(
  ["0", "1"].map((side) => [at(`vault${side}`), { mint: at(`mint${side}`), change: side === "0" ? 5n : -7n }]),
);

describe("decodeExecutedSwaps()", () => {
  test("gives pool, mints, accounts and amounts of what was executed", () => {
    const all = [cpmm(), transfer("user0", "vault0", 5n), transfer("vault1", "user1", 7n)];
    expect(decodeExecutedSwaps(all, MINTS)).toEqual({
      swaps: [
        {
          venue: "raydium-cpmm",
          pool: at("pool"),
          trader: at("trader"),
          vaultIn: at("vault0"),
          vaultOut: at("vault1"),
          vaultReceived: 5n,
          vaultPaid: 7n,
          traderAccountIn: at("user0"),
          traderAccountOut: at("user1"),
          amountIn: 5n,
          amountOut: 7n,
          mintIn: at("mint0"),
          mintOut: at("mint1"),
          instructionIndex: 0,
        },
      ],
      unreadable: [],
    });
  });

  test("looks only at what the swap itself called", () => {
    const all = [
      transfer("user0", "vault0", 100n, 1),
      cpmm(),
      transfer("user0", "vault0", 5n),
      transfer("vault1", "user1", 7n),
      transfer("vault1", "user1", 100n, 1),
    ];
    expect(decodeExecutedSwaps(all, MINTS).swaps).toMatchObject([{ amountIn: 5n, amountOut: 7n }]);
  });

  test("ends a swap at the next one where depths are unknown", () => {
    const moves = [transfer("user0", "vault0", 5n, undefined), transfer("vault1", "user1", 7n, undefined)];
    const all = [cpmm(undefined), ...moves, cpmm(undefined), ...moves];
    expect(decodeExecutedSwaps(all, MINTS).swaps).toMatchObject([{ amountIn: 5n }, { amountIn: 5n }]);
  });

  test("counts fees of a buy to what the trader paid, and fees of a sell off what he got", () => {
    const trade = (kind: keyof typeof PUMPSWAP_TRADE) =>
      instruction(
        PUMPSWAP_PROGRAM,
        [...PUMPSWAP_TRADE[kind], ...words(5n, 1n)],
        [..."pool trader global mintB mintQ userB userQ vaultB vaultQ".split(" "), ..."abcdefghijkl"],
        1,
      );
    const buy = [
      trade("buy"),
      transfer("vaultB", "userB", 50n),
      transfer("userQ", "vaultQ", 10n),
      transfer("userQ", "fees", 2n),
    ];
    const sell = [
      trade("sell"),
      transfer("userB", "vaultB", 50n),
      transfer("vaultQ", "fees", 2n),
      transfer("vaultQ", "userQ", 8n),
    ];
    expect(decodeExecutedSwaps(buy, MINTS).swaps).toMatchObject([
      { amountIn: 12n, amountOut: 50n, vaultReceived: 10n, vaultPaid: 50n },
    ]);
    expect(decodeExecutedSwaps(sell, MINTS).swaps).toMatchObject([
      { amountIn: 50n, amountOut: 8n, vaultReceived: 50n, vaultPaid: 10n },
    ]);
  });

  test("learns a Token-2022 fee from the balances, or from the transfer that names it", () => {
    const named = instruction(
      TOKEN_2022_PROGRAM,
      [26, 1, ...words(9n), 6, ...words(2n)],
      ["vault1", "mint1", "user1", "owner"],
      2,
    );
    const all = [cpmm(), transfer("user0", "vault0", 6n, 2, TOKEN_2022_PROGRAM), named];
    expect(decodeExecutedSwaps(all, MINTS).swaps).toMatchObject([
      { amountIn: 6n, vaultReceived: 5n, vaultPaid: 9n, amountOut: 7n },
    ]);
  });

  test.each([
    ["moves nothing", [cpmm()]],
    ["pays nobody", [cpmm(), transfer("user0", "vault0", 5n)]],
    ["takes on both sides", [cpmm(), transfer("user0", "vault0", 5n), transfer("user1", "vault1", 5n)]],
    ["is a route", [instruction(PUMPSWAP_PROGRAM, [43, 100, 73, 19, 233, 246, 111, 148], [], 1)]],
    ["names too few accounts", [{ ...cpmm(), accounts: [] }]],
    ["has no data", [{ ...cpmm(), data: () => undefined }]],
  ])("says that a swap is unreadable which %s", (_, all) => {
    const { swaps, unreadable } = decodeExecutedSwaps(all, MINTS);
    expect([swaps.length, unreadable.length]).toEqual([0, 1]);
  });

  test("answers any instructions of the six programs", () => {
    const program = fc.constantFrom(...VENUES.map((venue) => venue.program), TOKEN_PROGRAM, RAYDIUM_AMM_V4_PROGRAM);
    const any = fc.record({
      program,
      accounts: fc.array(fc.constantFrom("a", "b", "c", "d").map(at), { maxLength: 24 }),
      data: fc.uint8Array({ maxLength: 60 }).map((bytes) => () => bytes),
      depth: fc.option(fc.nat(4), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (all) => {
        decodeExecutedSwaps(all, MINTS);
      }),
    );
    expect(VENUES.every((venue) => isVenueProgram(venue.program))).toBe(true);
  });
});
