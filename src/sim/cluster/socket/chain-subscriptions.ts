/** Subscriptions to the chain itself: slots, roots, blocks, and the fate of one signature. */
import { larger } from "#sim/cluster/bigints.ts";
import { slotAt } from "#sim/cluster/commitment.ts";
import type { Block } from "#sim/cluster/ledger.ts";
import { encodeBlock } from "#sim/cluster/rpc/block-methods.ts";
import { blockView } from "#sim/cluster/rpc/encode-transaction.ts";
import { invalidParams, RPC_ERROR, RpcError } from "#sim/cluster/rpc/json-rpc.ts";
import {
  addressOf,
  commitmentIn,
  commitmentOfBlocks,
  configAt,
  flagOf,
  signatureOf,
  textAt,
} from "#sim/cluster/rpc/params.ts";
import { atSlot, type Subscribe, type SubscriptionContext } from "./subscription.ts";

const NS_PER_MS = 1_000_000n;

export const slotSubscribe: Subscribe = ({ cluster, notify }) => ({
  onSlot: (slot) => notify({ slot, parent: slot - 1n, root: slotAt("finalized", cluster) }),
});

export const rootSubscribe: Subscribe = ({ cluster, notify }) => {
  let last = slotAt("finalized", cluster);
  return {
    onSlot: () => {
      const root = slotAt("finalized", cluster);
      if (root === last) return;
      last = root;
      notify(root);
    },
  };
};

export const slotsUpdatesSubscribe: Subscribe = ({ cluster, clock, notify }) => ({
  onSlot: (slot) => {
    const timestamp = clock.wallNs() / NS_PER_MS;
    const built = slot - 1n;
    const entries = cluster.ledger.block(built)?.transactions ?? [];
    const failed = entries.filter(({ error }) => error !== null).length;
    const stats = {
      numTransactionEntries: entries.length,
      numSuccessfulTransactions: entries.length - failed,
      numFailedTransactions: failed,
      maxTransactionsPerEntry: 1,
    };
    notify({ slot: built, timestamp, type: "completed" });
    notify({ slot: built, timestamp, stats, type: "frozen" });
    notify({ slot: built, timestamp, type: "optimisticConfirmation" });
    notify({ slot: slotAt("finalized", cluster), timestamp, type: "root" });
    notify({ slot, timestamp, type: "firstShredReceived" });
    notify({ slot, parent: built, timestamp, type: "createdBank" });
  },
});

/** One notification, when the transaction has the commitment; before it, on request, one that it was received. */
export const signatureSubscribe: Subscribe = ({ cluster, notify, end }, params) => {
  const signature = signatureOf(textAt(params, 0));
  const config = configAt(params, 1);
  const commitment = commitmentIn(config);
  const tellReceived = flagOf(config["enableReceivedNotification"]);
  const check = (): void => {
    const transaction = cluster.ledger.transaction(signature);
    if (transaction === undefined || transaction.slot > slotAt(commitment, cluster)) return;
    notify(atSlot(slotAt(commitment, cluster), { err: transaction.error }));
    end();
  };
  return {
    start: check,
    onTransaction: (transaction) => {
      if (transaction.signature !== signature) return;
      if (tellReceived) notify(atSlot(transaction.slot, "receivedSignature"));
      if (commitment === "processed") check();
    },
    onSlot: check,
  };
};

export const blockSubscribe: Subscribe = (context, params) => {
  const { cluster } = context;
  const mentioned = mentionedAddress(params[0]);
  const config = configAt(params, 1);
  const view = blockView(config);
  const commitment = commitmentOfBlocks(config);
  let sent = slotAt(commitment, cluster);
  return {
    onSlot: () => {
      const last = slotAt(commitment, cluster);
      for (let slot = larger(sent + 1n, cluster.ledger.firstSlot); slot <= last; slot++) {
        const block = cluster.ledger.block(slot);
        if (block === undefined) continue;
        const transactions =
          mentioned === undefined
            ? block.transactions
            : block.transactions.filter(({ keys }) => keys.includes(mentioned));
        if (mentioned === undefined || transactions.length > 0) notifyBlock(context, { ...block, transactions }, view);
      }
      sent = last;
    },
  };
};

function notifyBlock({ cluster, notify }: SubscriptionContext, block: Block, view: ReturnType<typeof blockView>): void {
  const { slot } = block;
  try {
    notify(atSlot(slot, { slot, block: encodeBlock(cluster, block, view), err: null }));
  } catch (thrown) {
    if (!(thrown instanceof RpcError) || thrown.code !== RPC_ERROR.unsupportedTransactionVersion) throw thrown;
    notify(atSlot(slot, { slot, block: null, err: { UnsupportedTransactionVersion: 0 } }));
  }
}

/** Undefined means whole blocks. */
function mentionedAddress(filter: unknown) {
  if (filter === "all") return undefined;
  const { mentionsAccountOrProgram } = (filter ?? {}) as { readonly mentionsAccountOrProgram?: unknown };
  if (mentionsAccountOrProgram === undefined)
    throw invalidParams("Invalid params: expected `all` or `mentionsAccountOrProgram`.");
  return addressOf(mentionsAccountOrProgram);
}
