/**
 * A Solana virtual machine: LiteSVM's native binding behind our own types, for the local cluster and for the simulation
 * before a send. It is entered with wire bytes (its JavaScript wrapper would decode and encode each transaction again,
 * some 700 µs) and its own history, blockhash check and blockhashes are off, because the cluster keeps better ones.
 * Wire bytes must be a transaction that was parsed or compiled by us: malformed ones abort the process.
 *
 * Accounts are read through a mirror: every write goes through this class, so what was read once is known until it is
 * written again. Native accounts live until the event loop turns; long synchronous loops over this class must yield.
 */
import {
  Clock as ClockSysvar,
  EpochSchedule,
  FailedTransactionMetadata,
  LiteSvm,
  Account as NativeAccount,
  type TransactionMetadata,
} from "litesvm/dist/internal.js";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";
import type { AccountState, TransactionErrorJson } from "./account.ts";
import type { AddressBook } from "./address-book.ts";
import { transactionErrorJson } from "./transaction-error.ts";

export const SYSTEM_PROGRAM = "11111111111111111111111111111111" as Address;
export const SYSVAR_OWNER = "Sysvar1111111111111111111111111111111111111" as Address;
const SLOT_HASHES = "SysvarS1otHashes111111111111111111111111111" as Address;
export const SLOTS_PER_EPOCH = 432_000n;
/** Rent epoch of an account that is rent exempt, as all must be since SIMD-0084. */
export const RENT_EPOCH_EXEMPT = 0xffff_ffff_ffff_ffffn;
/** Bytes of mirrored accounts; a full mirror is emptied and fills again. */
const MIRROR_BYTES_MAX = 64 * 1024 * 1024;
/** What a mirrored account costs beside its data, roughly. */
const MIRROR_ENTRY_BYTES = 256;
const SLOT_HASHES_MAX = 512;
const SLOT_HASH_BYTES = 40;

type InnerInstruction = {
  readonly programIndex: number;
  readonly accounts: Uint8Array;
  readonly data: Uint8Array;
  readonly stackHeight: number;
};
/** The instructions that top-level instruction `index` called. */
export type InnerInstructions = { readonly index: number; readonly instructions: readonly InnerInstruction[] };
export type ReturnData = { readonly program: Address; readonly data: Uint8Array };

export type Execution = {
  readonly error: TransactionErrorJson | null;
  readonly logs: readonly string[];
  readonly computeUnits: bigint;
  readonly inner: readonly InnerInstructions[];
  readonly returnData: ReturnData | null;
};
export type SimulatedExecution = Execution & { readonly after: ReadonlyMap<Address, AccountState> };
export class Machine {
  readonly #svm = new LiteSvm();
  readonly #book: AddressBook;
  readonly #mirror = new Map<Address, AccountState | null>();
  #mirrorBytes = 0;
  readonly #slotHashes = new Uint8Array(8 + SLOT_HASHES_MAX * SLOT_HASH_BYTES);
  #slotHashCount = 0;

  constructor(book: AddressBook) {
    this.#book = book;
    this.#svm.withNativeMints();
    this.#svm.setTransactionHistory(0n);
    this.#svm.setBlockhashCheck(false);
    this.#svm.setSigverify(true);
    this.#svm.setEpochSchedule(new EpochSchedule(SLOTS_PER_EPOCH, SLOTS_PER_EPOCH, false, 0n, 0n));
  }

  /** The account as it is now; not to be written to. */
  read(address: Address): AccountState | undefined {
    const known = this.#mirror.get(address);
    if (known !== undefined) return known ?? undefined;
    const native = this.#svm.getAccount(this.#book.bytes(address));
    const state = native === null ? null : this.#fromNative(native);
    if (state?.owner !== SYSVAR_OWNER) this.#remember(address, state);
    return state ?? undefined;
  }

  /** The account straight from the machine, after a transaction may have written it. */
  readAgain(address: Address): AccountState | undefined {
    this.#forget(address);
    return this.read(address);
  }

