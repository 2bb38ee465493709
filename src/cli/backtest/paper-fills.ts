/**
 * Fills on paper that do not flatter. An attempt reaches the leader `latencyMs` after the event that it answers, and is
 * executed on the state that the recording has then: everything recorded until that moment was first. Each swap puts in
 * and asks for exactly what was decided, as the real bundle does, so a pool that moved against it voids the whole.
 *
 *   landed    every swap would pay what was asked
 *   rival     it would not, since a transaction over at least two of its pools was first
 *   moved     it would not, since the market moved
 *   own       it would not, since the bundle that the recorded run itself sent was first (`wallet`)
 *   repeat    no attempt: a gap over one of its pools was taken before, and the recording has not closed it since
 *   open      the recording ends before it would land
 *
 * The recording does not know of our fills: the gap that one takes stays open in it. `repeat` counts each gap once, and
 * rather too seldom than too often: all pools of a fill are left alone until its own cycle pays nothing any more.
 */

import type { PoolTable } from "#arbitrage/pool-table.ts";
import { type ExactHop, exactHop, quoteHop, tickArraysPerHop } from "#arbitrage/quote-cycle.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import type { Decision, DecisionHop } from "#decide/decision-record.ts";
import { type DecisionSwap, swapsOf } from "#decide/swaps.ts";

export const FILL_STATES = ["landed", "rival", "moved", "own", "repeat", "open"] as const;
export type FillState = (typeof FILL_STATES)[number];

export type Scenario = {
  /** From the event to the leader. */
  readonly latencyMs: number;
  /** Times the size that was decided. */
  readonly size: number;
};

export type Fill = {
  readonly decision: Decision;
  readonly state: FillState;
  /** After tip and fee; 0n for what did not land: a block engine charges nothing for that. */
  readonly netLamports: bigint;
  /** Slots from the event to the landing; 0 for what did not land. */
  readonly slotDelta: number;
};

/** Who wrote a pool last. */
export type PoolMove = { readonly atNs: number; readonly payer: Address; readonly pools: ReadonlySet<number> };

type Pending = {
  readonly decision: Decision;
  readonly swaps: readonly DecisionSwap[];
  readonly input: bigint;
  readonly dueNs: number;
};
type Gap = { readonly hops: readonly DecisionHop[]; readonly input: bigint; readonly pools: ReadonlySet<number> };

/** Of the input of a fill, what is put in to see whether its cycle still pays anything. */
const PROBE_SHARE = 64n;
const PROBE_MIN = 1_000n;

export class PaperFills {
  readonly #pending: Pending[] = [];
  #taken: Gap[] = [];

  constructor(
    readonly scenario: Scenario,
    private readonly market: {
      readonly table: PoolTable;
      readonly pool: (index: number) => PoolFacts;
      readonly lastMove: (index: number) => PoolMove | undefined;
      /** Of the run that was recorded; empty when it did not trade. */
      readonly wallet: string;
    },
    private readonly onFill: (fill: Fill) => void,
  ) {}

  /** Takes a decision to send, right when it was made. */
  take(decision: Decision): void {
    const { latencyMs, size } = this.scenario;
    const swaps = size === 1 ? swapsOf(decision) : this.#resized(decision, size);
    const input = swaps[0] === undefined ? 0n : scaled(decision.amounts[0] as bigint, size);
    this.#pending.push({ decision, swaps, input, dueNs: decision.eventNs + latencyMs * 1e6 });
  }

  /** Fills what is due before this moment, on the state as it is. `slot`: the one that is being built. */
  settle(beforeNs: number, slot: bigint): void {
    while (this.#pending[0] !== undefined && this.#pending[0].dueNs < beforeNs)
      this.onFill(this.#fill(this.#pending.shift() as Pending, slot));
  }

  /** Looks which gaps the market has closed; to be called after each event. */
  look(): void {
    if (this.#taken.length > 0) this.#taken = this.#taken.filter((gap) => this.#paysStill(gap));
  }

  end(): void {
    for (const { decision } of this.#pending.splice(0)) this.onFill(notLanded(decision, "open"));
  }

  #fill({ decision, swaps, input }: Pending, slot: bigint): Fill {
    const pools = new Set(swaps.map(({ hop }) => hop.pool));
    if (this.#taken.some((gap) => [...pools].some((pool) => gap.pools.has(pool)))) return notLanded(decision, "repeat");
    const last = decision.hops.length - 1;
    let output = 0n;
    for (const { hop, amountIn, amountOut } of swaps) {
      const paid = amountIn > 0n ? quoteHop(this.#exact(hop, decision), amountIn) : 0n;
      if (paid < amountOut || paid === 0n) return notLanded(decision, this.#whoWasFirst(decision, pools));
      if (hop === decision.hops[last] || (decision.split?.place === last && hop === decision.split.second))
        output += paid;
    }
    this.#taken.push({ hops: decision.hops, input, pools });
    return {
      decision,
      state: "landed",
      netLamports: output - input - decision.tipLamports - decision.feeLamports,
      slotDelta: Number(slot - decision.slot),
    };
  }

  #whoWasFirst(decision: Decision, pools: ReadonlySet<number>): FillState {
    let state: FillState = "moved";
    for (const pool of pools) {
      const move = this.market.lastMove(pool);
      if (move === undefined || move.atNs <= decision.eventNs) continue;
      if (move.payer === this.market.wallet) return "own";
      if ([...move.pools].filter((moved) => pools.has(moved)).length >= 2) state = "rival";
    }
    return state;
  }

  /** The swaps of another size, quoted on the state of the decision; a split hop keeps its proportion. */
  #resized(decision: Decision, size: number): DecisionSwap[] {
    let amount = scaled(decision.amounts[0] as bigint, size);
    const swaps: DecisionSwap[] = [];
    decision.hops.forEach((hop, i) => {
      const { split } = decision;
      const secondIn = split?.place === i ? (amount * split.amountIn) / maxOf(decision.amounts[i] as bigint, 1n) : 0n;
      const parts: [DecisionHop, bigint][] = [[hop, amount - secondIn]];
      if (split?.place === i) parts.push([split.second, secondIn]);
      amount = 0n;
      for (const [part, amountIn] of parts) {
        const amountOut = amountIn > 0n ? quoteHop(this.#exact(part, decision), amountIn) : 0n;
        swaps.push({ hop: part, amountIn, amountOut });
        amount += amountOut;
      }
    });
    return swaps;
  }

  #paysStill({ hops, input }: Gap): boolean {
    const probe = maxOf(input / PROBE_SHARE, PROBE_MIN);
    let amount = probe;
    for (const hop of hops) amount = amount > 0n ? quoteHop(this.#exact(hop, { hops }), amount) : 0n;
    return amount > probe;
  }

  #exact(hop: DecisionHop, { hops }: Pick<Decision, "hops">): ExactHop {
    const concentrated = hops.filter(({ tickArrays }) => tickArrays !== undefined).length;
    const facts = this.market.pool(hop.pool);
    return exactHop(this.market.table, facts, hop.inputSide, tickArraysPerHop(hops.length, concentrated));
  }
}

const notLanded = (decision: Decision, state: FillState): Fill => ({ decision, state, netLamports: 0n, slotDelta: 0 });
const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b);
/** In millionths, so that no float touches an amount. */
const scaled = (amount: bigint, size: number): bigint => (amount * BigInt(Math.round(size * 1e6))) / 1_000_000n;
