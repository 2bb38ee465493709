/**
 * Whether a winner earns more when one of its hops goes over two pools. Every hop and every pool beside it is tried in
 * floats at the winner's own input; the best few are sized anew, for the cycle is deeper with the second pool, and then
 * quoted in integers. What is found is worth at least `gainMin` lamports more than the winner, and its transaction fits.
 *
 * A second swap costs its bytes and compute units, which have no price as long as no price per unit is paid; `gainMin`
 * stands for what is not on a bill: one more pool that may move before the bundle lands.
 */

import type { PoolFacts } from "#core/pool.ts";
import { fillConcentrated, walkedArrays } from "./concentrated-quote.ts";
import { HOPS_MAX } from "./cycle-index.ts";
import { topOf } from "./golden-section.ts";
import { BigintHop, type HopCurve, WholeHop } from "./hop-curve.ts";
import type { ParallelPools } from "./parallel-pools.ts";
import type { PoolTable } from "./pool-table.ts";
import { type ExactHop, exactHop, tickArraysPerHop } from "./quote-cycle.ts";
import { ExactSplit, secondShare } from "./split-hop.ts";
import { type CountedSwap, fitsTransaction } from "./transaction-bytes.ts";
import type { Winner } from "./winner.ts";

/** Candidates that are quoted in integers. */
const TRIES_MAX = 3;
/** The share of the wanted gain that floats must see before it is quoted in integers, which round. */
const SCREENED_SHARE_MIN = 0.5;
/** Steps of the search for the best input with the split, and how far above the winner's input it looks. */
const SIZING_STEPS = 20;
const INPUT_GROWTH_MAX = 4;

export type SplitMarket = {
  readonly table: PoolTable;
  /** By number. */
  readonly pools: readonly PoolFacts[];
  readonly parallels: ParallelPools;
  /** A pool that must not be taken. */
  readonly isHeld: (pool: number) => boolean;
};

/** A cycle with one hop over two pools; reused, and good until the next search. */
export type Split = {
  /** Which hop of the cycle is split, from 0. */
  place: number;
  /** The hop of the second pool: 2 × pool + input side. */
  second: number;
  /** The same with its exact state, where whole floats do not hold it. */
  exact: ExactHop | undefined;
  secondIn: number;
  secondOut: number;
  /** The input, then the output of every hop: of the split hop what both pools pay out. */
  readonly amounts: Float64Array;
  gainLamports: number;
};

/** The cycle that may be split: a Winner that has been sized. */
export type SplitCycle = Pick<Winner, "place" | "hops" | "hopCount" | "sized" | "facts" | "curve" | "exactHops">;

const createSplit = (): Split => ({
  place: 0,
  second: 0,
  exact: undefined,
  secondIn: 0,
  secondOut: 0,
  amounts: new Float64Array(HOPS_MAX + 1),
  gainLamports: 0,
});

/** The splits that gain, in floats. */
class SplitSearch {
  /** The best few, best first. */
  count = 0;
  readonly places = new Int32Array(TRIES_MAX);
  readonly seconds = new Int32Array(TRIES_MAX);
  readonly gains = new Float64Array(TRIES_MAX);
  #hops = new Int32Array(0);
  #hopCount = 0;
  #table: PoolTable | undefined;
  #place = 0;
  #second = 0;

