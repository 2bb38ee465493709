/** One executed transaction, however it reached us: recorded block, geyser stream, later gRPC. */
import type { Address, Signature } from "#core/units.ts";

export type MarketInstruction = {
  readonly program: Address;
  readonly accounts: readonly Address[];
  /** Its data, or undefined when they were no valid base58. Made on demand: most instructions are never looked at. */
  readonly data: () => Uint8Array | undefined;
  /** 1 for top-level instructions, more for inner ones; undefined where the source does not say. */
  readonly depth: number | undefined;
};

export type TokenFacts = {
  readonly mint: Address;
  readonly decimals: number;
  /** What the account had more after the transaction than before it. */
  readonly change: bigint;
};

export type MarketTransaction = {
  readonly slot: bigint;
  readonly indexInSlot: number;
  readonly signature: Signature;
  readonly feePayer: Address;
  /** It paid its fee and changed nothing else. */
  readonly failed: boolean;
  /** Undefined where the source does not say. */
  readonly feeLamports?: bigint | undefined;
  /** Top-level and inner instructions in the order of their execution. */
  readonly instructions: readonly MarketInstruction[];
  readonly logs: readonly string[];
  /** Token accounts that the source named mints for. */
  readonly tokenAccounts: ReadonlyMap<Address, TokenFacts>;
};

/** What executing a transaction cost and moved beyond token amounts, as recorded blocks tell it. */
export type ExecutionEffects = {
  readonly signers: ReadonlySet<Address>;
  readonly feeLamports: bigint;
  /** Accounts whose lamports changed, by how much; the fee is in the fee payer's. */
  readonly lamportChanges: ReadonlyMap<Address, bigint>;
  /** Owners of the token accounts, where the recording names them. */
  readonly tokenOwners: ReadonlyMap<Address, Address>;
};
