/**
 * geyserSubscribe, the cluster's own door for the feed: what a Geyser plugin would stream. Every executed transaction
 * comes as one group with the accounts it wrote, at once, so that no reader ever sees half of it; slot starts come between.
 *
 *   params   [{ "owners": [address…], "accounts": [address…] }]    both empty: every transaction
 *   result   { slot, slotStartMs }
 *          | { slot, accounts: [{ pubkey, owner, lamports, data }] }         changed outside of the cluster, see sim/fork
 *          | { slot, transactionIndex, signature, error, fee, timeNs, accounts: [{ pubkey, owner, lamports, writeVersion, data }],
 *              transaction, logs, innerInstructions }
 *
 * A transaction that wrote one matching account comes with all it wrote. Numbers over 2^53 are texts, bytes are base64.
 */
import type { MovedAccount, RecordedTransaction } from "#sim/cluster/local-cluster.ts";
import { encodeInner } from "#sim/cluster/rpc/encode-transaction.ts";
import { addressOf, configAt, listAt } from "#sim/cluster/rpc/params.ts";
import type { Subscribe } from "./subscription.ts";

/** Addresses in each list. */
const FILTER_ADDRESSES_MAX = 10_000;

export const geyserSubscribe: Subscribe = ({ cluster, clock, notify }, params) => {
  const config = configAt(params, 0);
  const addresses = (name: string) =>
    new Set<string>(listAt([config[name] ?? []], 0, FILTER_ADDRESSES_MAX).map(addressOf));
  const owners = addresses("owners");
  const accounts = addresses("accounts");
  const everything = owners.size + accounts.size === 0;
  const matches = ({ written }: RecordedTransaction): boolean =>
    everything || written.some(({ address, owner }) => accounts.has(address) || owners.has(owner));
  return {
    onTransaction: (transaction) => {
      if (matches(transaction)) notify(encodeGroup(transaction, clock.wallNs()));
    },
    onAccounts: (moved) => {
      const wanted = moved.filter(
        ({ address, state }) => everything || accounts.has(address) || owners.has(state.owner),
      );
      if (wanted.length > 0) notify(encodeMoved(cluster.slot, wanted));
    },
    onSlot: (slot) => notify({ slot: Number(slot), slotStartMs: cluster.slotStartMs }),
  };
};

function encodeMoved(slot: bigint, moved: readonly MovedAccount[]): unknown {
  return {
    slot: Number(slot),
    accounts: moved.map(({ address, state: { owner, lamports, data } }) => ({
      pubkey: address,
      owner,
      lamports: lamports.toString(),
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    })),
  };
}

function encodeGroup(transaction: RecordedTransaction, timeNs: bigint): unknown {
  return {
    // A plain number, so that the whole group is free of bigints and quick to write.
    slot: Number(transaction.slot),
    transactionIndex: transaction.indexInSlot,
    signature: transaction.signature,
    error: transaction.error,
    fee: Number(transaction.feeLamports),
    timeNs: timeNs.toString(),
    accounts: transaction.written.map(({ address, owner, lamports, writeVersion, data }) => ({
      pubkey: address,
      owner,
      lamports: lamports.toString(),
      writeVersion: writeVersion.toString(),
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    })),
    transaction: Buffer.from(transaction.wire).toString("base64"),
    logs: transaction.logs,
    innerInstructions: encodeInner(transaction.inner),
  };
}
