/** Our reader of Yellowstone's bytes beside the client's own codec; hostile bytes; writes that find their transaction. */
import { describe, expect, test } from "bun:test";
import { SubscribeUpdate } from "@triton-one/yellowstone-grpc";
import fc from "fast-check";
import { base58Decode, base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { MarketEvent } from "#market/source.ts";
import { testAddress } from "#market/test-block.ts";
import { readUpdate } from "./read-update.ts";
import { readSocketMessage } from "./socket-message.ts";
import { StreamMerge } from "./stream-merge.ts";
import type { LiveUpdate } from "./update.ts";

const [pool, owner, payer, program] = ["pool", "owner", "payer", "program"].map(testAddress) as [
  ReturnType<typeof testAddress>,
  ReturnType<typeof testAddress>,
  ReturnType<typeof testAddress>,
  ReturnType<typeof testAddress>,
];
const signature = (byte: number) => new Uint8Array(64).fill(byte);
const encode = (fields: object) =>
  SubscribeUpdate.encode(
    SubscribeUpdate.fromPartial({ filters: ["name"], createdAt: new Date(1e12), ...fields }),
  ).finish();

const account = (slot: number, byte: number, writeVersion: number) =>
  encode({
    account: {
      slot: `${slot}`,
      account: {
        pubkey: base58Decode(pool),
        owner: base58Decode(owner),
        lamports: "5",
        data: new Uint8Array([byte, writeVersion]),
        writeVersion: `${writeVersion}`,
        txnSignature: signature(byte),
      },
    },
  });
const transaction = (slot: number, byte: number, index: number) =>
  encode({
    transaction: {
      slot: `${slot}`,
      transaction: {
        signature: signature(byte),
        index: `${index}`,
        transaction: {
          signatures: [signature(byte)],
          message: {
            accountKeys: [payer, program].map(base58Decode),
            instructions: [{ programIdIndex: 1, accounts: new Uint8Array([0, 2]), data: new Uint8Array([7]) }],
          },
        },
        meta: {
          logMessages: ["one", "two"],
          loadedWritableAddresses: [base58Decode(pool)],
          innerInstructions: [
            {
              index: 0,
              instructions: [
                { programIdIndex: 1, accounts: new Uint8Array([2]), data: new Uint8Array(), stackHeight: 2 },
              ],
            },
          ],
        },
      },
    },
  });

describe("readUpdate()", () => {
  test("reads an account as the codec wrote it", () => {
    expect(readUpdate(account(9, 3, 4))).toEqual({
      kind: "account",
      slot: 9,
      account: { address: pool, owner, data: new Uint8Array([3, 4]) },
      signature: base58Encode(signature(3)),
      writeVersion: 4,
    });
  });

  test("reads a transaction with its loaded accounts and inner instructions in their order", () => {
    const update = readUpdate(transaction(9, 3, 5));
    if (update?.kind !== "transaction") throw new Error("no transaction");
    const { instructions, ...rest } = update.transaction;
    expect(rest).toMatchObject({ slot: 9n, indexInSlot: 5, feePayer: payer, failed: false, logs: ["one", "two"] });
    expect(instructions.map(({ accounts, depth, data }) => [accounts, depth, [...(data() ?? [])]])).toEqual([
      [[payer, pool], 1, [7]],
      [[pool], 2, []],
    ]);
  });

  test("reads slots, blocks, entries and pings, and passes over what was not asked for", () => {
    expect(readUpdate(encode({ slot: { slot: "9", parent: "7", status: 6 } }))).toEqual({
      kind: "slot",
      slot: 9,
      parent: 7,
      status: "dead",
    });
    expect(readUpdate(encode({ ping: {} }))).toEqual({ kind: "ping" });
    expect(readUpdate(encode({ transactionStatus: { slot: "9" } }))).toBeUndefined();
  });

  test("refuses hostile bytes with words and never with another error", () => {
    const good = [account(9, 3, 4), transaction(9, 3, 5)];
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.nat(400), fc.nat(255), fc.boolean(), (bytes, at, byte, cut) => {
        const bad = cut ? bytes.slice(0, at % bytes.length) : Uint8Array.from(bytes);
        if (!cut) bad[at % bad.length] = byte;
        try {
          readUpdate(bad);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SandpiperError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("readSocketMessage() refuses what is no message of a node, in words", () => {
  for (const text of ["", "[]", "{}", '{"method":"slotNotification","params":{}}', "null"])
    expect(() => readSocketMessage(text)).toThrow("Cannot read a node's message");
});

describe("StreamMerge", () => {
  function merged(streams: readonly (readonly Uint8Array[])[]): string[] {
    const events: MarketEvent[] = [];
    const merge = new StreamMerge({ sink: (event) => events.push(event), wallMs: () => 0 });
    for (const [i, messages] of streams.entries()) {
      const { take } = merge.stream(`stream ${i}`);
      for (const bytes of messages) take(readUpdate(bytes) as LiveUpdate, 0);
    }
    return events.flatMap((event) => {
      if (event.kind !== "transaction" && event.kind !== "writes") return [];
      return [`${event.kind} ${event.accounts.map(({ data }) => data.join("."))}`];
    });
  }
  const end = (slot: number) => encode({ slot: { slot: `${slot}`, status: 0 } });

  test("lets the writes of a transaction leave with it, the last one of each account", () => {
    expect(merged([[account(9, 3, 2), account(9, 3, 1), transaction(9, 3, 0)]])).toEqual(["transaction 3.2"]);
  });

  test("lets late writes leave as a group, and writes without a transaction when their slot is over", () => {
    expect(merged([[transaction(9, 3, 0), account(9, 3, 1), account(9, 4, 2), end(9)]])).toEqual([
      "transaction ",
      "writes 3.1",
      "writes 4.2",
    ]);
  });

  test("takes what arrives first and never lets an account go back", () => {
    const first = [account(9, 3, 1), transaction(9, 3, 0), account(9, 5, 2), transaction(9, 5, 7)];
    const behind = [account(9, 4, 8), transaction(9, 4, 3), ...first];
    expect(merged([first, behind])).toEqual(["transaction 3.1", "transaction 5.2", "transaction "]);
  });

  test("takes the accounts from a second stream where the first had none to tell", () => {
    expect(merged([[transaction(9, 3, 0)], [account(9, 3, 1), transaction(9, 3, 0)]])).toEqual([
      "transaction ",
      "writes 3.1",
    ]);
  });
});
