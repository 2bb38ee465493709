/**
 * What simulations on the chain's own accounts say of each pool's quotes: the share of its newest swaps in one direction
 * that would not have given what was quoted. The newest dozen, not all of a time: a lie is then seen as soon after an hour of
 * good quotes as at the start, and the verdict is as old as the pool is seldom asked. A pool that moved in between fails now and then; one whose state we
 * have wrong fails nearly always in the direction that looks too good, and never in the other, which would hide it: so each
 * direction is judged by itself, and the worst of all stands out however much else is traded.
 *
 * A failed transaction speaks of the pools up to the instruction that failed: those before it gave what was quoted, those
 * behind it were not asked.
 */
import type { Instruction } from "#dex/instruction.ts";
import type { ShapeHop } from "./compute-limits.ts";
import type { Simulation } from "./simulator.ts";

/** So many of the newest verdicts of a direction are judged, none older than two minutes. */
const SAMPLES_MAX = 12;
const AGE_NS_MAX = 120e9;
/**
 * A direction with fewer says nothing: of a few, two that moved in between would be a large share. As many as the level asks
 * for (slo/objectives.ts): one with fewer would be the worst here, and unknown there.
 */
const SAMPLES_MIN = 10;
/** Directions that are kept; the one that was heard of longest ago goes. */
const DIRECTIONS_MAX = 2_048;

type Verdict = { readonly atNs: number; readonly isFalse: boolean };

export type SimulatedHops = {
  readonly instructions: readonly Instruction[];
  readonly hops: readonly ShapeHop[];
};

export class PoolVerdicts {
  /** By pool and side of the input. Oldest first, and within the map the direction that was heard of longest ago. */
  readonly #directions = new Map<string, Verdict[]>();

  note({ instructions, hops }: SimulatedHops, { kind, error }: Simulation, atNs: number): void {
    if (kind === "not_run") return;
    const failedAt = kind === "failed" ? instructionOf(error) : instructions.length;
    // Not the fault of an instruction: nothing is known of the pools.
    if (failedAt === undefined) return;
    for (const { pool, inputSide } of hops) {
      const place = instructions.findIndex(({ accounts }) => accounts.some(({ address }) => address === pool.address));
      if (place >= 0 && place <= failedAt)
        this.#add(`${pool.address}/${inputSide}`, { atNs, isFalse: place === failedAt });
    }
  }

  /** The direction of a pool that is disproved most, in %, and how many verdicts that is from; 0 of 0 where none has enough. */
  worst(nowNs: number): { readonly pct: number; readonly samples: number } {
    let worst = { pct: 0, samples: 0 };
    for (const [direction, all] of this.#directions) {
      const recent = all.filter(({ atNs }) => nowNs - atNs < AGE_NS_MAX);
      if (recent.length === 0) this.#directions.delete(direction);
      if (recent.length < SAMPLES_MIN) continue;
      const pct = (100 * recent.filter(({ isFalse }) => isFalse).length) / recent.length;
      if (worst.samples === 0 || pct > worst.pct) worst = { pct, samples: recent.length };
    }
    return worst;
  }

  #add(direction: string, verdict: Verdict): void {
    const verdicts = this.#directions.get(direction) ?? [];
    verdicts.push(verdict);
    if (verdicts.length > SAMPLES_MAX) verdicts.shift();
    this.#directions.delete(direction);
    this.#directions.set(direction, verdicts);
    if (this.#directions.size > DIRECTIONS_MAX) this.#directions.delete(this.#directions.keys().next().value as string);
  }
}

/** The place of the instruction in {"InstructionError":[place, …]}; undefined for another error. */
function instructionOf(error: string): number | undefined {
  const place = /^\{"InstructionError":\[(\d+),/.exec(error)?.[1];
  return place === undefined ? undefined : Number(place);
}
