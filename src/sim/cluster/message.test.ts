import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { transferLamports } from "#execute/plan.ts";
import { AddressBook } from "#execute/svm/address-book.ts";
import { funded, keyOf, SOL, signed, testCluster, transfer } from "./fixture.ts";
import { isWritable, parseMessage, parseTransaction } from "./message.ts";

const book = new AddressBook();
const sample = (): Uint8Array => {
  const cluster = testCluster();
  return transfer(cluster, funded(cluster, "alice"), keyOf("bob").address, SOL);
};

describe("parseTransaction()", () => {
  test("reads a transfer to the last byte", () => {
    const wire = sample();
    const result = parseTransaction(wire, book);
    if (!result.ok) throw new Error(result.error.reason);
    const { value } = result;
    expect(value.signature as string).toBe(base58Encode(wire.subarray(1, 65)));
    expect([value.version, value.signatureCount, value.messageAt]).toEqual([0, 1, 65]);
    expect(value.staticKeys).toEqual([
      keyOf("alice").address,
      keyOf("bob").address,
      "11111111111111111111111111111111" as Address,
    ]);
    expect(value.staticKeys.map((_, i) => isWritable(value, i, 0))).toEqual([true, true, false]);
    expect(value.instructions.map(({ programIndex, accounts }) => [programIndex, ...accounts])).toEqual([[2, 0, 1]]);
  });

  test("refuses every proper prefix and every longer text", () => {
    const wire = sample();
    for (let length = 0; length < wire.length; length++)
      expect([length, parseTransaction(wire.subarray(0, length), book).ok]).toEqual([length, false]);
    expect(parseTransaction(Uint8Array.from([...wire, 0]), book).ok).toBe(false);
  });

  test("refuses lengths with a needless byte or over 65,535", () => {
    const wire = sample();
    const withSignatures = (...length: number[]) => Uint8Array.from([...length, ...wire.subarray(1)]);
    for (const length of [
      [0x81, 0x00],
      [0x81, 0x80, 0x00],
      [0x80, 0x80, 0x04],
      [0x80, 0x80, 0x80, 0x01],
    ])
      expect(parseTransaction(withSignatures(...length), book)).toMatchObject({ ok: false, error: { kind: "decode" } });
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_300 }), (bytes) => {
        expect(typeof parseTransaction(bytes, book).ok).toBe("boolean");
        expect(typeof parseMessage(bytes, book).ok).toBe("boolean");
      }),
      { numRuns: 500 },
    );
  });

  test("lets nothing through to the machine that it cannot decode: mutated transfers are refused", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const random = seededRandom("mutations");
    const wire = transfer(cluster, alice, keyOf("bob").address, SOL);
    for (let i = 0; i < 3_000; i++) {
      const mutated = Uint8Array.from(wire);
      for (let change = 0; change <= i % 3; change++)
        mutated[random.between(i % 2 === 0 ? 65 : 0, wire.length)] = random.between(0, 256);
      if (Buffer.compare(mutated, wire) !== 0) expect(cluster.submit(mutated).kind).toBe("refused");
    }
  });
});

describe("submit()", () => {
  test("survives signed transactions of random instructions to every program", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice", 10_000n * SOL);
    const random = seededRandom("instructions");
    const programs = [
      "11111111111111111111111111111111",
      "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
      "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
      "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
      "ComputeBudget111111111111111111111111111111",
      "BPFLoaderUpgradeab1e11111111111111111111111",
      "BPFLoader2111111111111111111111111111111111",
      "AddressLookupTab1e1111111111111111111111111",
      "Stake11111111111111111111111111111111111111",
      "Vote111111111111111111111111111111111111111",
      "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
      "Ed25519SigVerify111111111111111111111111111",
      "KeccakSecp256k11111111111111111111111111111",
    ] as Address[];
    const others = [
      alice.address,
      keyOf("x").address,
      keyOf("y").address,
      "SysvarC1ock11111111111111111111111111111111",
    ];
    const kinds = { executed: 0, refused: 0 };
    for (let i = 0; i < 1_500; i++) {
      const instructions = Array.from({ length: 1 + (i % 3) }, () => ({
        programAddress: random.pick(programs),
        accounts: Array.from({ length: random.between(0, 6) }, () => {
          const address = random.pick(others) as Address;
          return { address, signer: address === alice.address, writable: random.unit() < 0.6 };
        }),
        data: Uint8Array.from({ length: random.between(0, 60) }, (_, at) =>
          at < 4 ? random.between(0, 14) * (at % 2 === 0 ? 1 : 0) : random.between(0, 256),
        ),
      }));
      kinds[cluster.submit(signed(cluster, [alice], instructions)).kind]++;
    }
    expect(kinds.executed).toBeGreaterThan(300);
    expect(
      cluster.submit(signed(cluster, [alice], [transferLamports(alice.address, others[1] as Address, SOL)])).kind,
    ).toBe("executed");
  });
});
