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
import { topOf } from "./golden-section.ts";
import type { ParallelPools } from "./parallel-pools.ts";
import type { PoolTable } from "./pool-table.ts";
import { type ExactHop, exactHop, inputForOutput, quoteHop, tickArraysPerHop } from "./quote-cycle.ts";
import type { Sized } from "./sizing.ts";
import { secondShare, splitExactly } from "./split-hop.ts";
import { fitsTransaction } from "./transaction-bytes.ts";
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

export type Split = {
  /** Which hop of the cycle is split, from 0. */
  readonly place: number;
  readonly second: ExactHop;
  readonly secondIn: bigint;
  readonly secondOut: bigint;
  /** The input, then the output of every hop: of the split hop what both pools pay out. */
  readonly amounts: readonly bigint[];
  readonly gainLamports: bigint;
};

/** The cycle that may be split: a Winner that has been sized. */
export type SplitCycle = Pick<Winner, "hops" | "hopCount" | "sized" | "exactHops">;

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

/** Reused: while no split is worth its exact quotes, nothing is allocated. */
const search = new SplitSearch();

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
    const split = exactly(
      cycle,
      search.places[i] as number,
      second,
      Math.min(Math.round(grown), Math.floor(most)),
      market,
    );
    if (split !== undefined && split.gainLamports >= BigInt(Math.ceil(limits.gainMin))) return split;
  }
  return undefined;
}

/** The split in the programs' integers, where its transaction fits. */
function exactly(
  cycle: SplitCycle,
  place: number,
  second: number,
  grown: number,
  { table, pools }: SplitMarket,
): Split | undefined {
  const facts = pools[second >> 1];
  const hops = cycle.exactHops();
  if (facts === undefined || !fits(hops, place, facts)) return undefined;
  const concentrated = [...hops.map(({ pool }) => pool), facts].filter((pool) => pool.concentrated !== undefined);
  const arrays = tickArraysPerHop(hops.length + 1, concentrated.length);
  const beside = exactHop(table, facts, (second & 1) as 0 | 1, arrays);
  const split = quoteSplit(hops, place, beside, cycle.sized, grown, table);
  return split !== undefined && fitsExactly(hops, split) ? split : undefined;
}

function hopOutput(table: PoolTable, first: number, second: number, amount: number): number {
  const share = secondShare(table, first, second, amount);
  return table.output(first, amount - share) + table.output(second, share);
}

/** The better of two: at the input that is best with the split, and at the winner's own. */
function quoteSplit(
  hops: readonly ExactHop[],
  place: number,
  second: ExactHop,
  sized: Sized,
  grown: number,
  table: PoolTable,
): Split | undefined {
  let best: Split | undefined;
  for (const input of new Set([grown, sized.input])) {
    const amounts = exactAmounts(hops, place, second, BigInt(input), table);
    if (amounts === undefined) continue;
    const gainLamports = profitOf(amounts.amounts) - BigInt(sized.output - sized.input);
    if (best === undefined || gainLamports > best.gainLamports) best = { place, second, ...amounts, gainLamports };
  }
  return best;
}

const profitOf = (amounts: readonly bigint[]): bigint => (amounts.at(-1) as bigint) - (amounts[0] as bigint);

/** The amounts in the programs' integers; undefined where one would refuse. */
function exactAmounts(
  hops: readonly ExactHop[],
  place: number,
  second: ExactHop,
  input: bigint,
  table: PoolTable,
): Pick<Split, "amounts" | "secondIn" | "secondOut"> | undefined {
  const before = hops.slice(0, place);
  const first = hops[place] as ExactHop;
  const reached = before.reduce((amount, hop) => quoteHop(hop, amount), input);
  if (reached === 0n) return undefined;
  // What the hops before the split would only round away is not put in.
  const least = place === 0 ? input : inputForOutput(before, reached);
  const amounts = [least > 0n && least < input ? least : input];
  for (const hop of before) amounts.push(quoteHop(hop, amounts.at(-1) as bigint));
  const amount = amounts[place] as bigint;
  const numbers = [first, second].map(({ pool, inputSide }) => 2 * pool.index + inputSide) as [number, number];
  const near = BigInt(Math.round(secondShare(table, ...numbers, Number(amount))));
  const split = splitExactly(first, second, amount, near);
  if (split === undefined) return undefined;
  amounts.push(split.firstOut + split.secondOut);
  for (const hop of hops.slice(place + 1)) amounts.push(quoteHop(hop, amounts.at(-1) as bigint));
  return { amounts, secondIn: split.secondIn, secondOut: split.secondOut };
}

/** Whether there is room with as few tick arrays as can be. */
function fits(hops: readonly ExactHop[], place: number, second: PoolFacts): boolean {
  const swaps = hops.map(({ pool }) => pool);
  swaps.splice(place + 1, 0, second);
  return fitsTransaction(swaps.map((pool) => ({ pool, tickArrays: pool.concentrated === undefined ? 0 : 1 })));
}

/** Whether there is room with the tick arrays that the amounts walk over. */
function fitsExactly(hops: readonly ExactHop[], { place, second, secondIn, amounts }: Split): boolean {
  const swaps = hops.map((hop, i) => ({
    pool: hop.pool,
    tickArrays: arraysFor(hop, (amounts[i] as bigint) - (i === place ? secondIn : 0n)),
  }));
  swaps.splice(place + 1, 0, { pool: second.pool, tickArrays: arraysFor(second, secondIn) });
  return fitsTransaction(swaps);
}

function arraysFor({ concentrated, inputSide }: ExactHop, amountIn: bigint): number {
  const fill = concentrated && fillConcentrated(concentrated, inputSide, amountIn, "exact-in");
  return concentrated === undefined || fill === undefined ? 0 : walkedArrays(concentrated.facts, fill);
}
