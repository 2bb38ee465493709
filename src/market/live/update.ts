/**
 * What a stream of the network says, before several streams are made one: the same words for Yellowstone gRPC, RPC
 * WebSocket and recordings of either. Slots are numbers here: they stay far below 2^53.
 */
import type { AccountWrite } from "#market/source.ts";
import type { MarketTransaction } from "#market/transaction.ts";

export const SLOT_STATUSES = [
  "processed",
  "confirmed",
  "finalized",
  "firstShred",
  "completed",
  "createdBank",
  "dead",
] as const;
export type SlotStatus = (typeof SLOT_STATUSES)[number];

export type LiveUpdate =
  | {
      readonly kind: "slot";
      readonly slot: number;
      /** Undefined where the stream does not say. */
      readonly parent: number | undefined;
      readonly status: SlotStatus;
    }
  /** One account after one write of a transaction; `signature` is empty where no transaction wrote it. */
  | {
      readonly kind: "account";
      readonly slot: number;
      readonly account: AccountWrite;
      readonly signature: string;
      /** Grows with every write of one node; nodes count apart. */
      readonly writeVersion: number;
    }
  | { readonly kind: "transaction"; readonly transaction: MarketTransaction }
  /** Accounts as they are at the end of a slot: all that a node says by accountSubscribe. */
  | { readonly kind: "endOfSlot"; readonly slot: number; readonly accounts: readonly AccountWrite[] }
  | { readonly kind: "entry"; readonly slot: number; readonly index: number; readonly transactions: number }
  | {
      readonly kind: "block";
      readonly slot: number;
      readonly parent: number;
      readonly blockhash: string;
      readonly entries: number;
      readonly transactions: number;
    }
  /** The stream is alive, and nothing else. */
  | { readonly kind: "ping" };