  /** Looks at every hop and every pool beside it, at the winner's own input. */
  look({ hops, hopCount, sized }: SplitCycle, market: SplitMarket): void {
    const { table } = market;
    this.#hops = hops;
    this.#hopCount = hopCount;
    this.#table = table;
    this.count = 0;
    const output = this.#rest(table, 0, sized.input);
    let amount = sized.input;
    for (let place = 0; place < hopCount; place++) {
      const hop = hops[place] as number;
      const out = table.output(hop, amount);
      const beside = market.parallels.beside(hop);
      for (let i = 0; i < beside.length; i++) {
        const second = beside[i] as number;
        // What it pays for its first unit is the most it pays for any.
        if (!((table.rates[second] as number) * amount > 0) || market.isHeld(second >> 1) || this.#trades(second >> 1))
          continue;
        const split = hopOutput(table, hop, second, amount);
        if (split <= out) continue;
        const gain = this.#rest(table, place + 1, split) - output;
        if (gain > 0) this.#offer(place, second, gain);
      }
      amount = out;
    }
  }

  /** What candidate `i` earns with `input`, in floats. */
  readonly profitAt = (input: number): number => {
    const table = this.#table as PoolTable;
    let amount = input;
    for (let i = 0; i < this.#hopCount; i++) {
      const hop = this.#hops[i] as number;
      amount = i === this.#place ? hopOutput(table, hop, this.#second, amount) : table.output(hop, amount);
    }
    return amount - input;
  };

  /** `profitAt` speaks of this candidate from now on. */
  choose(i: number): void {
    this.#place = this.places[i] as number;
    this.#second = this.seconds[i] as number;
  }

  #rest(table: PoolTable, from: number, amount: number): number {
    let out = amount;
    for (let i = from; i < this.#hopCount; i++) out = table.output(this.#hops[i] as number, out);
    return out;
  }

  #trades(pool: number): boolean {
    for (let i = 0; i < this.#hopCount; i++) if ((this.#hops[i] as number) >> 1 === pool) return true;
    return false;
  }

  #offer(place: number, second: number, gain: number): void {
    let at = this.count < TRIES_MAX ? this.count++ : TRIES_MAX;
    for (; at > 0 && (this.gains[at - 1] as number) < gain; at--) {
      if (at === TRIES_MAX) continue;
      this.places[at] = this.places[at - 1] as number;
      this.seconds[at] = this.seconds[at - 1] as number;
      this.gains[at] = this.gains[at - 1] as number;
    }
    if (at === TRIES_MAX) return;
    this.places[at] = place;
    this.seconds[at] = second;
    this.gains[at] = gain;
  }
}

/** The same in the programs' integers, and whether the transaction has room. */
class SplitQuoter {
  readonly #wholeSecond = new WholeHop();
  readonly #shared = new ExactSplit();
  #best = createSplit();
  #trial = createSplit();

