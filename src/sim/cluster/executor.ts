/**
 * Takes one transaction through the machine: the checks that come before execution, the accounts before and after, and
 * the record of it. Knows how to undo what it did, which is how bundles are all or nothing.
 */
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import {
  advancedNonceAccount,
  decodeNonceAccount,
  durableNonce,
  isAdvanceNonce,
} from "#execute/nonce/nonce-account.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";
import { type Machine, SYSTEM_PROGRAM, SYSVAR_OWNER } from "#execute/svm/machine.ts";
import type { AccountState, TransactionErrorJson, WrittenAccount } from "./cluster.ts";
import { feeLamports } from "./fees.ts";
import type { RecordedTransaction } from "./local-cluster.ts";
import { loadAddresses } from "./lookup-tables.ts";
import { isWritable, type ParsedTransaction, type ParseFailure, parseTransaction, WIRE_BYTES_MAX } from "./message.ts";
import { type RecentBlockhashes, RecentSignatures } from "./recent-blockhashes.ts";
import { type TokenBalance, tokenBalance } from "./token-balances.ts";

/** Transactions in one slot; the next is refused as over the block's cost, and bounds every per-slot structure. */
const SLOT_TRANSACTIONS_MAX = 8_192;
const NATIVE_LOADER = "NativeLoader1111111111111111111111111111111";

export type Verdict =
  | {
      readonly kind: "executed";
      readonly executed: RecordedTransaction;
      /** What it added to all lamports in existence; fees are burned, so never above 0. */
      readonly lamportsChange: bigint;
      /** Makes everything as if it had never run. Later transactions must have been undone before. */
      readonly undo: () => void;
    }
  | { readonly kind: "refused"; readonly error: TransactionErrorJson; readonly logs: readonly string[] };

/** The accounts of a transaction before it ran. */
type Before = {
  readonly keys: readonly Address[];
  readonly writable: readonly boolean[];
  readonly states: readonly (AccountState | undefined)[];
};

export class Executor {
  readonly #machine: Machine;
  readonly #book: AddressBook;
  readonly #blockhashes: RecentBlockhashes;
  readonly #signatures = new RecentSignatures();
  readonly #read = (address: Address): AccountState | undefined => this.#machine.read(address);
  #indexInSlot = 0;
  #writeVersion = 0n;

  constructor(machine: Machine, book: AddressBook, blockhashes: RecentBlockhashes) {
    this.#machine = machine;
    this.#book = book;
    this.#blockhashes = blockhashes;
  }

  beginSlot(slot: bigint): void {
    this.#indexInSlot = 0;
    this.#signatures.forgetBefore(slot);
  }

