/** RPC methods about the chain itself: slots, epochs, leaders, blockhashes, versions. One validator leads every slot. */

import { SLOTS_PER_EPOCH } from "#execute/svm/machine.ts";
import { type Commitment, slotAt } from "#sim/cluster/commitment.ts";
import { feeLamports } from "#sim/cluster/fees.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { parseMessage } from "#sim/cluster/message.ts";
import { BLOCKHASH_AGE_SLOTS_MAX } from "#sim/cluster/recent-blockhashes.ts";
import { invalidParams } from "./json-rpc.ts";
import { AGAVE_VERSION, type RpcMethods } from "./methods.ts";
import { commitmentIn, configAt, contextSlot, slotParamAt, textAt, wholeAt } from "./params.ts";

const SLOT_LEADERS_MAX = 5_000;
const VERSION = { "solana-core": AGAVE_VERSION, "feature-set": 0 };

export const CHAIN_METHODS: RpcMethods = {
  getHealth: () => "ok",
  getVersion: () => VERSION,
  getGenesisHash: ({ cluster }) => cluster.genesisHash,
  getIdentity: ({ cluster }) => ({ identity: cluster.identity }),
  getSlot: ({ cluster }, params) => contextSlot(cluster, configAt(params, 0)),
  // No slot is ever skipped here, so that the height of a block is its slot.
  getBlockHeight: ({ cluster }, params) => contextSlot(cluster, configAt(params, 0)),
  getTransactionCount: ({ cluster }) => cluster.ledger.transactionCount,

  getEpochInfo: ({ cluster }, params) => {
    const slot = contextSlot(cluster, configAt(params, 0));
    return {
      absoluteSlot: slot,
      blockHeight: slot,
      epoch: slot / SLOTS_PER_EPOCH,
      slotIndex: slot % SLOTS_PER_EPOCH,
      slotsInEpoch: SLOTS_PER_EPOCH,
      transactionCount: cluster.ledger.transactionCount,
    };
  },

  getEpochSchedule: () => ({
    slotsPerEpoch: SLOTS_PER_EPOCH,
    leaderScheduleSlotOffset: SLOTS_PER_EPOCH,
    warmup: false,
    firstNormalEpoch: 0,
    firstNormalSlot: 0,
  }),

  getLeaderSchedule: ({ cluster }, params) => {
    const first = params[0];
    const slot = typeof first === "number" ? slotParamAt(params, 0) : cluster.slot;
    const { identity } = configAt(params, typeof first === "object" && first !== null ? 0 : 1);
    if (slot / SLOTS_PER_EPOCH > cluster.slot / SLOTS_PER_EPOCH + 1n) return null;
    if (identity !== undefined && identity !== cluster.identity) return {};
    return { [cluster.identity]: Array.from({ length: Number(SLOTS_PER_EPOCH) }, (_, i) => i) };
  },

  getSlotLeader: ({ cluster }) => cluster.identity,

  getSlotLeaders: ({ cluster }, params) => {
    slotParamAt(params, 0);
    const limit = wholeAt(params, 1);
    if (limit > SLOT_LEADERS_MAX) throw invalidParams(`Invalid limit; max ${SLOT_LEADERS_MAX}`);
    return new Array(limit).fill(cluster.identity);
  },

  getClusterNodes: ({ cluster, doors }) => [
    {
      pubkey: cluster.identity,
      gossip: null,
      tpu: null,
      tpuQuic: doors.tpuQuic,
      rpc: doors.rpc,
      pubsub: doors.pubsub,
      version: AGAVE_VERSION,
      featureSet: 0,
      shredVersion: 0,
    },
  ],

  getLatestBlockhash: ({ cluster, context }, params) => {
    const config = configAt(params, 0);
    return context(config, latestBlockhash(cluster, commitmentIn(config)));
  },

  isBlockhashValid: ({ cluster, context }, params) =>
    context(configAt(params, 1), cluster.isBlockhashValid(textAt(params, 0))),

  getFeeForMessage: ({ cluster, context }, params) => {
    const message = Buffer.from(textAt(params, 0), "base64");
    const parsed = parseMessage(message, cluster.book);
    if (!parsed.ok)
      throw invalidParams(`failed to deserialize solana_message::VersionedMessage: ${parsed.error.reason}`);
    const fee = cluster.isBlockhashValid(parsed.value.blockhash) ? feeLamports(parsed.value) : null;
    return context(configAt(params, 1), fee);
  },

  getSupply: ({ cluster, context }, params) =>
    context(configAt(params, 0), {
      total: cluster.capitalizationLamports,
      circulating: cluster.capitalizationLamports,
      nonCirculating: 0,
      nonCirculatingAccounts: [],
    }),
};

/** The newest blockhash whose block has the commitment. */
function latestBlockhash(cluster: LocalCluster, commitment: Commitment): unknown {
  // The slot being built has no blockhash yet.
  const slot = commitment === "processed" ? cluster.slot - 1n : slotAt(commitment, cluster);
  return { blockhash: cluster.blockhashOf(slot), lastValidBlockHeight: slot + BLOCKHASH_AGE_SLOTS_MAX };
}
