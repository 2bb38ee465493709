/**
 * What every DEX of this room offers: a pool as one value made from account bytes, and exact swaps on it in integers.
 * A swap answers what the deployed program would do to the unit, the state after it included, or the refusal that the
 * program would give. Nothing here throws on foreign bytes, does I/O or reads a clock.
 */
import type { SandpiperError } from "#core/error.ts";
import type { Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";

export const VENUE_NAMES = [
  "raydium-amm-v4",
  "raydium-cpmm",
  "raydium-clmm",
  "orca-whirlpool",
  "meteora-dlmm",
  "pumpswap",
] as const;
export type VenueName = (typeof VENUE_NAMES)[number];

export type AccountBytes = { readonly owner: Address; readonly data: Uint8Array };
/** Accounts as they were at one moment. */
export type AccountSet = ReadonlyMap<Address, AccountBytes>;

/** The Clock sysvar, as far as programs look at it. */
export type ChainTime = { readonly slot: bigint; readonly epoch: bigint; readonly unixSeconds: bigint };

export type SwapOrder = {
  /** The pool's side that the trader pays with; sides are the program's own token order. */
  readonly inputSide: 0 | 1;
  /** exact-in: `amount` leaves the trader's input account; exact-out: `amount` arrives on the trader's output account. */
  readonly mode: "exact-in" | "exact-out";
  readonly amount: bigint;
};

export type SwapFill<State> = {
  /** Left the trader's input account, transfer fees included. A program that fills in part takes less than asked. */
  readonly amountIn: bigint;
  /** Arrived on the trader's output account, transfer fees taken off. */
  readonly amountOut: bigint;
  readonly after: State;
};

/** Why the program would refuse: its own error number and name. */
export type SwapRefusal = { readonly custom: number; readonly name: string };

export interface Venue<State> {
  readonly name: VenueName;
  readonly program: Address;
  /** The pool with everything a swap on it may touch, out of a set that holds at least that. */
  load(pool: Address, accounts: AccountSet): Result<State, SandpiperError>;
  swap(state: State, order: SwapOrder, time: ChainTime): Result<SwapFill<State>, SwapRefusal>;
  /** The figures of the state by the program's own field names, for checks against recorded executions. */
  figures(state: State): Readonly<Record<string, bigint>>;
}
