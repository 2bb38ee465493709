import { expect, test } from "bun:test";
import fc from "fast-check";
import { base58Decode, base58Encode } from "./base58.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

// The vectors of draft-msporny-base58-03 and Solana's system program address.
test.each([
  ["", ""],
  ["00", "1"],
  ["48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U"],
  ["0000287fb4cd", "11233QC4"],
  ["00".repeat(32), "1".repeat(32)],
])("base58Encode() and base58Decode() agree with the draft on %s", (bytes, text) => {
  expect(base58Encode(hex(bytes))).toBe(text);
  expect(base58Decode(text)).toEqual(hex(bytes));
});

test("base58Decode() undoes base58Encode()", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(base58Decode(base58Encode(bytes))).toEqual(bytes);
    }),
  );
});

test.each(["0", "O", "I", "l", "é", " ", "a b"])("base58Decode() refuses %j", (text) => {
  expect(() => base58Decode(text)).toThrow(/Cannot decode base58: an alphabet character/);
});

test("base58Decode() refuses a text that would take quadratic time", () => {
  expect(() => base58Decode("2".repeat(2_049))).toThrow(/at most 2048 characters, was 2049/);
});
