/**
 * One hop over two pools of the same pair: how much of its input the second one takes.
 *
 * Two constant products pay most together where their marginal prices are equal. With k what the fee leaves and S, R the
 * reserves, pool i pays R·k·x / (S + k·x), whose slope is R·k·S / (S + k·x)². Slopes are equal where, with a = √(R·k·S),
 *
 *   (S₁ + k₁·(X − y)) / a₁ = (S₂ + k₂·y) / a₂        so        y = (a₂·(S₁ + k₁·X) − a₁·S₂) / (a₁·k₂ + a₂·k₁)
 *
 * Within its segment a concentrated pool is a constant product with virtual reserves, and the formula holds; beyond it a
 * bounded search takes its place. The exact split is then looked for around that point in the programs' own integers.
 */
import { topOf } from "./golden-section.ts";
import type { PoolTable } from "./pool-table.ts";
import { type ExactHop, inputForOutput, quoteHop } from "./quote-cycle.ts";

/** Steps of the search over segments: to 1e-5 of the hop's input, and the top is flat. */
const SEARCH_STEPS = 24;
/** Steps of either pool's output, and of its fee, that are tried on either side of the float's answer. */
const STEPS_MAX = 3;
/** The same where a quote walks over ticks. */
const STEPS_CONCENTRATED_MAX = 1;

/** What the second pool best takes of `amount`, in floats; between 0 and `amount`. */
export function secondShare(table: PoolTable, first: number, second: number, amount: number): number {
  const [k1, k2] = [table.keeps[first >> 1] as number, table.keeps[second >> 1] as number];
  const [s1, s2] = [table.reserves[first] as number, table.reserves[second] as number];
  const a1 = Math.sqrt((table.reserves[first ^ 1] as number) * k1) * Math.sqrt(s1);
  const a2 = Math.sqrt((table.reserves[second ^ 1] as number) * k2) * Math.sqrt(s2);
  const even = (a2 * (s1 + k1 * amount) - a1 * s2) / (a1 * k2 + a2 * k1);
  const share = Math.min(Math.max(even, 0), amount);
  const holds = share <= (table.limits[second] as number) && amount - share <= (table.limits[first] as number);
  if (holds || !(amount > 0)) return share;
  return topOf(0, amount, SEARCH_STEPS, (y) => table.output(first, amount - y) + table.output(second, y));
}

export type ExactSplit = { readonly secondIn: bigint; readonly secondOut: bigint; readonly firstOut: bigint };

/**
 * The best split of `amount` found around `near`, to the unit; undefined where none has both programs pay. Outputs are
 * floors and fees are ceilings, so beside `near` the ends of the neighbouring steps of both are tried: there nothing is
 * given away to rounding by one of the pools.
 */
export function splitExactly(first: ExactHop, second: ExactHop, amount: bigint, near: bigint): ExactSplit | undefined {
  let best: ExactSplit | undefined;
  const consider = (secondIn: bigint) => {
    if (secondIn <= 0n || secondIn >= amount) return;
    const [firstOut, secondOut] = [quoteHop(first, amount - secondIn), quoteHop(second, secondIn)];
    if (firstOut === 0n || secondOut === 0n) return;
    if (best === undefined || firstOut + secondOut > best.firstOut + best.secondOut)
      best = { secondIn, secondOut, firstOut };
  };
  consider(near);
  for (const secondIn of stepEnds(second, near)) consider(secondIn);
  for (const firstIn of stepEnds(first, amount - near)) consider(amount - firstIn);
  return best;
}

/** The least inputs of the outputs around `input`'s, and the most inputs for the fees around its fee. */
function stepEnds(hop: ExactHop, input: bigint): bigint[] {
  const steps = BigInt(hop.concentrated === undefined ? STEPS_MAX : STEPS_CONCENTRATED_MAX);
  const output = quoteHop(hop, input);
  const [numerator, denominator] = [BigInt(hop.pool.feeNumerator), BigInt(hop.pool.feeDenominator)];
  const fee = (input * numerator) / denominator;
  const ends: bigint[] = [];
  for (let step = -steps; step <= steps; step++) {
    if (output + step > 0n) ends.push(inputForOutput([hop], output + step));
    if (hop.concentrated === undefined && numerator > 0n) ends.push(((fee + step) * denominator) / numerator);
  }
  return ends;
}
