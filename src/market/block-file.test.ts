import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { SandpiperError } from "#core/error.ts";
import { blockFiles, readBlockFile } from "./block-file.ts";
import { MARKET_ERROR } from "./errors.ts";
import { testAmmPool, testBlock, testSwapTransaction } from "./test-block.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pool = testAmmPool("pool", "token", 1_000_000_000_000n, 500_000_000_000n);
const good = testBlock(99, 1_700_000_000, [
  testSwapTransaction("one", { pool, inputSide: 0, amount: 1_000_000n }),
  testSwapTransaction("two", { pool, inputSide: 1, amount: 5_000_000n, failed: true }),
]);
const text = JSON.stringify(good);

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The block with one part of its first transaction replaced. */
function changed(path: readonly string[], value: unknown): string {
  const copy = JSON.parse(text);
  let at = copy;
  for (const step of path.slice(0, -1)) at = at[step];
  at[path.at(-1) as string] = value;
  return JSON.stringify(copy);
}

describe("readBlockFile()", () => {
  test.each([
    ["plain", text],
    ["gzip", gzipSync(text)],
    ["inside an RPC answer", JSON.stringify({ jsonrpc: "2.0", id: 1, result: good })],
  ])("reads a block that is %s", (_, content) => {
    const block = readBlockFile(file("block.json", content));
    expect(block.slot).toBe(100n);
    expect(block.blockTime).toBe(1_700_000_000);
    expect(block.transactions.map(({ failed }) => failed)).toEqual([false, true]);
    expect(block.transactions[0]?.instructions).toHaveLength(3);
  });

  test("takes the slot from the name when skipped slots lie between", () => {
    expect(readBlockFile(file("slot_104.json", text)).slot).toBe(104n);
    expect(readBlockFile(file("slot_7.json", text)).slot).toBe(100n);
  });

  test.each<[string, string | Uint8Array]>([
    ["empty", ""],
    ["cut off", text.slice(0, -10)],
    ["a cut gzip", gzipSync(text).subarray(0, 200)],
    ["a damaged gzip", gzipSync(text).fill(7, 30, 60)],
    ["no object", "[]"],
    ["null", "null"],
    ["a number", "17"],
    ["without transactions", JSON.stringify({ parentSlot: 1 })],
    ["without a parent", JSON.stringify({ transactions: [] })],
    ["with transactions of another kind", JSON.stringify({ parentSlot: 1, transactions: 5 })],
    ["of encoding base64", changed(["transactions", "0", "transaction"], ["AAAA", "base64"])],
    ["without meta", changed(["transactions", "0", "meta"], null)],
    [
      "with a key that is no address",
      changed(["transactions", "0", "transaction", "message", "accountKeys", "0"], "0"),
    ],
    ["of encoding jsonParsed", changed(["transactions", "0", "transaction", "message", "accountKeys", "0"], {})],
    [
      "with a program beyond its keys",
      changed(["transactions", "0", "transaction", "message", "instructions", "0", "programIdIndex"], 999),
    ],
    [
      "with an account beyond its keys",
      changed(["transactions", "0", "transaction", "message", "instructions", "0", "accounts"], [-1]),
    ],
    ["without a signature", changed(["transactions", "0", "transaction", "signatures"], [])],
    ["with a log line that is no text", changed(["transactions", "0", "meta", "logMessages"], [1])],
    [
      "with decimals out of range",
      changed(["transactions", "0", "meta", "preTokenBalances", "0", "uiTokenAmount"], { decimals: 256 }),
    ],
  ])("refuses a file that is %s, in one line that names it", (_, content) => {
    const path = file("bad.json", content);
    try {
      readBlockFile(path);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(SandpiperError);
      expect((thrown as SandpiperError).code).toBe(MARKET_ERROR.block);
      expect((thrown as SandpiperError).retry).toBe("never");
      expect((thrown as SandpiperError).message).toStartWith(`Cannot read recorded block ${path}: `);
      return;
    }
    throw new Error("was accepted");
  });

  test("refuses damage anywhere with a SandpiperError and nothing else", () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 29) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ 0x15;
      try {
        readBlockFile(file("damaged.json", copy));
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SandpiperError);
      }
    }
  });
});

describe("blockFiles()", () => {
  test("gives a folder's blocks in slot order, whatever their number of digits", () => {
    const blocks = mkdtempSync(join(folder, "many-"));
    for (const name of ["slot_1000.json", "slot_999.json.gz", "slot_1001.json", "notes.txt"])
      writeFileSync(join(blocks, name), "");
    expect(blockFiles(blocks).map((path) => path.slice(blocks.length + 1))).toEqual([
      "slot_999.json.gz",
      "slot_1000.json",
      "slot_1001.json",
    ]);
  });

  test("refuses what is not there, and a folder without blocks", () => {
    expect(() => blockFiles(join(folder, "absent"))).toThrow(SandpiperError);
    expect(() => blockFiles(mkdtempSync(join(folder, "empty-")))).toThrow(SandpiperError);
  });
});
