/**
 * The blocks and transactions that the doors can still tell about. It keeps a bounded number of each and forgets whole
 * blocks, oldest first, so that the cluster's memory stays flat however long it runs.
 */
import type { Address, Signature } from "#core/units.ts";
import type { RecordedTransaction } from "./local-cluster.ts";

/** Slots kept: 13 minutes of 400 ms slots. */
const LEDGER_SLOTS_MAX = 2_048;
/** Transactions kept; a swap with its logs, balances and inner instructions takes about 5 KB. */
const LEDGER_TRANSACTIONS_MAX = 8_192;

export type LedgerLimits = { readonly slotsMax?: number; readonly transactionsMax?: number };

/** A transaction without what it wrote, and without what its wire bytes say: half of its size. */
export type LedgerTransaction = Omit<RecordedTransaction, "written" | "parsed">;

export type Block = {
  readonly slot: bigint;
  readonly timeSeconds: number;
  readonly transactions: readonly LedgerTransaction[];
};

export class Ledger {
  readonly #slotsMax: number;
  readonly #transactionsMax: number;
  readonly #blocks = new Map<bigint, Block & { readonly transactions: LedgerTransaction[] }>();
  readonly #bySignature = new Map<Signature, LedgerTransaction>();
  #firstSlot = 0n;
  #lastSlot = 0n;
  #transactionCount = 0n;

  constructor(limits: LedgerLimits = {}) {
    this.#slotsMax = limits.slotsMax ?? LEDGER_SLOTS_MAX;
    this.#transactionsMax = limits.transactionsMax ?? LEDGER_TRANSACTIONS_MAX;
  }

  /** Of all transactions since the start, kept or not. */
  get transactionCount(): bigint {
    return this.#transactionCount;
  }

  /** The oldest slot that is still kept. */
  get firstSlot(): bigint {
    return this.#firstSlot;
  }

  beginSlot(slot: bigint, timeSeconds: number): void {
    if (this.#blocks.size === 0) this.#firstSlot = slot;
    this.#lastSlot = slot;
    this.#blocks.set(slot, { slot, timeSeconds, transactions: [] });
    this.#trim();
  }

  add(transaction: RecordedTransaction): void {
    const { written: _, parsed: __, ...kept } = transaction;
    this.#blocks.get(transaction.slot)?.transactions.push(kept);
    this.#bySignature.set(kept.signature, kept);
    this.#transactionCount++;
  }

  block(slot: bigint): Block | undefined {
    return this.#blocks.get(slot);
  }

  transaction(signature: string): LedgerTransaction | undefined {
    return this.#bySignature.get(signature as Signature);
  }

  /** Newest first, at most `limit`, from slots up to `toSlot`; `before` and `until` are signatures, both exclusive. */
  ofAddress(
    address: Address,
    options: { readonly limit: number; readonly toSlot: bigint; readonly before?: string; readonly until?: string },
  ): LedgerTransaction[] {
    const found: LedgerTransaction[] = [];
    let waiting = options.before !== undefined;
    for (let slot = this.#lastSlot; slot >= this.#firstSlot; slot--) {
      const transactions = this.#blocks.get(slot)?.transactions ?? [];
      for (let i = transactions.length - 1; i >= 0; i--) {
        const transaction = transactions[i] as LedgerTransaction;
        if (transaction.signature === options.until) return found;
        if (!waiting && slot <= options.toSlot && transaction.keys.includes(address)) found.push(transaction);
        if (transaction.signature === options.before) waiting = false;
        if (found.length >= options.limit) return found;
      }
    }
    return found;
  }

  #trim(): void {
    while (this.#blocks.size > this.#slotsMax || this.#bySignature.size > this.#transactionsMax) {
      const oldest = this.#blocks.get(this.#firstSlot);
      if (oldest === undefined || oldest.slot === this.#lastSlot) return;
      for (const { signature } of oldest.transactions) this.#bySignature.delete(signature);
      this.#blocks.delete(oldest.slot);
      this.#firstSlot++;
    }
  }
}