  /** The better of two: at the input that is best with the split, and at the winner's own. */
  quote(cycle: SplitCycle, place: number, second: number, grown: number, market: SplitMarket): Split | undefined {
    const facts = market.pools[second >> 1];
    if (facts === undefined) return undefined;
    const ticked = tickedHops(cycle) + (facts.concentrated === undefined ? 0 : 1);
    if (!hasRoom(cycle, place, second, facts, ticked, market.parallels)) return undefined;
    const beside = this.#curveOf(second, facts, market.table, tickArraysPerHop(cycle.hopCount + 1, ticked));
    let found = false;
    // At the grown input, then at the winner's own.
    for (let attempt = 0; attempt < 2; attempt++) {
      const input = attempt === 0 ? grown : cycle.sized.input;
      const trial = this.#trial;
      if (attempt > 0 && input === grown) break;
      if (!this.#quoteAt(trial, cycle, place, second, beside, input, market.table)) continue;
      if (found && trial.gainLamports <= this.#best.gainLamports) continue;
      trial.exact = beside instanceof BigintHop ? beside.hop : undefined;
      this.#trial = this.#best;
      this.#best = trial;
      found = true;
    }
    return found && (ticked === 0 || fitsExactly(cycle, this.#best, facts)) ? this.#best : undefined;
  }

  #curveOf(second: number, facts: PoolFacts, table: PoolTable, tickArraysMax: number): HopCurve {
    const { feeNumerator, feeDenominator, concentrated } = facts;
    const reserveIn = table.reserves[second] as number;
    const reserveOut = table.reserves[second ^ 1] as number;
    const whole = this.#wholeSecond;
    if (concentrated === undefined && whole.set(reserveIn, reserveOut, feeNumerator, feeDenominator)) return whole;
    return new BigintHop(exactHop(table, facts, (second & 1) as 0 | 1, tickArraysMax));
  }

  /** Fills in the amounts; false where a program would refuse. */
  #quoteAt(
    out: Split,
    cycle: SplitCycle,
    place: number,
    second: number,
    beside: HopCurve,
    input: number,
    table: PoolTable,
  ): boolean {
    const { amounts } = out;
    const shared = this.#shared;
    amounts[0] = leastInput(cycle, place, input);
    for (let i = 0; i < place; i++) amounts[i + 1] = cycle.curve(i).outputOf(amounts[i] as number);
    const reached = amounts[place] as number;
    if (reached === 0) return false;
    const near = Math.round(secondShare(table, cycle.hops[place] as number, second, reached));
    if (!shared.search(cycle.curve(place), beside, reached, near)) return false;
    amounts[place + 1] = shared.firstOut + shared.secondOut;
    for (let i = place + 1; i < cycle.hopCount; i++) amounts[i + 1] = cycle.curve(i).outputOf(amounts[i] as number);
    out.place = place;
    out.second = second;
    out.secondIn = shared.secondIn;
    out.secondOut = shared.secondOut;
    const { sized } = cycle;
    const profit = (amounts[cycle.hopCount] as number) - (amounts[0] as number);
    out.gainLamports = profit - (sized.output - sized.input);
    return true;
  }
}

function tickedHops(cycle: SplitCycle): number {
  let count = 0;
  for (let i = 0; i < cycle.hopCount; i++) if (cycle.facts(i).concentrated !== undefined) count++;
  return count;
}

/** The input without what the hops before the split would only round away. */
function leastInput(cycle: SplitCycle, place: number, input: number): number {
  let amount = input;
  for (let i = 0; i < place && amount > 0; i++) amount = cycle.curve(i).outputOf(amount);
  for (let i = place - 1; i >= 0 && amount > 0; i--) amount = cycle.curve(i).inputFor(amount);
  return amount > 0 && amount < input ? amount : input;
}

/** Reused: a search allocates nothing while whole floats hold its amounts. */
const search = new SplitSearch();
const quoter = new SplitQuoter();

/** The best split of the cycle that gains `gainMin` lamports; undefined without one. Its object is good until the next search. */
export function findSplit(
  cycle: SplitCycle,
  limits: { readonly inputMax: number; readonly gainMin: number },
  market: SplitMarket,
): Split | undefined {
  const { input, output } = cycle.sized;
  const most = Math.min(limits.inputMax, INPUT_GROWTH_MAX * input);
  search.look(cycle, market);
  for (let i = 0; i < search.count; i++) {
    search.choose(i);
    const grown = most > input ? topOf(input, most, SIZING_STEPS, search.profitAt) : input;
    const gain = Math.max(search.profitAt(grown), search.profitAt(input)) - (output - input);
    if (gain < limits.gainMin * SCREENED_SHARE_MIN) continue;
    const second = search.seconds[i] as number;
    const place = search.places[i] as number;
    const split = quoter.quote(cycle, place, second, Math.min(Math.round(grown), Math.floor(most)), market);
    if (split !== undefined && split.gainLamports >= limits.gainMin) return split;
  }
  return undefined;
}

function hopOutput(table: PoolTable, first: number, second: number, amount: number): number {
  const share = secondShare(table, first, second, amount);
  return table.output(first, amount - share) + table.output(second, share);
}

/** The cycle's swaps with that of the second pool, each with the tick arrays that it names. */
type ArraysOf = (facts: PoolFacts, hop: number | undefined) => number;

function fits(cycle: SplitCycle, place: number, second: PoolFacts, arraysOf: ArraysOf): boolean {
  const swaps: CountedSwap[] = [];
  for (let i = 0; i < cycle.hopCount; i++) {
    swaps.push({ pool: cycle.facts(i), tickArrays: arraysOf(cycle.facts(i), i) });
    if (i === place) swaps.push({ pool: second, tickArrays: arraysOf(second, undefined) });
  }
  return fitsTransaction(swaps);
}

/** Whether there is room with as few tick arrays as can be; asked once where there are none. */
function hasRoom(
  cycle: SplitCycle,
  place: number,
  second: number,
  facts: PoolFacts,
  ticked: number,
  parallels: ParallelPools,
): boolean {
  const known = ticked === 0 ? parallels.knownRoom(cycle.place, second) : undefined;
  if (known !== undefined) return known;
  const room = fits(cycle, place, facts, fewestArrays);
  if (ticked === 0) parallels.keepRoom(cycle.place, second, room);
  return room;
}

/** With as few tick arrays as can be. */
const fewestArrays: ArraysOf = ({ concentrated }) => (concentrated === undefined ? 0 : 1);

/** Whether there is room with the tick arrays that the amounts walk over. */
function fitsExactly(cycle: SplitCycle, { place, exact, secondIn, amounts }: Split, second: PoolFacts): boolean {
  const hops = cycle.exactHops();
  return fits(cycle, place, second, (_, i) => {
    if (i === undefined) return exact === undefined ? 0 : arraysFor(exact, secondIn);
    return arraysFor(hops[i] as ExactHop, (amounts[i] as number) - (i === place ? secondIn : 0));
  });
}

function arraysFor({ concentrated, inputSide }: ExactHop, amountIn: number): number {
  const fill = concentrated && fillConcentrated(concentrated, inputSide, BigInt(amountIn), "exact-in");
  return concentrated === undefined || fill === undefined ? 0 : walkedArrays(concentrated.facts, fill);
}
