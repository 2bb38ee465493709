/** What the pool of nonces believes and what it does not, with a cluster that answers what it is told to. */
import { beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Decode, base58Encode } from "#core/base58.ts";
import { ManualClock } from "#core/clock.ts";
import { err, ok } from "#core/result.ts";
import { type Address, SIGNATURE_FEE_LAMPORTS, type Signature } from "#core/units.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import type { Rpc } from "#execute/rpc.ts";
import { nonceAddress } from "./nonce-account.ts";
import { NonceAccounts } from "./nonce-accounts.ts";
import { readNonces } from "./read-nonces.ts";

const wallet = keypairFromSeed(new Uint8Array(32).fill(7));
const text = (fill: number) => base58Encode(new Uint8Array(32).fill(fill));

function accountOf(value: number, authority: Address = wallet.address): unknown {
  const data = Buffer.alloc(80);
  data.writeUInt32LE(1, 0);
  data.writeUInt32LE(1, 4);
  data.set(base58Decode(authority), 8);
  data.fill(value, 40, 72);
  return { owner: SYSTEM_PROGRAM, data: [data.toString("base64"), "base64"] };
}

let clock: ManualClock;
let answer: unknown;
let sent: string[];
let nonces: NonceAccounts;
const rpc: Rpc = async (method, params) => {
  if (method === "sendTransaction") sent.push(String(params[0]));
  return answer === undefined ? err({ code: 0, text: "away", retry: "later" }) : ok(answer);
};
/** The cluster says that in this slot the first account was so, and a second one is not there. */
const hear = (slot: number, account: unknown, others: readonly unknown[] = [null]) => {
  answer = { context: { slot }, value: [account, ...others] };
  return nonces.refresh();
};

beforeEach(() => {
  clock = new ManualClock(0n, 1e9);
  answer = undefined;
  sent = [];
  nonces = new NonceAccounts({ rpc, clock, wallet, count: 2 });
});

test("take() gives a value once, from the slot after the one that made it, until the chain shows another", async () => {
  expect(nonces.take()).toBeUndefined();
  await hear(10, accountOf(1));
  expect(nonces.take()).toBeUndefined();
  await hear(11, accountOf(1));
  const use = nonces.take();
  expect(use).toEqual({ account: nonceAddress(wallet.address, 0), value: text(1), slot: 11 });
  expect(nonces.take()).toBeUndefined();
  await hear(12, accountOf(1));
  expect([nonces.take(), use && nonces.ended(use)]).toEqual([undefined, undefined]);
  await hear(13, accountOf(2));
  expect(use && nonces.ended(use)).toContain(`advanced from ${text(1)} to ${text(2)} by slot 13`);
  expect(nonces.take()).toBeUndefined();
  await hear(14, accountOf(2));
  expect(nonces.take()?.value).toBe(text(2));
});

test("an answer older than one that was heard changes nothing", async () => {
  await hear(10, accountOf(2));
  await hear(11, accountOf(2));
  const use = nonces.take();
  await hear(9, accountOf(1));
  await hear(11, null, []);
  expect(use && nonces.ended(use)).toBeUndefined();
  if (use !== undefined) nonces.giveBack(use);
  expect(nonces.take()?.value).toBe(text(2));
});

test("take() leaves alone an account of another authority, and one that was heard of long ago", async () => {
  for (const slot of [10, 11]) await hear(slot, accountOf(1, SYSTEM_PROGRAM));
  expect(nonces.take()).toBeUndefined();
  for (const slot of [12, 13]) await hear(slot, accountOf(2));
  clock.advanceNs(31e9);
  expect(nonces.take()).toBeUndefined();
});

test("hold() keeps what an earlier life sent, also on an account that is sent on no more", async () => {
  const account = nonceAddress(wallet.address, 9);
  nonces.hold({ account, value: text(5), slot: 8 });
  nonces.hold({ account, value: text(4), slot: 7 });
  nonces.hold({ account: nonceAddress(wallet.address, 0), value: text(1), slot: 8 });
  for (const slot of [10, 11]) await hear(slot, accountOf(1), [null, accountOf(5)]);
  expect(nonces.take()).toBeUndefined();
  expect(nonces.ended({ account, value: text(5), slot: 8 })).toBeUndefined();
  expect(nonces.ended({ account, value: text(4), slot: 7 })).toBeDefined();
  await hear(12, accountOf(1), [null, null]);
  expect(nonces.ended({ account, value: text(5), slot: 8 })).toContain("is not there by slot 12");
});

test("end() sends the same bytes each time, at most once a second", async () => {
  await hear(10, accountOf(1));
  await hear(11, accountOf(1));
  const use = nonces.take() ?? { account: wallet.address, value: "", slot: 0 };
  for (let i = 0; i < 4; i++) {
    await nonces.end(use);
    clock.advanceNs(0.6e9);
  }
  expect(sent.length).toBe(2);
  expect(new Set(sent).size).toBe(1);
});

test("costOfEnd() tells nothing while the transaction is known, or from a node that is behind", async () => {
  await hear(11, accountOf(1));
  const use = { account: nonceAddress(wallet.address, 0), value: text(1), slot: 10 };
  await hear(20, accountOf(2));
  const cost = (slot: number, value: unknown) => {
    answer = { context: { slot }, value };
    return nonces.costOfEnd(use, "s" as Signature);
  };
  expect(await cost(20, [null, { slot: 19 }])).toBe(SIGNATURE_FEE_LAMPORTS);
  expect(await cost(20, [null, null])).toBe(0n);
  expect(await cost(19, [null, null])).toBeUndefined();
  expect(await cost(20, [{ slot: 19 }, null])).toBeUndefined();
  for (const hostile of [[null], [], {}, undefined, [undefined, null]]) expect(await cost(20, hostile)).toBeUndefined();
  answer = undefined;
  expect(await nonces.costOfEnd(use, "s" as Signature)).toBeUndefined();
});

test("readNonces() finds a reason in whatever a node answers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.anything(), async (anything) => {
      const whole = await readNonces(async () => ok(anything), [wallet.address]);
      expect(whole).toBeUndefined();
      const account = await readNonces(async () => ok({ context: { slot: 1 }, value: [anything] }), [wallet.address]);
      expect(account?.readings).toHaveLength(1);
      expect(account?.readings[0]?.state).toBeUndefined();
      expect(account?.readings[0]?.why).not.toBe("");
    }),
  );
});
