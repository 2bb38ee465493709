/** RPC methods about blocks and the transactions in them, from the ledger's window. */
import { larger, smaller } from "#sim/cluster/bigints.ts";
import { commitmentOf, slotAt } from "#sim/cluster/commitment.ts";
import { computeBudget } from "#sim/cluster/fees.ts";
import type { Block } from "#sim/cluster/ledger.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { isWritable, parseAgain } from "#sim/cluster/message.ts";
import {
  type BlockView,
  blockView,
  encodeBlockTransactions,
  encodeTransaction,
  transactionView,
} from "./encode-transaction.ts";
import { invalidParams, RPC_ERROR, RpcError } from "./json-rpc.ts";
import type { RpcMethods } from "./methods.ts";
import {
  addressAt,
  addressOf,
  type Config,
  commitmentOfBlocks,
  configAt,
  listAt,
  signatureOf,
  slotParamAt,
  textAt,
  wholeAt,
} from "./params.ts";

const SIGNATURES_PER_ADDRESS_MAX = 1_000;
const STATUSES_MAX = 256;
const BLOCKS_RANGE_MAX = 500_000n;
const FEE_SLOTS = 150n;
const FEE_ACCOUNTS_MAX = 128;

export const BLOCK_METHODS: RpcMethods = {
  getSignatureStatuses: ({ cluster, context }, params) => {
    const signatures = listAt(params, 0, STATUSES_MAX).map(signatureOf);
    const statuses = signatures.map((signature) => signatureStatus(cluster, signature));
    return context({ commitment: "processed" }, statuses);
  },

  getSignaturesForAddress: ({ cluster }, params) => {
    const address = addressAt(params, 0);
    const config = configAt(params, 1);
    const limit = wholeAt([config["limit"] ?? SIGNATURES_PER_ADDRESS_MAX], 0);
    if (limit < 1 || limit > SIGNATURES_PER_ADDRESS_MAX)
      throw invalidParams(`Invalid limit; max ${SIGNATURES_PER_ADDRESS_MAX}`);
    const { before, until } = config;
    const found = cluster.ledger.ofAddress(address, {
      limit,
      toSlot: slotAt(commitmentOfBlocks(config), cluster),
      ...(before === undefined || before === null ? {} : { before: signatureOf(before) }),
      ...(until === undefined || until === null ? {} : { until: signatureOf(until) }),
    });
    return found.map((transaction) => ({
      signature: transaction.signature,
      slot: transaction.slot,
      err: transaction.error,
      memo: null,
      blockTime: transaction.blockTimeSeconds,
      confirmationStatus: commitmentOf(transaction.slot, cluster),
    }));
  },

  getTransaction: ({ cluster }, params) => {
    const signature = signatureOf(textAt(params, 0));
    const config = encodingOrConfig(params, 1);
    const committed = slotAt(commitmentOfBlocks(config), cluster);
    const view = transactionView(config);
    const transaction = cluster.ledger.transaction(signature);
    if (transaction === undefined || transaction.slot > committed) return null;
    const { slot, blockTimeSeconds } = transaction;
    return { slot, ...encodeTransaction(transaction, view, cluster.book), blockTime: blockTimeSeconds };
  },

  getBlock: ({ cluster }, params) => {
    const slot = slotParamAt(params, 0);
    const config = encodingOrConfig(params, 1);
    const view = blockView(config);
    return encodeBlock(cluster, committedBlock(cluster, slot, config), view);
  },

  getBlocks: ({ cluster }, params) => {
    const start = slotParamAt(params, 0);
    const bounded = typeof params[1] === "number";
    const last = slotAt(commitmentOfBlocks(configAt(params, bounded ? 2 : 1)), cluster);
    const end = bounded ? slotParamAt(params, 1) : last;
    if (end - start > BLOCKS_RANGE_MAX) throw invalidParams(`Slot range too large; max ${BLOCKS_RANGE_MAX}`);
    return slotsBetween(cluster, start, smaller(end, last));
  },

  getBlocksWithLimit: ({ cluster }, params) => {
    const start = slotParamAt(params, 0);
    const limit = slotParamAt(params, 1);
    if (limit > BLOCKS_RANGE_MAX) throw invalidParams(`Limit too large; max ${BLOCKS_RANGE_MAX}`);
    const last = slotAt(commitmentOfBlocks(configAt(params, 2)), cluster);
    const { firstSlot } = cluster.ledger;
    const from = larger(start, firstSlot);
    const end = from + limit - 1n;
    return slotsBetween(cluster, from, smaller(end, last));
  },

  getBlockTime: ({ cluster }, params) =>
    committedBlock(cluster, slotParamAt(params, 0), { commitment: "confirmed" }).timeSeconds,
  getFirstAvailableBlock: ({ cluster }) => cluster.ledger.firstSlot,
  minimumLedgerSlot: ({ cluster }) => cluster.ledger.firstSlot,

  getRecentPrioritizationFees: ({ cluster }, params) => {
    const addresses = params[0] === undefined ? [] : listAt(params, 0, FEE_ACCOUNTS_MAX).map(addressOf);
    const last = cluster.slot - 1n;
    const first = last - FEE_SLOTS + 1n;
    return slotsBetween(cluster, larger(first, 0n), last).map((slot) => ({
      slot,
      prioritizationFee: prioritizationFee(cluster, slot, addresses),
    }));
  },
};

