/** The layout of nonce accounts and the instructions for them; the local cluster's own tests run them on the real program. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  advancedNonceAccount,
  advanceNonce,
  decodeNonceAccount,
  durableNonce,
  isAdvanceNonce,
  NONCE_ACCOUNT_BYTES,
  nonceAddress,
} from "./nonce-account.ts";

const key = (fill: number) => new Uint8Array(32).fill(fill);

function account(fields: { version?: number; state?: number; authority?: Uint8Array; value?: Uint8Array } = {}) {
  const data = new Uint8Array(NONCE_ACCOUNT_BYTES);
  const view = new DataView(data.buffer);
  view.setUint32(0, fields.version ?? 1, true);
  view.setUint32(4, fields.state ?? 1, true);
  data.set(fields.authority ?? key(3), 8);
  data.set(fields.value ?? key(4), 40);
  view.setBigUint64(72, 5_000n, true);
  return data;
}

describe("decodeNonceAccount()", () => {
  test("reads authority and value, also from the middle of a buffer", () => {
    const around = new Uint8Array(NONCE_ACCOUNT_BYTES + 7);
    around.set(account(), 7);
    for (const data of [account(), around.subarray(7)])
      expect(decodeNonceAccount(data)).toEqual({
        ok: true,
        value: { authority: base58Encode(key(3)) as Address, value: base58Encode(key(4)) },
      });
  });

  test.each([
    ["80 bytes, was 79", account().subarray(1)],
    ["80 bytes, was 0", new Uint8Array()],
    ["version 1, was 0", account({ version: 0 })],
    ["version 1, was 4294967295", account({ version: 0xffffffff })],
    ["an initialized account, was state 0", account({ state: 0 })],
    ["an initialized account, was state 2", account({ state: 2 })],
  ])("refuses what is none: %s", (said, data) => {
    const read = decodeNonceAccount(data);
    expect(read.ok ? "" : read.error.message).toBe(`Cannot read a nonce account: ${said}`);
  });

  test("takes any bytes without throwing, and reads back what an advance wrote", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodeNonceAccount(bytes);
        expect(read.ok).toBe(
          bytes.length === NONCE_ACCOUNT_BYTES &&
            Buffer.from(bytes.subarray(0, 8)).toString("hex") === "0100000001000000",
        );
      }),
    );
    const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(key32, key32, (authority, value) => {
        const read = decodeNonceAccount(advancedNonceAccount(account({ authority }), value));
        expect(read).toEqual({
          ok: true,
          value: { authority: base58Encode(authority) as Address, value: base58Encode(value) },
        });
      }),
    );
  });
});

test("durableNonce() is SHA-256 over DURABLE_NONCE and the blockhash", () => {
  const hash = new Bun.CryptoHasher("sha256")
    .update(Buffer.concat([Buffer.from("DURABLE_NONCE"), key(9)]))
    .digest("hex");
  expect(Buffer.from(durableNonce(key(9))).toString("hex")).toBe(hash);
});

test("isAdvanceNonce() knows the advance and nothing else", () => {
  const { data } = advanceNonce(nonceAddress(SYSTEM_PROGRAM, 0), SYSTEM_PROGRAM);
  expect(isAdvanceNonce(SYSTEM_PROGRAM, data)).toBe(true);
  expect(isAdvanceNonce(SYSTEM_PROGRAM, Uint8Array.of(...data, 1))).toBe(true);
  expect(isAdvanceNonce(undefined, data)).toBe(false);
  expect(isAdvanceNonce(base58Encode(key(1)) as Address, data)).toBe(false);
  for (const other of [[], [4], [4, 0, 0], [5, 0, 0, 0], [4, 1, 0, 0], [4, 0, 0, 1]])
    expect(isAdvanceNonce(SYSTEM_PROGRAM, Uint8Array.from(other))).toBe(false);
});

test("nonceAddress() gives each wallet and number an address of its own", () => {
  const wallets = [1, 2].map((fill) => base58Encode(key(fill)) as Address);
  const addresses = wallets.flatMap((wallet) => [0, 1, 10].map((index) => nonceAddress(wallet, index)));
  expect(new Set(addresses).size).toBe(addresses.length);
});
