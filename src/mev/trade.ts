/**
 * What detection looks at: a transaction as the trades it made, what it paid, and which wallets it ties together. Made
 * from recorded transactions by read-transaction.ts; the detectors know nothing of blocks and instructions.
 */
import type { Address, Signature } from "#core/units.ts";
import type { VenueName } from "#dex/venue.ts";

/** A constant-product pool as a trade found it, and what moved through its vaults. */
export type PoolReading = {
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Which amount the order fixed. */
  readonly exact: "in" | "out";
};

export type Trade = {
  readonly transaction: TransactionFacts;
  readonly instructionIndex: number;
  readonly venue: VenueName;
  readonly pool: Address;
  /** The signer whose order it is: the swap's own authority, or the fee payer where a program signed for it. */
  readonly actor: Address;
  readonly mintIn: Address;
  readonly mintOut: Address;
  /** What left the actor's account and what came to it. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Undefined where the recording does not tell the pool's reserves. */
  readonly reading: PoolReading | undefined;
  /** The top-level program that the order went through. */
  readonly program: Address;
  /** It is part of a public aggregator's route. */
  readonly aggregated: boolean;
  /** It is a hop of a cycle through several pools, closed in this transaction. */
  readonly cyclic: boolean;
};

export type TransactionFacts = {
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly feeLamports: bigint;
  readonly tipLamports: bigint;
};

export type LinkKind = "fee payer" | "tip payer" | "token account owner" | "token transfer" | "funding";

/** One wallet did something for another: paid its fee or tip, sent it tokens or lamports, owns what it trades with. */
export type WalletLink = {
  readonly from: Address;
  readonly to: Address;
  readonly kind: LinkKind;
};

export type MevTransaction = TransactionFacts & {
  readonly failed: boolean;
  readonly trades: readonly Trade[];
  readonly links: readonly WalletLink[];
};
