/**
 * The rows of a labelled run (docs/labelled-runs.md): what happened, as a recording would tell it, and after the last leg
 * of each attack what it was. Whoever is to be judged by the file must not look at the rows of type "attack" and "person".
 */
import type { Address, Signature } from "#core/units.ts";
import type { VenueName } from "#dex/venue.ts";

export const RUN_FORMAT = "mev-run-v1";

type HeaderRow = { readonly type: "run"; readonly format: typeof RUN_FORMAT; readonly seed: string };
type SlotRow = { readonly type: "slot"; readonly slot: number; readonly leader: Address };

/** Amounts are whole numbers as text. */
export type SwapRow = {
  readonly venue: VenueName;
  /** The top-level program. */
  readonly program: Address;
  readonly pool: Address;
  readonly trader: Address;
  /** Who owns the token account that was paid into. */
  readonly paid_to: Address;
  readonly mint_in: Address;
  readonly mint_out: Address;
  readonly amount_in: string;
  readonly amount_out: string;
  /** Which amount the order fixed. */
  readonly exact: "in" | "out";
  /** Effective reserves before the swap, where the program's log tells them. */
  readonly reserve_in?: string;
  readonly reserve_out?: string;
};

export type TransactionRow = {
  readonly type: "transaction";
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly fee_payer: Address;
  readonly failed: boolean;
  readonly fee_lamports: string;
  /** SOL that was sent, tips included. */
  readonly transfers: readonly { readonly from: Address; readonly to: Address; readonly lamports: string }[];
  readonly token_transfers: readonly { readonly from: Address; readonly to: Address }[];
  readonly swaps: readonly SwapRow[];
};

export type AttackKind = "same_slot" | "bundle" | "wide" | "multi_wallet";

export type AttackRow = {
  readonly type: "attack";
  /** It took from its victims and left a profit after fees and tips; an attempt that did not is no sandwich. */
  readonly sandwich: boolean;
  readonly kind: AttackKind;
  /** What is special about it: "split", "victims", "pools", "linked by …", "kept", "sells". */
  readonly variants: readonly string[];
  readonly attackers: readonly Address[];
  readonly fronts: readonly Signature[];
  readonly backs: readonly Signature[];
  readonly victims: readonly {
    readonly signature: Signature;
    readonly pool: Address;
    /** What it would have got more (or paid less) without the attacker, by replay on this market. */
    readonly loss: string;
  }[];
  readonly gross_lamports: string;
  readonly net_lamports: string;
};

/** Who somebody is that trades for a living; everybody else is the crowd or an attacker. */
export type PersonRow = {
  readonly type: "person";
  readonly address: Address;
  readonly role: "market maker" | "reference trader" | "volume bot" | "arbitrageur" | "sniper" | "star" | "follower";
};

export type RunRow = HeaderRow | SlotRow | TransactionRow | AttackRow | PersonRow;