  /** Why the transaction cannot be executed in this slot, as far as that is known before it runs. */
  refusal(parsed: ParsedTransaction, slot: bigint): TransactionErrorJson | undefined {
    if (!this.#blockhashes.isValid(parsed.blockhash, slot) && !this.#restsOnNonce(parsed, slot))
      return "BlockhashNotFound";
    if (this.#signatures.has(parsed.signature)) return "AlreadyProcessed";
    return this.#indexInSlot >= SLOT_TRANSACTIONS_MAX ? "WouldExceedMaxBlockCostLimit" : undefined;
  }

  /** Executes in `slot` and leaves the machine changed; recording it is the caller's part. */
  run(wire: Uint8Array, slot: bigint, blockTimeSeconds: number): Verdict {
    if (wire.length > WIRE_BYTES_MAX) return refused("SanitizeFailure");
    const result = parseTransaction(wire, this.#book);
    if (!result.ok) return refused(parseError(result.error));
    const parsed = result.value;
    const refusal = this.refusal(parsed, slot);
    if (refusal !== undefined) return refused(refusal);
    const loaded = loadAddresses(parsed, this.#book, this.#read) ?? { writable: [], readonly: [] };
    const before = this.#before(
      parsed,
      [...parsed.staticKeys, ...loaded.writable, ...loaded.readonly],
      loaded.writable.length,
    );
    const nonce = nonceOf(parsed);
    const onNonce = nonce !== undefined && !this.#blockhashes.isValid(parsed.blockhash, slot);
    const ran = this.#machine.execute(parsed.wire);
    // A transaction that failed before its first instruction has not paid, and is not part of the ledger.
    if (ran.error !== null && !this.#hasPaid(before)) return refused(ran.error, ran.logs);
    const isAdvanced = nonce !== undefined && (ran.error === null || onNonce);
    if (isAdvanced) this.#advance(nonce, slot);
    const after = this.#after(before, ran.error !== null, isAdvanced ? nonce : undefined);
    const writeVersion = this.#writeVersion;
    const executed: RecordedTransaction = {
      slot,
      indexInSlot: this.#indexInSlot,
      signature: parsed.signature,
      wire: parsed.wire,
      error: ran.error,
      logs: ran.logs,
      computeUnits: ran.computeUnits,
      feeLamports: feeLamports(parsed),
      written: this.#written(before, after),
      parsed,
      keys: before.keys,
      loaded,
      preBalances: before.states.map(lamportsOf),
      postBalances: after.map(lamportsOf),
      preTokenBalances: this.#tokenBalances(before.states),
      postTokenBalances: this.#tokenBalances(after),
      inner: ran.inner,
      returnData: ran.returnData,
      blockTimeSeconds,
    };
    this.#indexInSlot++;
    this.#signatures.add(slot, parsed.signature);
    const undo = () => {
      this.#restore(before);
      this.#signatures.remove(slot, parsed.signature);
      this.#indexInSlot--;
      this.#writeVersion = writeVersion;
    };
    return { kind: "executed", executed, lamportsChange: sum(executed.postBalances) - sum(executed.preBalances), undo };
  }

  #before(parsed: ParsedTransaction, keys: readonly Address[], loadedWritable: number): Before {
    const states = keys.map(this.#read);
    const writable = keys.map((_, i) => isWritable(parsed, i, loadedWritable) && !isReserved(states[i]));
    return { keys, writable, states };
  }

  #hasPaid({ keys, states }: Before): boolean {
    const payer = keys[0];
    return payer !== undefined && lamportsOf(this.#machine.readAgain(payer)) !== lamportsOf(states[0]);
  }

  /**
   * Whether a transaction names the value of a nonce account in place of a blockhash, by the rules of Agave's
   * check_transaction_for_nonce: the authority signs the advance, and the account may advance, which it may once in a slot.
   */
  #restsOnNonce(parsed: ParsedTransaction, slot: bigint): boolean {
    const address = nonceOf(parsed);
    const account = address === undefined ? undefined : this.#read(address);
    const state = account?.owner === SYSTEM_PROGRAM ? decodeNonceAccount(account.data) : undefined;
    if (state?.ok !== true || state.value.value !== parsed.blockhash) return false;
    if (parsed.blockhash === base58Encode(this.#nextNonce(slot))) return false;
    const accounts = [...(parsed.instructions[0]?.accounts ?? [])];
    const signers = accounts.filter((i) => i < parsed.signatureCount).map((i) => parsed.staticKeys[i]);
    return signers.includes(state.value.authority);
  }

  /** The value that a nonce account advanced in this slot gets. */
  #nextNonce(slot: bigint): Uint8Array {
    return durableNonce(this.#blockhashes.bytesOf(slot - 1n));
  }

  /**
   * A transaction on a nonce that failed has paid its fee and used its value up. One that succeeded has advanced the
   * account too, but LiteSVM makes the next value from the blockhash that the transaction names: a value could come again.
   */
  #advance(address: Address, slot: bigint): void {
    const account = this.#machine.readAgain(address);
    if (account === undefined || !decodeNonceAccount(account.data).ok) return;
    this.#machine.write(address, { ...account, data: advancedNonceAccount(account.data, this.#nextNonce(slot)) });
  }

  /** A failed transaction has changed its fee payer, its nonce account if it has one, and nothing else. */
  #after(
    { keys, writable, states }: Before,
    failed: boolean,
    nonce: Address | undefined,
  ): (AccountState | undefined)[] {
    const isChanged = (i: number) => writable[i] && (!failed || i === 0 || keys[i] === nonce);
    return keys.map((key, i) => (isChanged(i) ? this.#machine.readAgain(key) : states[i]));
  }

  #written({ keys, writable, states }: Before, after: readonly (AccountState | undefined)[]): WrittenAccount[] {
    const written: WrittenAccount[] = [];
    for (let i = 0; i < keys.length; i++) {
      if (!writable[i] || (states[i] === undefined && after[i] === undefined)) continue;
      if (after[i] === states[i]) continue;
      const state = after[i] ?? GONE;
      written.push({ ...state, address: keys[i] as Address, writeVersion: ++this.#writeVersion });
    }
    return written;
  }

  #restore({ keys, writable, states }: Before): void {
    for (let i = 0; i < keys.length; i++) if (writable[i]) this.#machine.write(keys[i] as Address, states[i]);
  }

  #tokenBalances(states: readonly (AccountState | undefined)[]): TokenBalance[] {
    const balances: TokenBalance[] = [];
    for (let i = 0; i < states.length; i++) {
      const balance = tokenBalance(i, states[i], this.#book, this.#read);
      if (balance !== undefined) balances.push(balance);
    }
    return balances;
  }
}

const GONE: AccountState = { lamports: 0n, owner: SYSTEM_PROGRAM, data: new Uint8Array(0), executable: false };

/** The account that the first instruction advances as a nonce; a transaction can rest on no other. */
function nonceOf(parsed: ParsedTransaction): Address | undefined {
  const [first] = parsed.instructions;
  const at = first?.accounts[0];
  if (first === undefined || at === undefined || !isWritable(parsed, at, 0)) return undefined;
  return isAdvanceNonce(parsed.staticKeys[first.programIndex], first.data) ? parsed.staticKeys[at] : undefined;
}

/** Programs, built-ins and sysvars: the runtime lets no transaction write them, whatever its message says. */
function isReserved(state: AccountState | undefined): boolean {
  return state !== undefined && (state.executable || state.owner === SYSVAR_OWNER || state.owner === NATIVE_LOADER);
}

const lamportsOf = (state: AccountState | undefined): bigint => state?.lamports ?? 0n;
const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

function parseError({ kind }: ParseFailure): TransactionErrorJson {
  return kind === "version" ? "UnsupportedVersion" : "SanitizeFailure";
}

function refused(error: TransactionErrorJson, logs: readonly string[] = []): Verdict {
  return { kind: "refused", error, logs };
}