/** A block as getBlock and blockSubscribe answer it. */
export function encodeBlock(cluster: LocalCluster, block: Block, view: BlockView): unknown {
  return {
    previousBlockhash: cluster.blockhashOf(block.slot - 1n),
    blockhash: cluster.blockhashOf(block.slot),
    parentSlot: block.slot - 1n,
    ...encodeBlockTransactions(block.transactions, view, cluster.book),
    ...(view.rewards ? { rewards: [] } : {}),
    blockTime: block.timeSeconds,
    blockHeight: block.slot,
  };
}

function committedBlock(cluster: LocalCluster, slot: bigint, config: Config): Block {
  if (slot > slotAt(commitmentOfBlocks(config), cluster))
    throw new RpcError(RPC_ERROR.blockNotAvailable, `Block not available for slot ${slot}`);
  const block = cluster.ledger.block(slot);
  if (block !== undefined) return block;
  if (slot < cluster.startSlot)
    throw new RpcError(
      RPC_ERROR.slotSkipped,
      `Slot ${slot} was skipped, or missing due to ledger jump to recent snapshot`,
    );
  throw new RpcError(
    RPC_ERROR.blockCleanedUp,
    `Block ${slot} cleaned up, does not exist on node. First available block: ${cluster.ledger.firstSlot}`,
  );
}

function signatureStatus(cluster: LocalCluster, signature: string): unknown {
  const transaction = cluster.ledger.transaction(signature);
  if (transaction === undefined) return null;
  const confirmationStatus = commitmentOf(transaction.slot, cluster);
  return {
    slot: transaction.slot,
    confirmations: confirmationStatus === "finalized" ? null : cluster.slot - transaction.slot,
    err: transaction.error,
    status: transaction.error === null ? { Ok: null } : { Err: transaction.error },
    confirmationStatus,
  };
}

/** Old clients pass the encoding alone. */
function encodingOrConfig(params: readonly unknown[], index: number): Config {
  const value = params[index];
  return typeof value === "string" ? { encoding: value } : configAt(params, index);
}

function slotsBetween(cluster: LocalCluster, start: bigint, end: bigint): bigint[] {
  const slots: bigint[] = [];
  const { firstSlot } = cluster.ledger;
  for (let slot = larger(start, firstSlot); slot <= end; slot++) slots.push(slot);
  return slots;
}

/** Micro-lamports a unit that would have been enough in that block to write all these accounts. */
function prioritizationFee(cluster: LocalCluster, slot: bigint, addresses: readonly string[]): bigint {
  const transactions = (cluster.ledger.block(slot)?.transactions ?? []).map(({ wire, keys, loaded }) => {
    const parsed = parseAgain(wire, cluster.book);
    const written = keys.filter((_, i) => isWritable(parsed, i, loaded.writable.length));
    return { written: new Set<string>(written), price: computeBudget(parsed).microLamportsPerUnit };
  });
  const least = (prices: readonly bigint[]): bigint => (prices.length === 0 ? 0n : prices.reduce(smaller));
  const all = least(transactions.map(({ price }) => price));
  const perAddress = addresses.map((address) =>
    least(transactions.filter(({ written }) => written.has(address)).map(({ price }) => price)),
  );
  return perAddress.reduce(larger, all);
}
