/**
 * What the doors need beyond the Cluster interface: the records of executed transactions, simulation, and the chain's
 * bookkeeping. Made by createCluster; other rooms use `Cluster`.
 */
import type { Address } from "#core/units.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";
import type { InnerInstructions, ReturnData } from "#execute/svm/machine.ts";
import type { AccountState, Cluster, ExecutedTransaction, TransactionErrorJson } from "./cluster.ts";
import type { Ledger } from "./ledger.ts";
import type { LoadedAddresses } from "./lookup-tables.ts";
import type { ParsedTransaction } from "./message.ts";
import type { TokenBalance } from "./token-balances.ts";

/** An executed transaction with all that getTransaction tells about it. */
export type RecordedTransaction = ExecutedTransaction & {
  readonly parsed: ParsedTransaction;
  /** Static keys, then loaded writable ones, then loaded read-only ones. */
  readonly keys: readonly Address[];
  readonly loaded: LoadedAddresses;
  readonly preBalances: readonly bigint[];
  readonly postBalances: readonly bigint[];
  readonly preTokenBalances: readonly TokenBalance[];
  readonly postTokenBalances: readonly TokenBalance[];
  readonly inner: readonly InnerInstructions[];
  readonly returnData: ReturnData | null;
  readonly blockTimeSeconds: number;
};

/** An account as somebody else's cluster has it now. */
export type MovedAccount = { readonly address: Address; readonly state: AccountState };

export type SimulateOptions = { readonly verifySignatures: boolean; readonly replaceBlockhash: boolean };

export type SimulateResult = {
  readonly error: TransactionErrorJson | null;
  readonly logs: readonly string[];
  readonly computeUnits: bigint;
  readonly inner: readonly InnerInstructions[];
  readonly returnData: ReturnData | null;
  readonly keys: readonly Address[];
  readonly loaded: LoadedAddresses;
  readonly feeLamports: bigint;
  /** The account as the transaction would leave it. */
  readonly accountAfter: (address: Address) => AccountState | undefined;
};

export interface LocalCluster extends Cluster {
  readonly book: AddressBook;
  readonly ledger: Ledger;
  /** Address of the one validator. */
  readonly identity: Address;
  readonly genesisHash: string;
  readonly slotMs: number;
  /** The first slot of this incarnation; the block before it counts as genesis. */
  readonly startSlot: bigint;
  /** All lamports in existence. */
  readonly capitalizationLamports: bigint;
  /** Writes accounts that changed outside of this cluster, together, and tells who follows accounts. */
  moveAccounts(accounts: readonly MovedAccount[]): void;
  /** Called after accounts were moved. Answers how to stop. */
  onAccounts(listener: (accounts: readonly MovedAccount[]) => void): () => void;
  onTransaction(listener: (transaction: RecordedTransaction) => void): () => void;
  /** Runs a transaction on the present state and forgets it. */
  simulate(parsed: ParsedTransaction, options: SimulateOptions): SimulateResult;
  programAccounts(program: Address): readonly { readonly address: Address; readonly state: AccountState }[];
  /** The blockhash of the block of that slot, built or not. */
  blockhashOf(slot: bigint): string;
  isBlockhashValid(blockhash: string): boolean;
  minimumBalance(dataBytes: number): bigint;
  /** Gives lamports from the faucet by a transaction of its own, as requestAirdrop does. */
  airdrop(to: Address, lamports: bigint): RecordedTransaction;
}
