/**
 * What simulations on the chain's own accounts say of each pool's quotes: the share of its swaps that would not have given
 * what was quoted, over two minutes. A pool that moved in between fails now and then; one whose state we have wrong fails
 * always, and is the worst of all, however much else is traded.
 *
 * A failed transaction speaks of the pools up to the instruction that failed: those before it gave what was quoted, those
 * behind it were not asked.
 */
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import type { ShapeHop } from "./compute-limits.ts";
import type { Simulation } from "./simulator.ts";

const WINDOW_NS = 120e9;
/** A pool with fewer verdicts in the window says nothing: of a few, two that moved in between would be a large share. */
const SAMPLES_MIN = 20;
/** Verdicts kept of a pool, and pools; the oldest go. */
const SAMPLES_MAX = 128;
const POOLS_MAX = 1_024;

type Verdict = { readonly atNs: number; readonly isFalse: boolean };

export type SimulatedHops = {
  readonly instructions: readonly Instruction[];
  readonly hops: readonly ShapeHop[];
};

export class PoolVerdicts {
  /** Oldest first, and within the map the pool that was heard of longest ago. */
  readonly #pools = new Map<Address, Verdict[]>();

  note({ instructions, hops }: SimulatedHops, { kind, error }: Simulation, atNs: number): void {
    if (kind === "not_run") return;
    const failedAt = kind === "failed" ? instructionOf(error) : instructions.length;
    // Not the fault of an instruction: nothing is known of the pools.
    if (failedAt === undefined) return;
    for (const { pool } of hops) {
      const place = instructions.findIndex(({ accounts }) => accounts.some(({ address }) => address === pool.address));
      if (place >= 0 && place <= failedAt) this.#add(pool.address, { atNs, isFalse: place === failedAt });
    }
  }

  /** The pool that is disproved most, in %, and how many verdicts that is from; 0 of 0 where none has enough. */
  worst(nowNs: number): { readonly pct: number; readonly samples: number } {
    let worst = { pct: 0, samples: 0 };
    for (const [pool, all] of this.#pools) {
      const recent = all.filter(({ atNs }) => nowNs - atNs < WINDOW_NS);
      if (recent.length === 0) this.#pools.delete(pool);
      if (recent.length < SAMPLES_MIN) continue;
      const pct = (100 * recent.filter(({ isFalse }) => isFalse).length) / recent.length;
      if (worst.samples === 0 || pct > worst.pct) worst = { pct, samples: recent.length };
    }
    return worst;
  }

  #add(pool: Address, verdict: Verdict): void {
    const verdicts = this.#pools.get(pool) ?? [];
    verdicts.push(verdict);
    if (verdicts.length > SAMPLES_MAX) verdicts.shift();
    this.#pools.delete(pool);
    this.#pools.set(pool, verdicts);
    if (this.#pools.size > POOLS_MAX) this.#pools.delete(this.#pools.keys().next().value as Address);
  }
}

/** The place of the instruction in {"InstructionError":[place, …]}; undefined for another error. */
function instructionOf(error: string): number | undefined {
  const place = /^\{"InstructionError":\[(\d+),/.exec(error)?.[1];
  return place === undefined ? undefined : Number(place);
}
