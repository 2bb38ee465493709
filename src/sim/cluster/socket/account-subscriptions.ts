/** accountSubscribe, programSubscribe and logsSubscribe. */
import type { AccountState } from "#sim/cluster/cluster.ts";
import { accountFilters, accountView, encodeAccount } from "#sim/cluster/rpc/encode-account.ts";
import { invalidParams } from "#sim/cluster/rpc/json-rpc.ts";
import { addressAt, addressOf, commitmentIn, configAt } from "#sim/cluster/rpc/params.ts";
import { atSlot, CommitmentQueue, type Subscribe } from "./subscription.ts";

export const accountSubscribe: Subscribe = (context, params) => {
  const address = addressAt(params, 0);
  const config = configAt(params, 1);
  const view = accountView(config);
  const queue = new CommitmentQueue<AccountState>(context, commitmentIn(config), (slot, state) =>
    context.notify(atSlot(slot, encodeAccount(state, view, context.cluster))),
  );
  return {
    onTransaction: ({ slot, written }) => {
      const account = written.find((one) => one.address === address);
      if (account !== undefined) queue.push(slot, account, address);
    },
    onSlot: () => queue.release(),
  };
};

export const programSubscribe: Subscribe = (context, params) => {
  const program = addressAt(params, 0);
  const config = configAt(params, 1);
  const view = accountView(config);
  const passes = accountFilters(config["filters"]);
  const queue = new CommitmentQueue<{ readonly pubkey: string; readonly state: AccountState }>(
    context,
    commitmentIn(config),
    (slot, { pubkey, state }) =>
      context.notify(atSlot(slot, { pubkey, account: encodeAccount(state, view, context.cluster) })),
  );
  return {
    onTransaction: ({ slot, written }) => {
      for (const account of written)
        if (account.owner === program && passes(account))
          queue.push(slot, { pubkey: account.address, state: account }, account.address);
    },
    onSlot: () => queue.release(),
  };
};

export const logsSubscribe: Subscribe = (context, params) => {
  const mentioned = mentionedAddress(params[0]);
  const queue = new CommitmentQueue<unknown>(context, commitmentIn(configAt(params, 1)), (slot, value) =>
    context.notify(atSlot(slot, value)),
  );
  return {
    onTransaction: ({ slot, signature, error, logs, keys }) => {
      if (mentioned === undefined || keys.includes(mentioned)) queue.push(slot, { signature, err: error, logs });
    },
    onSlot: () => queue.release(),
  };
};

/** Undefined means all transactions. */
function mentionedAddress(filter: unknown) {
  if (filter === "all" || filter === "allWithVotes") return undefined;
  const mentions = (filter as { readonly mentions?: unknown } | null | undefined)?.mentions;
  if (!Array.isArray(mentions)) throw invalidParams("Invalid params: expected `all`, `allWithVotes` or `mentions`.");
  if (mentions.length !== 1) throw invalidParams("Invalid Request: Only 1 address supported");
  return addressOf(mentions[0]);
}
