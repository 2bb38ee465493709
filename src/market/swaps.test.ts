import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { RAYDIUM_AMM_V4_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { AMM_V4_SWAP_BASE_IN_V2 } from "#dex/raydium-amm-v4/layout.ts";
import { parseBlock } from "./block-shape.ts";
import { invocationLines } from "./invocations.ts";
import { decodeSwaps } from "./swaps.ts";
import { type TestSwap, testAddress, testAmmPool, testBlock, testSwapTransaction } from "./test-block.ts";
import type { MarketTransaction } from "./transaction.ts";

const newPool = () => testAmmPool("pool", "token", 1_000_000_000_000n, 500_000_000_000n);

function transactionOf(json: unknown): MarketTransaction {
  const block = parseBlock(testBlock(1, 1, [json as Record<string, unknown>]), 0, (place, want, was) => {
    throw new Error(`${place}: ${want}, was ${was}`);
  });
  return block.transactions[0] as MarketTransaction;
}

const swapOf = (swap: Omit<TestSwap, "pool">) =>
  decodeSwaps(transactionOf(testSwapTransaction("t", { pool: newPool(), ...swap })));

describe("decodeSwaps()", () => {
  test.each<[string, Omit<TestSwap, "pool">]>([
    ["exact input of coin, top level, 18 accounts", { inputSide: 0, amount: 5_000_000n }],
    ["exact input of pc, behind a router, 17 accounts", { inputSide: 1, amount: 5_000_000n, inner: true }],
    ["exact output for coin", { inputSide: 0, amount: 5_000_000n, kind: "base-out" }],
    ["exact output for pc, behind a router", { inputSide: 1, amount: 5_000_000n, kind: "base-out", inner: true }],
  ])("reads %s", (_, swap) => {
    const { swaps, unreadable } = swapOf(swap);
    expect(unreadable).toBe(0);
    expect(swaps).toHaveLength(1);
    expect(swaps[0]).toMatchObject({
      dex: "raydium-amm-v4",
      kind: swap.kind ?? "base-in",
      inputSide: swap.inputSide,
      [swap.kind === "base-out" ? "amountOut" : "amountIn"]: swap.amount,
      pool: testAddress("pool amm"),
      trader: testAddress("owner of t"),
      reservesBefore: [1_000_000_000_000n, 500_000_000_000n],
      instructionIndex: swap.inner ? 1 : 0,
    });
    expect(swaps[0]?.ammV4?.pcVault).toBe(testAddress("pool pc vault"));
  });

  test("reads the second form, which names no order book", () => {
    const first = transactionOf(testSwapTransaction("t", { pool: newPool(), inputSide: 0, amount: 5_000_000n }));
    const [swap, ...transfers] = first.instructions;
    if (swap === undefined) throw new Error("no swap was made");
    const tail = swap.accounts.length - 13;
    const at = (...places: number[]) => places.map((place) => swap.accounts[place] as Address);
    const data = swap.data()?.slice() ?? new Uint8Array();
    data[0] = AMM_V4_SWAP_BASE_IN_V2;
    const second = {
      ...swap,
      accounts: at(0, 1, 2, tail, tail + 1, tail + 10, tail + 11, tail + 12),
      data: () => data,
    };
    const want = decodeSwaps(first).swaps.map(({ ammV4: _, ...rest }) => rest);
    expect(decodeSwaps({ ...first, instructions: [second, ...transfers] })).toEqual({ swaps: want, unreadable: 0 });
  });

  test("finds nothing in a failed transaction: nothing of it happened", () => {
    expect(swapOf({ inputSide: 0, amount: 5n, failed: true })).toEqual({ swaps: [], unreadable: 0 });
  });

  const good = () => transactionOf(testSwapTransaction("t", { pool: newPool(), inputSide: 0, amount: 5_000_000n }));
  test.each<[string, (transaction: MarketTransaction) => Partial<MarketTransaction>]>([
    ["cut logs", () => ({ logs: ["Log truncated"] })],
    [
      "a log of other amounts than were moved",
      ({ instructions }) => ({ instructions: [instructions[0], instructions[2], instructions[1]] as never }),
    ],
    ["no transfers", ({ instructions }) => ({ instructions: instructions.slice(0, 1) })],
    [
      "too few accounts",
      ({ instructions }) => ({
        instructions: instructions.map((item) => ({ ...item, accounts: item.accounts.slice(0, 16) })),
      }),
    ],
    [
      "a log whose vaults are the other way round",
      ({ instructions }) => ({
        instructions: instructions.map((item, i) =>
          i === 0 ? { ...item, accounts: swapped(item.accounts, 5, 6) } : item,
        ),
      }),
    ],
    [
      "data that are no base58",
      ({ instructions }) => ({ instructions: instructions.map((item) => ({ ...item, data: () => undefined })) }),
    ],
  ])("counts a swap with %s as unreadable", (_, change) => {
    const transaction = good();
    expect(decodeSwaps(transaction).swaps).toHaveLength(1);
    expect(decodeSwaps({ ...transaction, ...change(transaction) })).toEqual({ swaps: [], unreadable: 1 });
  });

  test("takes no other program's word for a swap", () => {
    const transaction = good();
    const forged = transaction.logs.find((line) => line.includes("ray_log")) as string;
    const liar = testAddress("liar");
    const logs = [`Program ${liar} invoke [1]`, forged, `Program ${liar} success`];
    const { instructions } = transaction;
    const all = [{ program: liar, accounts: [], data: () => new Uint8Array(), depth: 1 }, ...instructions];
    expect(decodeSwaps({ ...transaction, instructions: all, logs })).toEqual({ swaps: [], unreadable: 1 });
  });
});

function swapped<T>(list: readonly T[], a: number, b: number): T[] {
  const copy = [...list];
  [copy[a], copy[b]] = [list[b] as T, list[a] as T];
  return copy;
}

describe("invocationLines()", () => {
  test("gives each line to the innermost program that is running", () => {
    const outer = testAddress("outer");
    const lines = invocationLines([
      `Program ${outer} invoke [1]`,
      "Program log: before",
      `Program ${TOKEN_PROGRAM} invoke [2]`,
      "Program log: inside",
      `Program ${TOKEN_PROGRAM} success`,
      "Program log: after",
      `Program ${outer} failed: custom program error: 0x1`,
      "Program log: nobody's",
      `Program ${outer} invoke [1]`,
      `Program ${outer} success`,
    ]);
    expect(lines.get(outer)).toEqual([["Program log: before", "Program log: after"], []]);
    expect(lines.get(TOKEN_PROGRAM)).toEqual([["Program log: inside"]]);
  });

  test("is not led astray by a message that looks like the runtime's", () => {
    const outer = testAddress("outer");
    const spoof = `Program log: Program ${RAYDIUM_AMM_V4_PROGRAM} invoke [2]`;
    expect([...invocationLines([`Program ${outer} invoke [1]`, spoof]).keys()]).toEqual([outer]);
  });
});
