/**
 * A virtual machine of our own that holds what transactions touch as the cluster has it now. Accounts that a transaction
 * may write (pools, vaults, the wallet's) are read for each simulation; those it only reads (mints, configurations,
 * authorities) when they are older than READ_ONLY_AGE_NS_MAX; programs once. All that is due comes in one
 * getMultipleAccounts call, so that it is one moment of the chain, and is written only where it changed.
 *
 * Reading was chosen over writing the decision's own reserves into the pools: that would take 0.3 ms less (on
 * loopback), works for constant product only, and could never tell that the state has moved or that we decode it wrong.
 */
import type { Clock } from "#core/clock.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { field, isRecord, list, type Rpc, whole } from "#execute/rpc.ts";
import type { AccountState } from "#execute/svm/account.ts";
import { AddressBook } from "#execute/svm/address-book.ts";
import { Machine, SYSVAR_OWNER } from "#execute/svm/machine.ts";

const READ_ONLY_AGE_NS_MAX = 60e9;
/** Addresses in one getMultipleAccounts call: Solana's limit. A transaction of ours names at most 64 accounts. */
const CALL_ADDRESSES_MAX = 100;
/** Accounts held; above it the machine is thrown away and fills again. About 20 MB of the largest of them. */
const ACCOUNTS_MAX = 4_096;
const NATIVE_LOADER = "NativeLoader1111111111111111111111111111111";
const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
/** A program account of that loader: u32 2, then the address of the account that holds its ELF. */
const PROGRAM_DATA_AT = 4;
const PROGRAM_BYTES = 36;
const PARENT_HASH = new Uint8Array(32);

/** What a transaction touches: each address once. */
export type Touched = { readonly written: readonly Address[]; readonly readOnly: readonly Address[] };

/** An account as the RPC gave it: compared as text, decoded only when it differs. */
type Known = {
  readonly base64: string;
  readonly lamports: number;
  readonly owner: string;
  readonly atNs: number;
  readonly executable: boolean;
};

export class ChainCopy {
  #book = new AddressBook();
  #machine = new Machine(this.#book);
  readonly #known = new Map<Address, Known | null>();
  #slot = 0;

  constructor(
    private readonly rpc: Rpc,
    private readonly clock: Clock,
  ) {}

  /**
   * Reads what is due, writes it into the machine and runs `use` on exactly that; an error says why it could not. `use`
   * may execute a transaction that writes nothing but `written`: those are forgotten afterwards. (LiteSVM's own
   * simulation keeps 0.5 to 2 kB each time; executing and writing the accounts anew keeps nothing.)
   */
  async using<T>({ written, readOnly }: Touched, use: (machine: Machine) => T): Promise<Result<T, string>> {
    const due = [...written, ...readOnly.filter((address) => this.#isDue(address))];
    const read = await this.#read(due);
    if (!read.ok) return read;
    const elfs = due.flatMap((_, i) => programDataOf(read.value.accounts[i], this.#book) ?? []);
    const newElfs = elfs.filter((address) => !this.#known.has(address));
    const programs = newElfs.length === 0 ? undefined : await this.#read(newElfs);
    if (programs?.ok === false) return programs;
    // From here on nothing waits: another reading cannot come in between.
    if (this.#known.size > ACCOUNTS_MAX) this.#beginAnew();
    this.#beginSlot(read.value.slot);
    newElfs.forEach((address, i) => {
      this.#write(address, programs?.value.accounts[i] ?? null);
    });
    due.forEach((address, i) => {
      this.#write(address, read.value.accounts[i] ?? null);
    });
    try {
      return ok(use(this.#machine));
    } finally {
      for (const address of written) this.#known.delete(address);
    }
  }

  #isDue(address: Address): boolean {
    const known = this.#known.get(address);
    if (known === undefined || known === null) return true;
    return !known.executable && this.clock.monotonicNs() - known.atNs > READ_ONLY_AGE_NS_MAX;
  }

  async #read(
    addresses: readonly Address[],
  ): Promise<Result<{ readonly slot: number; readonly accounts: readonly (Known | null)[] }, string>> {
    if (addresses.length > CALL_ADDRESSES_MAX)
      return err(`at most ${CALL_ADDRESSES_MAX} accounts can be read at once, was ${addresses.length}`);
    const options = { encoding: "base64", commitment: "processed" };
    const answer = await this.rpc("getMultipleAccounts", [addresses, options]);
    if (!answer.ok) return err(`its accounts could not be read: ${answer.error.text}`);
    const values = list(field(answer.value, "value"));
    if (values.length !== addresses.length) return err("the cluster did not answer for all of its accounts");
    const atNs = this.clock.monotonicNs();
    const slot = whole(field(answer.value, "context", "slot")) ?? 0;
    return ok({ slot, accounts: values.map((value) => readAccount(value, atNs)) });
  }

  #write(address: Address, account: Known | null): void {
    const before = this.#known.get(address);
    this.#known.set(address, account);
    // Built-in programs and sysvars are the machine's own.
    if (account?.owner === NATIVE_LOADER || account?.owner === SYSVAR_OWNER) return;
    if (account === null) {
      if (this.#machine.readAgain(address) !== undefined) this.#machine.write(address, undefined);
      return;
    }
    const isSame =
      before?.base64 === account.base64 && before.lamports === account.lamports && before.owner === account.owner;
    if (isSame) return;
    const state = stateOf(account);
    // Loading a program compiles it; the machine brings the token programs of Solana's library along.
    const own = account.executable ? this.#machine.read(address) : undefined;
    if (own?.owner === state.owner && Buffer.compare(own.data, state.data) === 0) return;
    this.#machine.write(address, state);
  }

  #beginSlot(slot: number): void {
    if (slot <= this.#slot) return;
    this.#slot = slot;
    this.#machine.beginSlot(BigInt(slot), this.clock.wallNs() / 1_000_000_000n, PARENT_HASH);
  }

  #beginAnew(): void {
    this.#book = new AddressBook();
    this.#machine = new Machine(this.#book);
    this.#known.clear();
    this.#slot = 0;
  }
}

function readAccount(value: unknown, atNs: number): Known | null {
  const [base64] = list(field(value, "data"));
  const lamports = whole(field(value, "lamports"));
  const owner = field(value, "owner");
  if (!isRecord(value) || typeof base64 !== "string" || typeof owner !== "string" || lamports === undefined)
    return null;
  return { base64, lamports, owner, atNs, executable: value["executable"] === true };
}

const stateOf = ({ base64, lamports, owner, executable }: Known): AccountState => ({
  lamports: BigInt(lamports),
  owner: owner as Address,
  data: new Uint8Array(Buffer.from(base64, "base64")),
  executable,
});

function programDataOf(account: Known | null | undefined, book: AddressBook): Address | undefined {
  if (account?.executable !== true || account.owner !== UPGRADEABLE_LOADER) return undefined;
  const { data } = stateOf(account);
  return data.length < PROGRAM_BYTES ? undefined : book.text(data, PROGRAM_DATA_AT);
}
