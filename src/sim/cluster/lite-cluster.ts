/**
 * A Solana cluster inside this process: one validator, no votes, the real virtual machine. Transactions execute when
 * they are submitted, in the order of the calls, so the ledger's order is the order of submission.
 *
 * What it does as a cluster does: signatures, blockhash age, durable nonces, duplicates, fees, failed transactions that
 * pay their fee (and advance their nonce), slots, epochs, sysvars. What it does not: fees for transactions that fail
 * before their first instruction (they are refused and free), rent collection, votes, forks.
 */
import { createHash } from "node:crypto";
import { base58Encode } from "#core/base58.ts";
import type { Clock } from "#core/clock.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { AddressBook } from "#execute/svm/address-book.ts";
import { Machine } from "#execute/svm/machine.ts";
import type { AccountState, BundleResult, SubmitResult } from "./cluster.ts";
import { CLUSTER_ERROR } from "./errors.ts";
import { Executor, type Verdict } from "./executor.ts";
import { airdropTransaction, faucetOf } from "./faucet.ts";
import { feeLamports } from "./fees.ts";
import { Ledger, type LedgerLimits } from "./ledger.ts";
import type {
  LocalCluster,
  MovedAccount,
  RecordedTransaction,
  SimulateOptions,
  SimulateResult,
} from "./local-cluster.ts";
import { loadAddresses } from "./lookup-tables.ts";
import type { ParsedTransaction } from "./message.ts";
import { RecentBlockhashes } from "./recent-blockhashes.ts";

export type ClusterOptions = {
  /** Decides blockhashes, the validator's identity and the faucet's key. */
  readonly seed: string;
  readonly clock: Clock;
  /** What the doors say a slot lasts; who calls nextSlot decides. */
  readonly slotMs: number;
  /** The first slot, at least 1; a restarted cluster begins above the last slot of the one before it. */
  readonly startSlot?: bigint;
  readonly ledger?: LedgerLimits;
};

/** Lamports the faucet starts with: 500 million SOL. */
const FAUCET_LAMPORTS = 500_000_000_000_000_000n;
const NS_PER_MS = 1_000_000n;

/** Throws a SandpiperError when the options are out of range. */
export function createCluster(options: ClusterOptions): LocalCluster {
  return new LiteCluster(options);
}

class LiteCluster implements LocalCluster {
  readonly book = new AddressBook();
  readonly ledger: Ledger;
  readonly identity: Address;
  readonly genesisHash: string;
  readonly slotMs: number;
  readonly startSlot: bigint;
  readonly #clock: Clock;
  readonly #machine: Machine;
  readonly #executor: Executor;
  readonly #blockhashes: RecentBlockhashes;
  readonly #faucet: ReturnType<typeof faucetOf>;
  readonly #transactionListeners = new Set<(transaction: RecordedTransaction) => void>();
  readonly #accountListeners = new Set<(accounts: readonly MovedAccount[]) => void>();
  readonly #slotListeners = new Set<(slot: bigint) => void>();
  #slot: bigint;
  #slotStartMs = 0;
  #capitalization = 0n;
  #airdrops = 0;

