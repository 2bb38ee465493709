/** What sandwich detection finds, and the words for it. */
import type { Address } from "#core/units.ts";
import type { Trade } from "./trade.ts";

export type SandwichKind = "same_slot" | "bundle" | "wide" | "multi_wallet";
export type SandwichLeg = { readonly role: "front" | "back"; readonly trade: Trade };

export type Victim = {
  readonly trade: Trade;
  /** By exact replay without the attacker; undefined where the pool's state is not told by the recording. */
  readonly loss: { readonly mint: Address; readonly amount: bigint; readonly lamports: bigint | undefined } | undefined;
};

/** One reason for or against: how much of it there is, and the weight that it adds to the log-odds of the score. */
export type Evidence = {
  readonly name: string;
  readonly value: number;
  readonly weight: number;
  readonly words: string;
};

export type SandwichFinding = {
  readonly kind: SandwichKind;
  /** Of the last back leg. */
  readonly slot: number;
  readonly attackers: readonly Address[];
  readonly victims: readonly Victim[];
  /** In the order of their execution. */
  readonly legs: readonly SandwichLeg[];
  readonly grossLamports: bigint;
  /** Without the fees and tips of the legs' transactions. */
  readonly netLamports: bigint;
  /** In 0..1, from the evidence. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
};
