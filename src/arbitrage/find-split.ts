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

/** Candidates that are quoted in integers. */
const TRIES_MAX = 3;
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

type Candidate = { readonly place: number; readonly second: number; readonly gain: number };

export function findSplit(
  hops: readonly ExactHop[],
  sized: Sized,
  limits: { readonly inputMax: number; readonly gainMin: number },
  market: SplitMarket,
): Split | undefined {
  const numbers = hops.map(({ pool, inputSide }) => 2 * pool.index + inputSide);
  for (const { place, second } of candidatesOf(numbers, sized.input, market)) {
    const facts = market.pools[second >> 1];
    if (facts === undefined || !fits(hops, place, facts)) continue;
    const concentrated = [...hops.map(({ pool }) => pool), facts].filter((pool) => pool.concentrated !== undefined);
    const arrays = tickArraysPerHop(hops.length + 1, concentrated.length);
    const beside = exactHop(market.table, facts, (second & 1) as 0 | 1, arrays);
    const split = quoteSplit(hops, place, beside, sized, limits.inputMax, market.table);
    if (split !== undefined && split.gainLamports >= BigInt(Math.ceil(limits.gainMin)) && fitsExactly(hops, split))
      return split;
  }
  return undefined;
}

/** The splits that gain at the winner's own input, in floats, best first. */
function candidatesOf(numbers: readonly number[], input: number, market: SplitMarket): readonly Candidate[] {
  const { table, parallels, isHeld } = market;
  const found: Candidate[] = [];
  let amount = input;
  const output = numbers.reduce((sum, hop) => table.output(hop, sum), input);
  numbers.forEach((hop, place) => {
    const out = table.output(hop, amount);
    for (const second of parallels.beside(hop)) {
      const pool = second >> 1;
      // What it pays for its first unit is the most it pays for any.
      if (!((table.rates[second] as number) * amount > 0) || isHeld(pool)) continue;
      if (numbers.some((other) => other >> 1 === pool)) continue;
      const split = hopOutput(table, hop, second, amount);
      if (split <= out) continue;
      let rest = split;
      for (let i = place + 1; i < numbers.length; i++) rest = table.output(numbers[i] as number, rest);
      if (rest > output) found.push({ place, second, gain: rest - output });
    }
    amount = out;
  });
  return found.sort((a, b) => b.gain - a.gain).slice(0, TRIES_MAX);
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
  inputMax: number,
  table: PoolTable,
): Split | undefined {
  const numbers = hops.map(({ pool, inputSide }) => 2 * pool.index + inputSide);
  const beside = 2 * second.pool.index + second.inputSide;
  const profitAt = (input: number) => {
    let amount = input;
    numbers.forEach((hop, i) => {
      amount = i === place ? hopOutput(table, hop, beside, amount) : table.output(hop, amount);
    });
    return amount - input;
  };
  const most = Math.min(inputMax, INPUT_GROWTH_MAX * sized.input);
  const grown = most > sized.input ? topOf(sized.input, most, SIZING_STEPS, profitAt) : sized.input;
  let best: Split | undefined;
  for (const input of new Set([Math.min(Math.round(grown), Math.floor(inputMax)), sized.input])) {
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
