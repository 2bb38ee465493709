/**
 * Commitment on a cluster with one validator and no votes: a slot is processed while it is being built, confirmed one
 * slot later, and finalized 32 slots later, as on a healthy mainnet.
 */
import { larger } from "./bigints.ts";

export const COMMITMENTS = ["processed", "confirmed", "finalized"] as const;
export type Commitment = (typeof COMMITMENTS)[number];

const LAG_SLOTS: Readonly<Record<Commitment, bigint>> = { processed: 0n, confirmed: 1n, finalized: 32n };

/** The newest slot that has this commitment; never before the genesis block of this incarnation. */
export function slotAt(commitment: Commitment, cluster: { readonly slot: bigint; readonly startSlot: bigint }): bigint {
  return larger(cluster.slot - LAG_SLOTS[commitment], cluster.startSlot - 1n);
}

/** The highest commitment that a slot has. */
export function commitmentOf(slot: bigint, cluster: { readonly slot: bigint; readonly startSlot: bigint }): Commitment {
  if (slot <= slotAt("finalized", cluster)) return "finalized";
  return slot <= slotAt("confirmed", cluster) ? "confirmed" : "processed";
}
