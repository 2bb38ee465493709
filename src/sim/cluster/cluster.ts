/**
 * What the local cluster offers inside its process. The doors (RPC, WebSocket, geyser) and the block engine are built on
 * this and nothing else; the engine behind it is LiteSVM.
 */
import type { Address, Signature } from "#core/units.ts";
import type { AccountState, TransactionErrorJson } from "#execute/svm/account.ts";

export type { AccountState, TransactionErrorJson } from "#execute/svm/account.ts";

export type WrittenAccount = AccountState & { readonly address: Address; readonly writeVersion: bigint };

/** One transaction that is now part of the ledger, landed or failed on chain. */
export type ExecutedTransaction = {
  readonly slot: bigint;
  readonly indexInSlot: number;
  readonly signature: Signature;
  readonly wire: Uint8Array;
  readonly error: TransactionErrorJson | null;
  readonly logs: readonly string[];
  readonly computeUnits: bigint;
  readonly feeLamports: bigint;
  /** Every account it wrote, as it is after it. */
  readonly written: readonly WrittenAccount[];
};

export type SubmitResult =
  /** In the ledger; `executed.error` says whether it failed on chain. */
  | { readonly kind: "executed"; readonly executed: ExecutedTransaction }
  /** Not in the ledger: refused before execution. */
  | { readonly kind: "refused"; readonly error: TransactionErrorJson; readonly logs: readonly string[] };

export type BundleResult =
  | { readonly kind: "landed"; readonly slot: bigint; readonly executed: readonly ExecutedTransaction[] }
  /** Nothing of it happened; the first transaction that failed, and why. */
  | {
      readonly kind: "failed";
      readonly failedAt: number;
      readonly error: TransactionErrorJson;
      readonly logs: readonly string[];
    };

export interface Cluster {
  /** The slot now being built. */
  readonly slot: bigint;
  readonly slotStartMs: number;
  /** Executes in the current slot, in order of the calls. */
  submit(wire: Uint8Array): SubmitResult;
  /** All or nothing, in order, in the current slot. */
  submitBundle(wires: readonly Uint8Array[]): BundleResult;
  account(address: Address): AccountState | undefined;
  /** Genesis and tests only: writes an account outside any transaction. */
  setAccount(address: Address, state: AccountState): void;
  addProgram(address: Address, elf: Uint8Array): void;
  latestBlockhash(): { readonly blockhash: string; readonly lastValidBlockHeight: bigint };
  /** Ends the slot and begins the next; normally called by the slot clock. */
  nextSlot(): void;
  /** Called after each transaction that entered the ledger, before submit returns. Answers how to stop. */
  onTransaction(listener: (transaction: ExecutedTransaction) => void): () => void;
  /** Called at the start of each slot. Answers how to stop. */
  onSlot(listener: (slot: bigint) => void): () => void;
}
