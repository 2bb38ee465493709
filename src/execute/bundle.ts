/**
 * A bundle that was sent, with everything that following it and reporting on it takes, and the one final state it ends
 * in. A sent bundle is written to the journal before it leaves, so it is plain data with a JSON form.
 */
import type { Address, Signature } from "#core/units.ts";
import type { NonceUse } from "./nonce/nonce-accounts.ts";
import type { RouteName } from "./route.ts";

const BUNDLE_STATES = [
  /** In a block, and it did what it was built for. */
  "landed",
  /** In a block, but failed there: only the fee was paid. */
  "failed",
  /** Its blockhash died, or its nonce moved on, before any leader took it. */
  "expired",
  /** The route refused it. */
  "rejected",
  /** A rival landed on the same pools with a higher tip. */
  "outbid",
  /** A pool moved, and a program would refuse its exact amounts. */
  "state_moved",
  /** It would fail for another reason. */
  "simulation_failed",
  /** The route gave it up though it would still work. */
  "dropped",
  /** Nobody can tell any more. */
  "unknown",
] as const;
export type BundleState = (typeof BUNDLE_STATES)[number];

export type SentBundle = {
  readonly decisionId: string;
  readonly sequence: number;
  readonly bundleId: string;
  /** The name it goes by at the route. */
  readonly routeId: string;
  readonly route: RouteName | "paper";
  readonly signature: Signature;
  readonly wireBase64: string;
  /** Recent when it was built; what the transaction rests on where it rests on no nonce. */
  readonly blockhash: string;
  readonly lastValidBlockHeight: number;
  /** Where it rests on a durable nonce: it can execute until that one has moved on. */
  readonly nonce?: NonceUse;
  readonly decidedSlot: number;
  /** In the order of the swaps; swap i is instruction i + 1. */
  readonly pools: readonly Address[];
  /** Which hop is split over two pools, from 0: swaps `splitPlace` and the one behind it are both that hop. */
  readonly splitPlace?: number;
  readonly tipLamports: bigint;
  readonly feeLamports: bigint;
  readonly predictedNetLamports: bigint;
  /** Unix ns. `acceptedNs` is 0n until the route acknowledged. */
  readonly eventNs: bigint;
  readonly decideNs: bigint;
  readonly sendNs: bigint;
  readonly acceptedNs: bigint;
};

export type Settlement = {
  readonly state: BundleState;
  /** In words, with the figures that prove it. */
  readonly reason: string;
  readonly landedSlot: number;
  readonly realisedNetLamports: bigint;
  readonly exact: boolean;
  readonly computeUnits: number;
  readonly feeLamports: bigint;
  /** Tip of the rival that won, where one was found; 0n otherwise. */
  readonly rivalTipLamports: bigint;
};

/** A bundle that did not land: it cost nothing (but see LandingTracker for one on a nonce). */
export const notLanded = (state: BundleState, reason: string, rivalTipLamports = 0n): Settlement => ({
  state,
  reason,
  landedSlot: 0,
  realisedNetLamports: 0n,
  exact: false,
  computeUnits: 0,
  feeLamports: 0n,
  rivalTipLamports,
});

/**
 * The settlement of a paper run: the amounts are those the program would pay on the recorded state right after the
 * event, and nobody else is assumed to have been quicker.
 */
export const paperSettlement = (bundle: SentBundle): Settlement => ({
  state: "landed",
  reason: "paper: filled on the recorded state right after the event, as if nobody had been quicker; nothing was sent",
  landedSlot: bundle.decidedSlot,
  realisedNetLamports: bundle.predictedNetLamports,
  exact: true,
  computeUnits: 0,
  feeLamports: bundle.feeLamports,
  rivalTipLamports: 0n,
});
