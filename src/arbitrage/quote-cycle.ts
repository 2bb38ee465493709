/** A cycle in the programs' own integers: each hop's whole output is the next hop's input. */
import type { PoolFacts } from "#core/pool.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";

/** One hop with the exact state it is quoted on. */
export type ExactHop = {
  readonly pool: PoolFacts;
  readonly inputSide: 0 | 1;
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
};

/** The output of the last hop; 0n as soon as a program would refuse. */
export function quoteCycle(hops: readonly ExactHop[], input: bigint): bigint {
  let amount = input;
  for (const { pool, reserveIn, reserveOut } of hops) {
    amount = quoteExactIn(pool, reserveIn, reserveOut, amount);
    if (amount === 0n) return 0n;
  }
  return amount;
}

/** The least input that `output` or more comes out of; 0n when there is none. */
export function leastInputFor(hops: readonly ExactHop[], output: bigint): bigint {
  let amount = output;
  for (let i = hops.length - 1; i >= 0 && amount > 0n; i--) {
    const { pool, reserveIn, reserveOut } = hops[i] as ExactHop;
    amount = quoteExactOut(pool, reserveIn, reserveOut, amount);
  }
  return amount;
}

/** The input, then the output of every hop. */
export function hopAmounts(hops: readonly ExactHop[], input: bigint): bigint[] {
  const amounts = [input];
  for (const { pool, reserveIn, reserveOut } of hops)
    amounts.push(quoteExactIn(pool, reserveIn, reserveOut, amounts[amounts.length - 1] as bigint));
  return amounts;
}
