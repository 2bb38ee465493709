/** What goes into the virtual machine and comes out of it: accounts, and errors as Solana's RPC writes them. */
import type { Address } from "#core/units.ts";

export type AccountState = {
  readonly lamports: bigint;
  readonly owner: Address;
  readonly data: Uint8Array;
  readonly executable: boolean;
};

/** Solana's TransactionError in its RPC JSON form ("BlockhashNotFound", {InstructionError: [0, {Custom: 6005}]}, …). */
export type TransactionErrorJson = string | { readonly [kind: string]: unknown };