  /** Writes an account; one without lamports is removed. */
  write(address: Address, state: AccountState | undefined): void {
    const { lamports, data, owner, executable } = state ?? EMPTY_ACCOUNT;
    const native = new NativeAccount(lamports, data, this.#book.bytes(owner), executable, RENT_EPOCH_EXEMPT);
    this.#forget(address);
    try {
      this.#svm.setAccount(this.#book.bytes(address), native);
    } catch (thrown) {
      throw new SandpiperError(
        EXECUTE_ERROR.svmAccount,
        `Cannot write account ${address}: data that its owner accepts, was refused: ${errorText(thrown)}`,
      );
    }
  }

  addProgram(address: Address, elf: Uint8Array): void {
    try {
      this.#svm.addProgram(this.#book.bytes(address), elf);
    } catch (thrown) {
      throw new SandpiperError(
        EXECUTE_ERROR.svmProgram,
        `Cannot add program ${address}: an ELF that the verifier accepts, was ${errorText(thrown)}`,
      );
    }
    // The program's data account was written beside it.
    this.#mirror.clear();
    this.#mirrorBytes = 0;
  }

  programAccounts(program: Address): { readonly address: Address; readonly state: AccountState }[] {
    const found = this.#svm.getProgramAccounts(this.#book.bytes(program)).map((entry) => ({
      address: this.#book.text(entry.address),
      state: this.#fromNative(entry.account()),
    }));
    // The machine's own order is that of a hash map: different in each process.
    return found.sort((left, right) => (left.address < right.address ? -1 : 1));
  }

  /** Executes and commits. The wire bytes must have been read by parseTransaction. */
  execute(wire: Uint8Array): Execution {
    const result = this.#svm.sendVersionedTransaction(wire);
    return result instanceof FailedTransactionMetadata
      ? this.#execution(result.meta(), transactionErrorJson(result))
      : this.#execution(result, null);
  }

  simulate(wire: Uint8Array, verifySignatures: boolean): SimulatedExecution {
    this.#svm.setSigverify(verifySignatures);
    try {
      const result = this.#svm.simulateVersionedTransaction(wire);
      if (result instanceof FailedTransactionMetadata)
        return { ...this.#execution(result.meta(), transactionErrorJson(result)), after: new Map() };
      const after = new Map<Address, AccountState>();
      for (const entry of result.postAccounts())
        after.set(this.#book.text(entry.address), this.#fromNative(entry.account()));
      return { ...this.#execution(result.meta(), null), after };
    } finally {
      this.#svm.setSigverify(true);
    }
  }

  /** Executes and commits without checking signatures; of what happened only this is taken out of the machine. */
  commit(wire: Uint8Array): Pick<Execution, "error" | "computeUnits"> {
    this.#svm.setSigverify(false);
    try {
      const result = this.#svm.sendVersionedTransaction(wire);
      const failed = result instanceof FailedTransactionMetadata;
      const meta = failed ? result.meta() : result;
      return {
        error: failed ? transactionErrorJson(result) : null,
        computeUnits: BigInt(meta.computeUnitsConsumed()),
      };
    } finally {
      this.#svm.setSigverify(true);
    }
  }

  /** Moves the clock and tells programs the hash of the block before. */
  beginSlot(slot: bigint, unixSeconds: bigint, parentHash: Uint8Array): void {
    const epoch = slot / SLOTS_PER_EPOCH;
    this.#svm.setClock(new ClockSysvar(slot, unixSeconds, epoch, epoch + 1n, unixSeconds));
    const hashes = this.#slotHashes;
    hashes.copyWithin(8 + SLOT_HASH_BYTES, 8, hashes.length - SLOT_HASH_BYTES);
    const view = new DataView(hashes.buffer);
    this.#slotHashCount = Math.min(this.#slotHashCount + 1, SLOT_HASHES_MAX);
    view.setBigUint64(0, BigInt(this.#slotHashCount), true);
    view.setBigUint64(8, slot - 1n, true);
    hashes.set(parentHash, 16);
    this.write(SLOT_HASHES, { lamports: 1n, data: hashes, owner: SYSVAR_OWNER, executable: false });
  }

  minimumBalance(dataBytes: number): bigint {
    return BigInt(this.#svm.minimumBalanceForRentExemption(BigInt(dataBytes)));
  }

  #execution(meta: TransactionMetadata, error: TransactionErrorJson | null): Execution {
    const returned = meta.returnData();
    const data = returned.data();
    return {
      error,
      logs: meta.logs(),
      computeUnits: BigInt(meta.computeUnitsConsumed()),
      inner: innerInstructions(meta),
      returnData: data.length === 0 ? null : { program: this.#book.text(returned.programId()), data: data.slice() },
    };
  }

  #fromNative(native: NativeAccount): AccountState {
    return {
      lamports: BigInt(native.lamports()),
      owner: this.#book.text(native.owner()),
      // A copy of our own: the native bytes can go when the loop turns.
      data: new Uint8Array(native.data()),
      executable: native.executable(),
    };
  }

  #remember(address: Address, state: AccountState | null): void {
    if (this.#mirrorBytes > MIRROR_BYTES_MAX) {
      this.#mirror.clear();
      this.#mirrorBytes = 0;
    }
    this.#mirror.set(address, state);
    this.#mirrorBytes += MIRROR_ENTRY_BYTES + (state?.data.length ?? 0);
  }

  #forget(address: Address): void {
    const known = this.#mirror.get(address);
    if (known === undefined) return;
    this.#mirror.delete(address);
    this.#mirrorBytes -= MIRROR_ENTRY_BYTES + (known?.data.length ?? 0);
  }
}

const EMPTY_ACCOUNT: AccountState = {
  lamports: 0n,
  owner: SYSTEM_PROGRAM,
  data: new Uint8Array(0),
  executable: false,
};

function innerInstructions(meta: TransactionMetadata): InnerInstructions[] {
  const found: InnerInstructions[] = [];
  const perInstruction = meta.innerInstructions();
  for (let index = 0; index < perInstruction.length; index++) {
    const called = perInstruction[index] ?? [];
    if (called.length === 0) continue;
    const instructions = called.map((inner) => {
      const compiled = inner.instruction();
      return {
        programIndex: compiled.programIdIndex(),
        accounts: new Uint8Array(compiled.accounts()),
        data: new Uint8Array(compiled.data()),
        stackHeight: inner.stackHeight(),
      };
    });
    found.push({ index, instructions });
  }
  return found;
}