  constructor({ seed, clock, slotMs, startSlot = 1n, ledger = {} }: ClusterOptions) {
    if (startSlot < 1n)
      throw new SandpiperError(CLUSTER_ERROR.options, `Cannot start a cluster: startSlot from 1, was ${startSlot}`);
    const named = (name: string) => createHash("sha256").update(`${name}/${seed}`).digest();
    this.identity = base58Encode(named("identity")) as Address;
    this.genesisHash = base58Encode(named("genesis"));
    this.slotMs = slotMs;
    this.startSlot = startSlot;
    this.ledger = new Ledger(ledger);
    this.#clock = clock;
    this.#slot = startSlot;
    this.#blockhashes = new RecentBlockhashes(seed, startSlot.toString());
    this.#machine = new Machine(this.book);
    this.#executor = new Executor(this.#machine, this.book, this.#blockhashes);
    this.#faucet = faucetOf(named("faucet"));
    const empty = { owner: "11111111111111111111111111111111" as Address, data: new Uint8Array(0), executable: false };
    this.setAccount(this.#faucet.address, { ...empty, lamports: FAUCET_LAMPORTS });
    this.#beginSlot();
  }

  get slot(): bigint {
    return this.#slot;
  }

  get slotStartMs(): number {
    return this.#slotStartMs;
  }

  get capitalizationLamports(): bigint {
    return this.#capitalization;
  }

  submit(wire: Uint8Array): SubmitResult {
    const verdict = this.#executor.run(wire, this.#slot, this.#timeSeconds());
    if (verdict.kind === "refused") return verdict;
    this.#commit([verdict]);
    return { kind: "executed", executed: verdict.executed };
  }

  submitBundle(wires: readonly Uint8Array[]): BundleResult {
    const done: (Verdict & { kind: "executed" })[] = [];
    for (let failedAt = 0; failedAt < wires.length; failedAt++) {
      const wire = wires[failedAt] as Uint8Array;
      const verdict = this.#executor.run(wire, this.#slot, this.#timeSeconds());
      if (verdict.kind === "executed") done.push(verdict);
      const error = verdict.kind === "executed" ? verdict.executed.error : verdict.error;
      if (error === null) continue;
      for (const { undo } of done.reverse()) undo();
      const logs = verdict.kind === "executed" ? verdict.executed.logs : verdict.logs;
      return { kind: "failed", failedAt, error, logs };
    }
    this.#commit(done);
    return { kind: "landed", slot: this.#slot, executed: done.map(({ executed }) => executed) };
  }

  simulate(parsed: ParsedTransaction, { verifySignatures, replaceBlockhash }: SimulateOptions): SimulateResult {
    const loaded = loadAddresses(parsed, this.book, (address) => this.#machine.read(address));
    const keys = [...parsed.staticKeys, ...(loaded?.writable ?? []), ...(loaded?.readonly ?? [])];
    const fee = feeLamports(parsed);
    const nothing = { logs: [], computeUnits: 0n, inner: [], returnData: null };
    const refusal = replaceBlockhash ? undefined : this.#executor.refusal(parsed, this.#slot);
    const ran =
      refusal === undefined
        ? this.#machine.simulate(parsed.wire, verifySignatures)
        : { ...nothing, error: refusal, after: new Map<Address, AccountState>() };
    return {
      ...ran,
      keys,
      loaded: loaded ?? { writable: [], readonly: [] },
      feeLamports: fee,
      accountAfter: (address) => {
        const after = ran.after.get(address);
        return after?.lamports === 0n ? undefined : (after ?? this.account(address));
      },
    };
  }

  account(address: Address): AccountState | undefined {
    return this.#machine.read(address);
  }

  setAccount(address: Address, state: AccountState): void {
    this.#capitalization += state.lamports - (this.account(address)?.lamports ?? 0n);
    this.#machine.write(address, state);
  }

  moveAccounts(accounts: readonly MovedAccount[]): void {
    for (const { address, state } of accounts) this.setAccount(address, state);
    for (const listener of this.#accountListeners) listener(accounts);
  }

  onAccounts(listener: (accounts: readonly MovedAccount[]) => void): () => void {
    this.#accountListeners.add(listener);
    return () => void this.#accountListeners.delete(listener);
  }

  addProgram(address: Address, elf: Uint8Array): void {
    this.#machine.addProgram(address, elf);
    this.#capitalization += this.account(address)?.lamports ?? 0n;
  }

  programAccounts(program: Address) {
    return this.#machine.programAccounts(program);
  }

  airdrop(to: Address, lamports: bigint): RecordedTransaction {
    const wire = airdropTransaction(this.#faucet, to, lamports, this.latestBlockhash().blockhash, this.#airdrops++);
    const verdict = this.#executor.run(wire, this.#slot, this.#timeSeconds());
    if (verdict.kind === "refused")
      throw new SandpiperError(
        CLUSTER_ERROR.account,
        `Cannot airdrop to ${to}: a faucet that can pay ${lamports} lamports, was ${JSON.stringify(verdict.error)}`,
      );
    this.#commit([verdict]);
    return verdict.executed;
  }

  latestBlockhash(): { readonly blockhash: string; readonly lastValidBlockHeight: bigint } {
    return this.#blockhashes.latest(this.#slot - 1n);
  }

  blockhashOf(slot: bigint): string {
    return this.#blockhashes.hashOf(slot);
  }

  isBlockhashValid(blockhash: string): boolean {
    return this.#blockhashes.isValid(blockhash, this.#slot);
  }

  minimumBalance(dataBytes: number): bigint {
    return this.#machine.minimumBalance(dataBytes);
  }

  nextSlot(): void {
    this.#slot++;
    this.#beginSlot();
  }

  onTransaction(listener: (transaction: RecordedTransaction) => void): () => void {
    this.#transactionListeners.add(listener);
    return () => void this.#transactionListeners.delete(listener);
  }

  onSlot(listener: (slot: bigint) => void): () => void {
    this.#slotListeners.add(listener);
    return () => void this.#slotListeners.delete(listener);
  }

  #timeSeconds(): number {
    return Math.floor(this.#slotStartMs / 1_000);
  }

  #beginSlot(): void {
    const slot = this.#slot;
    this.#slotStartMs = Number(this.#clock.wallNs() / NS_PER_MS);
    this.#blockhashes.add(slot - 1n);
    this.#machine.beginSlot(slot, BigInt(this.#timeSeconds()), this.#blockhashes.bytesOf(slot - 1n));
    this.#executor.beginSlot(slot);
    this.ledger.beginSlot(slot, this.#timeSeconds());
    for (const listener of this.#slotListeners) listener(slot);
  }

  #commit(verdicts: readonly (Verdict & { kind: "executed" })[]): void {
    for (const { executed, lamportsChange } of verdicts) {
      this.#capitalization += lamportsChange;
      this.ledger.add(executed);
      for (const listener of this.#transactionListeners) listener(executed);
    }
  }
}
