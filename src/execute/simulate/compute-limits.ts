/**
 * Compute-unit limits learnt from simulations, so that a bundle asks for the block space it needs and not for the worst
 * case of its venues. A shape is the cycle's venues with the token programs of each hop, in order: what decides the cost
 * of a swap whose curve is one formula. Venues whose cost depends on how far the price moves keep the fixed table.
 */
import type { DexName, PoolFacts } from "#core/pool.ts";
import type { Simulation } from "./simulator.ts";

/** Simulations of a shape before its figures are believed. */
const SAMPLES_MIN = 16;
/**
 * Room above the most that was seen. The same shape was seen to take 19,000 to 33,000 units, for a pool writes an
 * observation only now and then; a fifth above eight samples was too little once in 900 bundles.
 */
const ROOM_PERCENT = 50n;
const SHAPES_MAX = 1_024;
/** One formula over the two reserves. */
const CONSTANT_COST: ReadonlySet<DexName> = new Set<DexName>(["raydium-cpmm", "raydium-amm-v4"]);
/** What the runtime says of a transaction that ran into its limit. */
const OVER_LIMIT = /ComputationalBudgetExceeded|ProgramFailedToComplete/;

export type ShapeHop = { readonly pool: PoolFacts; readonly inputSide: 0 | 1 };
type Seen = { samples: number; unitsMost: number; isVoid: boolean };

export class ComputeLimits {
  readonly #shapes = new Map<string, Seen>();

  /** Units to ask for; undefined while the shape is not known well enough. */
  limitOf(hops: readonly ShapeHop[]): number | undefined {
    const shape = shapeOf(hops);
    const seen = shape === undefined ? undefined : this.#shapes.get(shape);
    if (seen === undefined || seen.isVoid || seen.samples < SAMPLES_MIN) return undefined;
    return Number((BigInt(seen.unitsMost) * (100n + ROOM_PERCENT)) / 100n);
  }

  /** Takes a simulation's figure; a shape that ran into its limit once goes back to the table for good. */
  learn(hops: readonly ShapeHop[], { kind, computeUnits, error }: Simulation): void {
    const shape = shapeOf(hops);
    if (shape === undefined) return;
    const seen = this.#shapes.get(shape) ?? { samples: 0, unitsMost: 0, isVoid: false };
    if (kind === "passed") {
      seen.samples++;
      seen.unitsMost = Math.max(seen.unitsMost, computeUnits);
    } else if (kind === "failed" && OVER_LIMIT.test(error)) seen.isVoid = true;
    else return;
    if (this.#shapes.size < SHAPES_MAX) this.#shapes.set(shape, seen);
  }
}

/** Undefined where the cost is not one figure. */
function shapeOf(hops: readonly ShapeHop[]): string | undefined {
  if (!hops.every(({ pool }) => CONSTANT_COST.has(pool.dex))) return undefined;
  return hops
    .map(({ pool, inputSide }) => `${pool.dex} ${pool.tokenPrograms[inputSide]} ${pool.tokenPrograms[1 - inputSide]}`)
    .join(", ");
}
