import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SandpiperError } from "#core/error.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CPMM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signatureOf, signTransaction } from "#execute/transaction.ts";
import { readGeyserMessage } from "./geyser-message.ts";
import { testAddress } from "./test-block.ts";
import { readWireTransaction } from "./wire-transaction.ts";

const MUTATIONS = 10_000;
const keypair = keypairFromSeed(new Uint8Array(32).fill(7));
const account = (name: string, writable = false) => ({ address: testAddress(name), signer: false, writable });
const INSTRUCTIONS = [
  {
    programAddress: RAYDIUM_CPMM_PROGRAM,
    accounts: [account("a", true), account("b")],
    data: new Uint8Array([1, 2, 3]),
  },
  { programAddress: TOKEN_PROGRAM, accounts: [account("b"), account("c", true)], data: new Uint8Array(200).fill(9) },
];
const wire = signTransaction(
  compileMessage({ payer: keypair.address, blockhash: testAddress("blockhash"), instructions: INSTRUCTIONS }),
  [keypair],
);

const group = {
  slot: 12,
  transactionIndex: 3,
  signature: signatureOf(wire),
  error: null,
  timeNs: "1700000000000000000",
  accounts: [{ pubkey: testAddress("a"), owner: TOKEN_PROGRAM, lamports: "5", writeVersion: "9", data: "AQID" }],
  transaction: Buffer.from(wire).toString("base64"),
  logs: ["Program log: hello"],
  innerInstructions: [{ index: 0, instructions: [{ programIdIndex: 0, accounts: [1], data: "2", stackHeight: 2 }] }],
};
const notice = (result: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", method: "geyserNotification", params: { subscription: 1, result } });

describe("readWireTransaction()", () => {
  test("reads back what the compiler wrote", () => {
    const read = readWireTransaction(wire);
    if (!read.ok) throw read.error;
    expect(read.value.signature).toBe(signatureOf(wire));
    expect(read.value.keys[0]).toBe(keypair.address);
    expect(read.value.instructions.map(({ program, accounts, data }) => [program, accounts, [...data]])).toEqual(
      INSTRUCTIONS.map(({ programAddress, accounts, data }) => [
        programAddress,
        accounts.map(({ address }) => address),
        [...data],
      ]),
    );
  });

  test("refuses every shorter part of it", () => {
    // The last byte is the empty list of lookup tables, which is not read.
    for (let length = 0; length < wire.length - 1; length++)
      expect(readWireTransaction(wire.subarray(0, length)).ok).toBe(false);
  });

  test("answers any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1_300 }), (bytes) => void readWireTransaction(bytes)));
  });

  test(`answers ${MUTATIONS} mutations of good bytes`, () => {
    const random = seededRandom("wire");
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = wire.slice();
      for (let left = random.between(1, 4); left > 0; left--)
        bytes[random.between(0, bytes.length)] = random.between(0, 256);
      readWireTransaction(bytes);
    }
  });

  test("refuses a version that is not 0", () => {
    const bytes = wire.slice();
    bytes[65] = 0x81;
    expect(readWireTransaction(bytes).ok).toBe(false);
  });
});

describe("readGeyserMessage()", () => {
  test("reads a transaction with what it wrote", () => {
    const message = readGeyserMessage(notice(group));
    if (message.kind !== "transaction") throw new Error(message.kind);
    expect(message.transaction).toMatchObject({ slot: 12n, indexInSlot: 3, failed: false, feePayer: keypair.address });
    expect(message.transaction.instructions.map(({ program }) => program)).toEqual([
      RAYDIUM_CPMM_PROGRAM,
      keypair.address,
      TOKEN_PROGRAM,
    ]);
    expect(message.accounts).toEqual([
      { address: testAddress("a"), owner: TOKEN_PROGRAM as Address, data: new Uint8Array([1, 2, 3]) },
    ]);
  });

  test("reads slots, answers, refusals and failed transactions", () => {
    expect(readGeyserMessage(notice({ slot: 5, slotStartMs: 1_700_000_000_000.7 }))).toEqual({
      kind: "slot",
      slot: 5n,
      slotStartMs: 1_700_000_000_000,
    });
    expect(readGeyserMessage('{"jsonrpc":"2.0","id":1,"result":7}')).toEqual({
      kind: "answer",
      id: 1,
      error: undefined,
    });
    expect(readGeyserMessage('{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}')).toMatchObject({
      error: '{"code":-32601}',
    });
    const failed = readGeyserMessage(notice({ ...group, error: { InstructionError: [0, { Custom: 1 }] } }));
    expect(failed.kind === "transaction" && failed.transaction.failed).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["no object", "[1]"],
    ["no result", '{"params":{}}'],
    ["a slot that is no number", notice({ ...group, slot: "12" })],
    ["no accounts", notice({ ...group, accounts: undefined })],
    ["an account whose data are no base64", notice({ ...group, accounts: [{ ...group.accounts[0], data: "*" }] })],
    ["a transaction that is none", notice({ ...group, transaction: "AQID" })],
    ["logs that are no list", notice({ ...group, logs: "x" })],
    ["inner instructions of another kind", notice({ ...group, innerInstructions: [{ index: -1 }] })],
  ])("refuses %s", (_, text) => {
    expect(() => readGeyserMessage(text)).toThrow(SandpiperError);
  });

  test("answers damage with a SandpiperError and nothing else", () => {
    const text = notice(group);
    const random = seededRandom("geyser");
    for (let i = 0; i < 10_000; i++) {
      const at = random.between(0, text.length);
      const damaged =
        text.slice(0, at) + String.fromCharCode(random.between(32, 127)) + text.slice(at + random.between(0, 2));
      try {
        readGeyserMessage(damaged);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SandpiperError);
      }
    }
  });
});
