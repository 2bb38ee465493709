/** Transactions from a node's RPC: one by its signature, or those of a block. */
import type { Address } from "#core/units.ts";
import { parseTransaction } from "#market/block-shape.ts";
import type { MarketTransaction } from "#market/transaction.ts";
import type { RpcNode } from "./rpc-node.ts";

const OPTIONS = { encoding: "json", commitment: "confirmed", maxSupportedTransactionVersion: 0 } as const;

/** Undefined while the node does not know it. */
export async function fetchTransaction(node: RpcNode, signature: string): Promise<MarketTransaction | undefined> {
  const answer = await node.call("getTransaction", [signature, OPTIONS]);
  if (answer.value === null) return undefined;
  const index = answer.has("transactionIndex") ? answer.at("transactionIndex").whole() : 0;
  return parseTransaction(answer, BigInt(answer.at("slot").whole()), index);
}

/** In the block's order, those that name one of the programs when there are any; none for a slot without a block. */
export async function fetchBlock(
  node: RpcNode,
  slot: number,
  programs?: readonly Address[],
): Promise<MarketTransaction[]> {
  const slots = await node.call("getBlocks", [slot, slot, { commitment: "confirmed" }]);
  if (slots.list().length === 0) return [];
  const answer = await node.call("getBlock", [slot, { ...OPTIONS, transactionDetails: "full", rewards: false }]);
  if (answer.value === null) return [];
  const all = answer
    .at("transactions")
    .list()
    .map((item, index) => parseTransaction(item, BigInt(slot), index));
  if (programs === undefined) return all;
  const wanted = new Set(programs);
  return all.filter(({ instructions }) => instructions.some(({ program }) => wanted.has(program)));
}
