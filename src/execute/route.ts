/**
 * A way for a signed transaction to reach a block. Every route answers the same questions in the same words, so that
 * what follows a bundle does not know which way it took.
 */
import { createHash } from "node:crypto";
import type { Signature } from "#core/units.ts";
import type { RpcFailure } from "./rpc.ts";

export type SendAnswer =
  /** The route has it, or has seen it land. `routeId` is the name it goes by there. */
  | { readonly kind: "accepted"; readonly routeId: string }
  /** The route refused it; it will not land. */
  | { readonly kind: "rejected"; readonly why: string }
  /** Nobody answered: it may or may not be on its way. */
  | { readonly kind: "unanswered"; readonly why: string };

export type RouteStatus =
  | { readonly kind: "pending" }
  | { readonly kind: "landed"; readonly slot: number }
  | { readonly kind: "failed"; readonly why: string }
  /** The route does not know it (any more). */
  | { readonly kind: "unknown" };

export type RouteName = "jito" | "tpu" | "rpc";

/**
 * A route's error as an answer. "Already processed" is no refusal: these bytes came there before, by another way or by a send
 * whose answer was lost, and the ledger says what became of them.
 */
export function answerOf(error: RpcFailure, by: string, routeId: string): SendAnswer {
  if (error.code === 0) return { kind: "unanswered", why: error.text };
  if (ALREADY_PROCESSED.test(error.text)) return { kind: "accepted", routeId };
  return { kind: "rejected", why: `${by} refused it (${error.code}): ${error.text}` };
}

/** In the words of a node and of a block engine. */
const ALREADY_PROCESSED = /already (been )?processed/i;

/** How a route is doing. */
type RouteHealth = {
  readonly healthy: boolean;
  /** Of the newest acknowledgement or handshake; 0 before the first. */
  readonly rttNs: number;
  readonly inFlight: number;
  readonly sent: number;
  readonly failed: number;
};

/** What any way can do. */
export interface SendingRoute {
  readonly name: RouteName;
  readonly health: RouteHealth;
  /** `routeId`: the name that it is followed under; a route that has its own answers with that. */
  send(wire: Uint8Array, routeId: string): Promise<SendAnswer>;
  /** One answer per id, in order; undefined when the route cannot be asked now. */
  statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[] | undefined>;
}

/** A way that bundles are built for. */
export interface Route extends SendingRoute {
  /** Where the tip must go. */
  tipAccount(): string;
  /** 75th percentile of the tips that landed lately, in lamports; 0 unknown. */
  readonly tipFloorLamports: number;
  refreshTipFloor(): Promise<void>;
  /** Told at the end of what was sent, by a route that learns from it. */
  settled?(routeId: string, landed: boolean): void;
}

/** Jito's name of a bundle: SHA-256 over its signatures, joined by commas. Known before it is sent. */
export const bundleIdOf = (signatures: readonly Signature[]): string =>
  createHash("sha256").update(signatures.join(",")).digest("hex");
