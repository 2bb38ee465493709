/** Transactions whose accounts come from an address lookup table. */
import { expect, test } from "bun:test";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { funded, keyOf, SOL, testCluster } from "./fixture.ts";
import type { LocalCluster } from "./local-cluster.ts";

const TABLE_PROGRAM = "AddressLookupTab1e1111111111111111111111111" as Address;
const table = keyOf("table");
const bob = keyOf("bob");

function writeTable(cluster: LocalCluster, addresses: readonly Uint8Array[]): void {
  const data = new Uint8Array(56 + addresses.length * 32);
  const view = new DataView(data.buffer);
  view.setUint32(0, 1, true);
  view.setBigUint64(4, 0xffff_ffff_ffff_ffffn, true);
  for (const [i, address] of addresses.entries()) data.set(address, 56 + i * 32);
  cluster.setAccount(table.address, { lamports: SOL, owner: TABLE_PROGRAM, data, executable: false });
}

/** Alice sends one SOL to whoever stands at `index` of the table. */
function transferThroughTable(cluster: LocalCluster, index: number): Uint8Array {
  const alice = keyOf("alice");
  const amount = new Uint8Array(12);
  new DataView(amount.buffer).setUint32(0, 2, true);
  new DataView(amount.buffer).setBigUint64(4, SOL, true);
  const message = Uint8Array.from([
    ...[0x80, 1, 0, 1, 2],
    ...alice.publicKey,
    ...new Uint8Array(32),
    ...base58Decode(cluster.latestBlockhash().blockhash),
    ...[1, 1, 2, 0, 2, amount.length],
    ...amount,
    ...[1, ...table.publicKey, 1, index, 0],
  ]);
  return Uint8Array.from([1, ...alice.sign(message), ...message]);
}

test("submit() writes and records accounts that a table names", () => {
  const cluster = testCluster();
  const alice = funded(cluster, "alice");
  writeTable(cluster, [keyOf("other").publicKey, bob.publicKey]);
  cluster.nextSlot();
  const result = cluster.submit(transferThroughTable(cluster, 1));
  if (result.kind !== "executed") throw new Error(JSON.stringify(result.error));
  expect(result.executed.error).toBeNull();
  expect(result.executed.written.map(({ address }) => address)).toEqual([alice.address, bob.address]);
  const kept = cluster.ledger.transaction(result.executed.signature);
  expect(kept?.loaded).toEqual({ writable: [bob.address], readonly: [] });
  expect(kept?.postBalances).toEqual([9n * SOL - 5_000n, 1n, SOL]);
});

test("submit() refuses an index beyond the table and a table that is not there", () => {
  const cluster = testCluster();
  funded(cluster, "alice");
  expect(cluster.submit(transferThroughTable(cluster, 0))).toMatchObject({
    kind: "refused",
    error: "AddressLookupTableNotFound",
  });
  writeTable(cluster, [bob.publicKey]);
  cluster.nextSlot();
  expect(cluster.submit(transferThroughTable(cluster, 1))).toMatchObject({
    kind: "refused",
    error: "InvalidAddressLookupTableIndex",
  });
});
