/** The linker: what it makes runs on the real machine, and what it cannot link it refuses. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { walletAccount } from "#sim/genesis/accounts.ts";
import { programPath } from "./build.ts";
import { type ElfObject, readElfObject } from "./elf-object.ts";
import { linkProgram } from "./link.ts";

const PROGRAM = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR" as Address;
const TEXT = "from a constant";

/** r1 = the constant, r2 = its length, sol_log_(r1, r2), return 7; behind a leading `exit` that nobody runs. */
function logger(): ElfObject {
  const code = new Uint8Array([
    ...[0x95, 0, 0, 0, 0, 0, 0, 0],
    ...[0x18, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[0xb7, 2, 0, 0, TEXT.length, 0, 0, 0],
    ...[0x85, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    ...[0xb7, 0, 0, 0, 7, 0, 0, 0],
    ...[0x95, 0, 0, 0, 0, 0, 0, 0],
  ]);
  return {
    code,
    constants: new TextEncoder().encode(`padding ${TEXT}`),
    entry: 8,
    relocations: [
      { at: 8, target: { kind: "address", offset: "padding ".length } },
      { at: 32, target: { kind: "call", symbol: "sol_log_" } },
    ],
  };
}

describe("linkProgram()", () => {
  test("links constants and system calls into a program that the machine loads and runs", () => {
    const cluster = createCluster({ seed: "link", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
    const payer = keypairFromSeed(new Uint8Array(32).fill(1));
    cluster.setAccount(payer.address, walletAccount(1_000_000_000n));
    cluster.addProgram(PROGRAM, linkProgram(logger()));
    cluster.nextSlot();
    const { blockhash } = cluster.latestBlockhash();
    const instructions = [{ programAddress: PROGRAM, accounts: [], data: new Uint8Array() }];
    const message = compileMessage({ payer: payer.address, blockhash, instructions });
    const result = cluster.submit(signTransaction(message, [payer]));
    if (result.kind === "refused") throw new Error(JSON.stringify(result.error));
    expect(result.executed.logs).toContain(`Program log: ${TEXT}`);
    expect(result.executed.error).toEqual({ InstructionError: [0, { Custom: 7 }] });
  });

  test("gives the same bytes for the same object, and leaves the object as it was", () => {
    const object = logger();
    expect(linkProgram(object)).toEqual(linkProgram(object));
    expect(object).toEqual(logger());
  });
});

describe("readElfObject()", () => {
  test("refuses bytes that are no ELF object for BPF", () => {
    expect(() => readElfObject(new Uint8Array(64))).toThrow("Cannot link a program: an ELF object for BPF");
  });

  test("refuses what is linked already: it has no symbol table", () => {
    expect(() => readElfObject(readFileSync(programPath("cp-swap")))).toThrow(
      "Cannot link a program: a symbol table, was none",
    );
  });
});
