/** What a feed that was away missed: the transactions after the last one that it passed on, from the node's blocks. */
import { fetchBlock } from "./live/fetch-transactions.ts";
import type { RpcNode } from "./live/rpc-node.ts";
import type { MarketTransaction } from "./transaction.ts";

/** A transaction that was passed on, and nothing after it. */
export type MarketPosition = { readonly slot: bigint; readonly signature: string };

/** Streams tell slots that lie beside each other in any order: the last slots of a feed before are asked for again. */
const RESUME_BEHIND_SLOTS = 4n;
/** More than a minute and a half of a market is nothing to act on any more. */
const SLOTS_MAX = 256n;

/**
 * The transactions after `since` to the end of block `last`, in the market's order. Undefined when they cannot be had: more
 * than 256 slots, or another history than the one `since` was in. Throws a SandpiperError when the node does not answer.
 */
export async function transactionsSince(
  node: RpcNode,
  since: MarketPosition,
  last: bigint,
): Promise<readonly MarketTransaction[] | undefined> {
  if (last < since.slot || last - since.slot > SLOTS_MAX) return undefined;
  const found = await fetchBlock(node, Number(since.slot));
  const place = found.findIndex(({ signature }) => signature === since.signature);
  if (place < 0) return undefined;
  const missed = found.slice(place + 1);
  for (let slot = since.slot + 1n; slot <= last; slot++) missed.push(...(await fetchBlock(node, Number(slot))));
  return missed;
}

/** The slot from which streams of the network go on where the feed before ended; 0 when none of it is known. */
export function resumeSlotOf(passed: readonly MarketPosition[]): number {
  const newest = passed.reduce((slot, one) => (one.slot > slot ? one.slot : slot), 0n);
  return newest > RESUME_BEHIND_SLOTS ? Number(newest - RESUME_BEHIND_SLOTS) : 0;
}
