import { describe, expect, test } from "bun:test";
import {
  AccountRole,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransactionMessage,
  createTransactionMessage,
  getCompiledTransactionMessageEncoder,
  type Address as KitAddress,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from "@solana/kit";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { compileMessage, type MessageParts } from "./message.ts";

/** What @solana/kit makes of the same parts. */
function kitMessage({ payer, blockhash, instructions }: MessageParts): Uint8Array {
  const empty = setTransactionMessageFeePayer(payer as string as KitAddress, createTransactionMessage({ version: 0 }));
  const timed = setTransactionMessageLifetimeUsingBlockhash(
    { blockhash: blockhash as Blockhash, lastValidBlockHeight: 0n },
    empty,
  );
  const role = (signer: boolean, writable: boolean) =>
    signer
      ? writable
        ? AccountRole.WRITABLE_SIGNER
        : AccountRole.READONLY_SIGNER
      : writable
        ? AccountRole.WRITABLE
        : AccountRole.READONLY;
  const full = appendTransactionMessageInstructions(
    instructions.map(({ programAddress, accounts, data }) => ({
      programAddress: programAddress as string as KitAddress,
      accounts: accounts.map(({ address, signer, writable }) => ({
        address: address as string as KitAddress,
        role: role(signer, writable),
      })),
      data,
    })),
    timed,
  );
  return new Uint8Array(getCompiledTransactionMessageEncoder().encode(compileTransactionMessage(full)));
}

const anyAddress = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => base58Encode(bytes) as Address);
const anyParts: fc.Arbitrary<MessageParts> = fc
  .record({ keys: fc.uniqueArray(anyAddress, { minLength: 4, maxLength: 20 }), hash: anyAddress })
  .chain(({ keys, hash }) => {
    const [payer, programA, programB, ...others] = keys as [Address, Address, Address, ...Address[]];
    const account = fc.record({
      address: fc.constantFrom(payer, ...others),
      signer: fc.boolean(),
      writable: fc.boolean(),
    });
    const instruction: fc.Arbitrary<Instruction> = fc.record({
      programAddress: fc.constantFrom(programA, programB),
      accounts: fc.array(account, { maxLength: 8 }),
      data: fc.uint8Array({ maxLength: 200 }),
    });
    return fc
      .array(instruction, { maxLength: 6 })
      .map((instructions) => ({ payer, blockhash: hash as string, instructions }));
  });

/** At most this many signers pass; what has more is the business of the table below. */
const signersOf = (parts: MessageParts) =>
  new Set([
    parts.payer,
    ...parts.instructions.flatMap(({ accounts }) => accounts.filter((use) => use.signer).map((use) => use.address)),
  ]).size;

const address = (fill: number, last = fill) => {
  const bytes = new Uint8Array(32).fill(fill);
  bytes[31] = last;
  return base58Encode(bytes) as Address;
};
const blockhash = address(9) as string;

describe("compileMessage()", () => {
  test("is byte-equal to @solana/kit on random instruction programs", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        fc.pre(signersOf(parts) <= 12);
        expect(compileMessage(parts)).toEqual(kitMessage(parts));
      }),
      { numRuns: Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 1_500) },
    );
  }, 30_000);

  test("orders addresses that differ in case only as @solana/kit does", () => {
    // Same letters, other cases: 32-byte values all the same, so both ends accept them.
    const base = base58Encode(new Uint8Array(32).fill(77));
    const flip = (text: string, at: number) => {
      const c = text[at] as string;
      const other = c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase();
      return /[1-9A-HJ-NP-Za-km-z]/.test(other) ? text.slice(0, at) + other + text.slice(at + 1) : text;
    };
    const addresses = [...new Set([base, ...[3, 9, 14, 20, 31].map((at) => flip(base, at))])] as Address[];
    expect(addresses.length).toBeGreaterThan(2);
    const accounts = addresses.map((one) => ({ address: one, signer: false, writable: true }));
    const parts = {
      payer: address(1),
      blockhash,
      instructions: [{ programAddress: address(2), accounts, data: new Uint8Array() }],
    };
    expect(compileMessage(parts)).toEqual(kitMessage(parts));
  });

  const uses = (count: number, signer = false) =>
    Array.from({ length: count }, (_, i) => ({ address: address(5, i + 10), signer, writable: true }));
  const one = (accounts: Instruction["accounts"], programAddress = address(2)): MessageParts => ({
    payer: address(1),
    blockhash,
    instructions: [{ programAddress, accounts, data: new Uint8Array() }],
  });
  test.each<[string, MessageParts, RegExp]>([
    ["more than 64 accounts", one(uses(63)), /at most 64 accounts, was 65/],
    ["more than 12 signers", one(uses(12, true)), /at most 12 signers, was 13/],
    ["a payer that is a program", one([], address(1)), /programs that nobody pays with/],
    [
      "a program that is written",
      one([{ address: address(2), signer: false, writable: true }]),
      /programs that nobody/,
    ],
    ["a short blockhash", { ...one([]), blockhash: "abc" }, /keys of 32 bytes in base58, was "abc"/],
  ])("refuses %s", (_, parts, text) => {
    expect(() => compileMessage(parts)).toThrow(text);
  });
});
