/**
 * The interface of an operator's own front-run builder (docs/front-run-builder.md). Sandpiper ships none, and nothing in it
 * calls one: it has no source of orders that are not executed yet. Who has one hands each pending swap to the builder that
 * he wrote, and sends the plan as the bundle [before, pending, after] by the routes of execute.
 */
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import type { SwapOrder } from "#dex/venue.ts";
import { MEV_ERROR } from "./errors.ts";

/** A swap that somebody signed and nobody has executed. */
export type PendingSwap = {
  /** The signed transaction, as it goes into the bundle. */
  readonly wire: Uint8Array;
  readonly trader: Address;
  readonly pool: PoolFacts;
  readonly order: SwapOrder;
  /** Least output of an order with exact input, most input of one with exact output, in units. */
  readonly limit: bigint;
  /** The pool's state before it, as its Venue of dex/ loads it; swap on it by `Venue.swap` only. */
  readonly state: unknown;
  readonly slot: bigint;
};

/** What the operator is willing to do. */
export type FrontRunLimits = {
  readonly owner: Address;
  readonly inputLamportsMax: bigint;
  readonly tipLamportsMax: bigint;
};

export type FrontRunPlan = {
  /** Instructions of the transaction before the pending one, and of the one behind it. */
  readonly before: readonly Instruction[];
  readonly after: readonly Instruction[];
  /** What the plan gains by exact quotes, before fees and tip. */
  readonly grossLamports: bigint;
  readonly tipLamports: bigint;
};

export interface FrontRunBuilder {
  readonly name: string;
  /** Undefined where it wants nothing. Never throws; no I/O; within a millisecond. */
  build(pending: PendingSwap, limits: FrontRunLimits): FrontRunPlan | undefined;
}

/** The builder that a module exports as `builder`. Throws a SandpiperError when there is none. */
export function frontRunBuilderOf(module: unknown, from: string): FrontRunBuilder {
  const found: unknown = isRecord(module) && Object.hasOwn(module, "builder") ? module["builder"] : undefined;
  if (isRecord(found) && typeof found["name"] === "string" && typeof found["build"] === "function")
    return found as unknown as FrontRunBuilder;
  throw new SandpiperError(
    MEV_ERROR.frontRunBuilder,
    `Cannot use ${from} as a front-run builder: an export builder with a name and build(), was ${isRecord(found) ? Object.keys(found).join(", ") || "nothing" : typeof found}`,
    "never",
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === "object";
