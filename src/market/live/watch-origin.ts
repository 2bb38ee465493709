/**
 * Which accounts of the operator's cluster moved, for a fork that keeps a copy of them: told by the same streams that mode
 * live trades on. Only addresses are kept; the fork reads what is behind them itself, all of one slot.
 */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { poolFilter } from "#market/pool-filter.ts";
import { furtherAccounts, makesPrices } from "#market/rpc-snapshot.ts";
import type { AccountWrite } from "#market/source.ts";
import { checkNode, openStreams } from "./open-streams.ts";
import { RpcNode } from "./rpc-node.ts";
import type { LiveUpdate } from "./update.ts";

export type WatchParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly runId: string;
};

/** Accounts that moved and are not taken yet; beyond, all count as moved. */
const MOVED_MAX = 50_000;

/**
 * Checks the node, then follows its streams until it is stopped; without streams every account counts as moved at every
 * look. Throws a SandpiperError for a node of another cluster, or one that lags.
 */
export async function watchOrigin({ config, clock, log, runId }: WatchParts) {
  const random = seededRandom(`origin ${runId}`);
  const node = new RpcNode(config["market.rpcUrl"], random);
  await checkNode(node, config["market.genesisHash"]);
  const { passes: allowed } = poolFilter(config);
  const accounts = new Set<Address>();
  const streams = openStreams({ config, clock, random, log, node, accounts });
  let [moved, found, all] = [new Set<Address>(), new Set<Address>(), true];
  const see = (account: AccountWrite) => {
    if (moved.size >= MOVED_MAX) all = true;
    else moved.add(account.address);
    if (!makesPrices(account) || !allowed(account)) return;
    // New pools, ticks and vaults: the fork does not have them until it is told of them.
    for (const address of [account.address, ...furtherAccounts(account)])
      if (!accounts.has(address) && found.size < MOVED_MAX) found.add(address);
  };
  const take = (update: LiveUpdate) => {
    if (update.kind === "account") see(update.account);
    else if (update.kind === "endOfSlot") update.accounts.forEach(see);
    else if (update.kind === "slot" && update.status === "dead") all = true;
  };
  const broke = () => {
    all = true;
  };
  for (const stream of streams)
    stream.run({ take, broke }).catch((thrown: unknown) => log.error(errorText(thrown), { stream: stream.name }));
  return {
    /** Further accounts that the fork has, to be followed from now on. */
    follow: (addresses: Iterable<Address>) => {
      const before = accounts.size;
      for (const address of addresses) accounts.add(address);
      if (accounts.size > before) for (const stream of streams) stream.refilter();
    },
    /** What moved since the last call, and which accounts nobody asked for yet. */
    take: () => {
      const taken = { moved: all || streams.length === 0 ? ("all" as const) : [...moved], found: [...found] };
      [moved, found, all] = [new Set(), new Set(), false];
      return taken;
    },
    stop: () => {
      for (const stream of streams) stream.stop();
    },
  };
}
