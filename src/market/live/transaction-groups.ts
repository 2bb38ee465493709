/**
 * One stream's account writes beside the transactions that made them. A node sends each written account as a message of
 * its own, the transaction after them: all of one signature leave together, so that nobody sees a vault without its pool.
 *
 * What comes after its transaction leaves as a group too, as soon as the stream speaks of something else. Writes whose
 * transaction never comes (a filter did not match it) leave when their slot is over.
 */
import type { Signature } from "#core/units.ts";
import type { AccountWrite } from "#market/source.ts";
import type { MarketTransaction } from "#market/transaction.ts";
import type { LiveUpdate } from "./update.ts";

/** Later than any transaction of its slot. */
export const END_OF_SLOT = 0xf_ffff;
/** Signatures whose writes wait, and those that late writes are looked up in. */
const GROUPS_MAX = 16_384;

export type StreamEvent =
  | {
      readonly kind: "transaction";
      readonly transaction: MarketTransaction;
      readonly accounts: readonly AccountWrite[];
    }
  | {
      readonly kind: "writes";
      readonly slot: number;
      /** The place in the slot after which the accounts looked like this. */
      readonly index: number;
      readonly accounts: readonly AccountWrite[];
    };

type Write = { readonly account: AccountWrite; readonly version: number };
type Group = { readonly slot: number; readonly writes: Write[] };

export class TransactionGroups {
  /** Writes that came after their transaction; groups that left without one. */
  readonly counters = { lateWrites: 0, withoutTransaction: 0 };
  readonly #emit: (event: StreamEvent) => void;
  readonly #waiting = new Map<string, Group>();
  /** Where transactions that left stood. */
  readonly #left = new Map<string, { readonly slot: number; readonly index: number }>();
  #late: { readonly signature: string; readonly writes: Write[] } | undefined;

  constructor(emit: (event: StreamEvent) => void) {
    this.#emit = emit;
  }

  take(update: LiveUpdate): void {
    if (this.#late !== undefined && !(update.kind === "account" && update.signature === this.#late.signature))
      this.#flushLate();
    switch (update.kind) {
      case "account":
        this.#account(update);
        break;
      case "transaction":
        this.#transaction(update.transaction);
        break;
      case "endOfSlot":
        this.#emit({ kind: "writes", slot: update.slot, index: END_OF_SLOT, accounts: update.accounts });
        break;
      case "block":
        this.#endSlot(update.slot);
        break;
      case "slot":
        if (update.status === "processed") this.#endSlot(update.slot);
        break;
      case "entry":
      case "ping":
        break;
    }
  }

  /** The stream broke: half a group is none, it comes again with the resumption or with a snapshot. */
  clear(): void {
    this.#waiting.clear();
    this.#late = undefined;
  }

  #account({ slot, account, signature, writeVersion }: LiveUpdate & { kind: "account" }): void {
    const write = { account, version: writeVersion };
    if (this.#left.has(signature)) {
      this.counters.lateWrites++;
      this.#late ??= { signature, writes: [] };
      this.#late.writes.push(write);
      return;
    }
    const group = this.#waiting.get(signature);
    if (group !== undefined) group.writes.push(write);
    else {
      if (this.#waiting.size >= GROUPS_MAX) this.#leave(this.#waiting.keys().next().value as string);
      this.#waiting.set(signature, { slot, writes: [write] });
    }
  }

  #transaction(transaction: MarketTransaction): void {
    const { signature, slot, indexInSlot } = transaction;
    const group = this.#waiting.get(signature);
    this.#waiting.delete(signature);
    if (this.#left.size >= GROUPS_MAX) this.#left.delete(this.#left.keys().next().value as Signature);
    this.#left.set(signature, { slot: Number(slot), index: indexInSlot });
    this.#emit({ kind: "transaction", transaction, accounts: accountsOf(group?.writes ?? []) });
  }

  #endSlot(slot: number): void {
    for (const [signature, group] of this.#waiting) if (group.slot <= slot) this.#leave(signature);
  }

  #leave(signature: string): void {
    const group = this.#waiting.get(signature);
    this.#waiting.delete(signature);
    if (group === undefined) return;
    if (signature !== "") this.counters.withoutTransaction++;
    this.#emit({ kind: "writes", slot: group.slot, index: END_OF_SLOT, accounts: accountsOf(group.writes) });
  }

  #flushLate(): void {
    const late = this.#late;
    this.#late = undefined;
    const place = late && this.#left.get(late.signature);
    if (late !== undefined && place !== undefined)
      this.#emit({ kind: "writes", ...place, accounts: accountsOf(late.writes) });
  }
}

/** In the order of writing; of an account only its last state. */
function accountsOf(writes: readonly Write[]): AccountWrite[] {
  const last = new Map<string, AccountWrite>();
  for (const { account } of [...writes].sort((a, b) => a.version - b.version)) {
    last.delete(account.address);
    last.set(account.address, account);
  }
  return [...last.values()];
}
