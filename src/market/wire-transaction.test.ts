import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import { readWireTransaction } from "./wire-transaction.ts";

const filled = (length: number, byte: number): number[] => new Array<number>(length).fill(byte);
const text = (byte: number, length = 32): string => String(base58Encode(new Uint8Array(filled(length, byte))));

/** Two signers, four keys (1 to 4), two instructions of program 4; the first has two accounts and three bytes. */
const PARTS = {
  header: [2, 0, 1],
  keys: [1, 2, 3, 4].flatMap((byte) => filled(32, byte)),
  lifetime: filled(32, 9),
  signatures: [...filled(64, 7), ...filled(64, 8)],
};
const VERSION_1 = new Uint8Array([
  0x81,
  ...PARTS.header,
  // Bits 0 and 1 are the priority fee, bit 2 the compute limit: three words.
  ...[0b111, 0, 0, 0],
  ...PARTS.lifetime,
  ...[2, 4],
  ...PARTS.keys,
  ...filled(12, 5),
  ...[3, 2, 3, 0],
  ...[3, 0, 0, 1],
  ...[0, 2, 0xa, 0xb, 0xc],
  ...filled(256, 6),
  ...PARTS.signatures,
]);
const LEGACY = new Uint8Array([
  ...[2, ...PARTS.signatures],
  ...PARTS.header,
  ...[4, ...PARTS.keys],
  ...PARTS.lifetime,
  ...[2, 3, 2, 0, 2, 3, 0xa, 0xb, 0xc, 3, 0, 0x80, 2, ...filled(256, 6)],
]);

describe("readWireTransaction()", () => {
  test.each([
    ["version 1", VERSION_1],
    ["legacy", LEGACY],
  ])("reads a %s transaction", (_, wire) => {
    expect(readWireTransaction(wire)).toEqual({
      ok: true,
      value: {
        signature: text(7, 64),
        keys: [1, 2, 3, 4].map((byte) => text(byte)),
        instructions: [
          { program: text(4), accounts: [text(1), text(3)], data: new Uint8Array([0xa, 0xb, 0xc]) },
          { program: text(4), accounts: [], data: new Uint8Array(filled(256, 6)) },
        ],
      },
    } as unknown as ReturnType<typeof readWireTransaction>);
  });

  test("refuses version 1 cut anywhere, and versions that it does not know", () => {
    for (let length = 1; length < VERSION_1.length; length++)
      expect(readWireTransaction(VERSION_1.subarray(0, length)).ok).toBe(false);
    expect(readWireTransaction(new Uint8Array([1, ...filled(64, 7), 0x82, ...LEGACY.subarray(129)])).ok).toBe(false);
  });

  test("answers any bytes", () => {
    const start = fc.constantFrom([0x81], [0x81, 1, 0, 0], [1, ...filled(64, 7)], []);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 400 }), (head, rest) => {
        readWireTransaction(new Uint8Array([...head, ...rest]));
      }),
    );
  });
});
