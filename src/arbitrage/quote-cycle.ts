/** A cycle in the programs' own integers: each hop's whole output is the next hop's input. */
import type { PoolFacts } from "#core/pool.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import { type ConcentratedHop, fillConcentrated } from "./concentrated-quote.ts";
import type { PoolTable } from "./pool-table.ts";

/** The greatest float below 2^64. */
const U64_FLOAT_MAX = 2 ** 64 - 2 ** 11;

/** One hop with the exact state it is quoted on. */
export type ExactHop = {
  readonly pool: PoolFacts;
  readonly inputSide: 0 | 1;
  /** Virtual ones, rounded, where liquidity is concentrated: no quote is made of those. */
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
  readonly concentrated?: ConcentratedHop;
};

/**
 * How many tick arrays each concentrated hop of a cycle may name: a transaction has 1,232 bytes, an array takes 33, and
 * three hops through both kinds of pools leave room for two of them.
 */
export function tickArraysPerHop(hops: number, concentratedHops: number): number {
  if (hops <= 2) return 3;
  return concentratedHops === 2 ? 1 : 2;
}

/** The hop as the table's newest state has it. */
export function exactHop(table: PoolTable, pool: PoolFacts, inputSide: 0 | 1, tickArraysMax: number): ExactHop {
  const { index, concentrated, feeNumerator } = pool;
  if (concentrated === undefined) {
    const reserves = [table.exactReserve(index, inputSide), table.exactReserve(index, 1 - inputSide)] as const;
    return { pool, inputSide, reserveIn: reserves[0], reserveOut: reserves[1] };
  }
  const virtual = (side: number) =>
    BigInt(Math.min(Math.round(table.reserves[2 * index + side] as number), U64_FLOAT_MAX));
  return {
    pool,
    inputSide,
    reserveIn: virtual(inputSide),
    reserveOut: virtual(1 - inputSide),
    concentrated: {
      state: table.concentrated(index),
      facts: concentrated,
      tickArraysMax,
      feeRate: BigInt(feeNumerator),
    },
  };
}

/** What one hop pays out; 0n where its program would refuse. */
export function quoteHop({ pool, inputSide, reserveIn, reserveOut, concentrated }: ExactHop, amount: bigint): bigint {
  return concentrated === undefined
    ? quoteExactIn(pool, reserveIn, reserveOut, amount)
    : (fillConcentrated(concentrated, inputSide, amount, "exact-in")?.amountOut ?? 0n);
}

/** The output of the last hop; 0n as soon as a program would refuse. */
export function quoteCycle(hops: readonly ExactHop[], input: bigint): bigint {
  let amount = input;
  for (const hop of hops) {
    amount = quoteHop(hop, amount);
    if (amount === 0n) return 0n;
  }
  return amount;
}

/**
 * An input that `output` or more comes out of; 0n when there is none. The least one through constant products; through
 * a concentrated pool what its program would take for that output, which may be a unit or so more than the least.
 */
export function inputForOutput(hops: readonly ExactHop[], output: bigint): bigint {
  let amount = output;
  for (let i = hops.length - 1; i >= 0 && amount > 0n; i--) {
    const { pool, inputSide, reserveIn, reserveOut, concentrated } = hops[i] as ExactHop;
    amount =
      concentrated === undefined
        ? quoteExactOut(pool, reserveIn, reserveOut, amount)
        : (fillConcentrated(concentrated, inputSide, amount, "exact-out")?.amountIn ?? 0n);
  }
  return amount;
}

/** The input, then the output of every hop. */
export function hopAmounts(hops: readonly ExactHop[], input: bigint): bigint[] {
  const amounts = [input];
  for (const hop of hops) amounts.push(quoteHop(hop, amounts[amounts.length - 1] as bigint));
  return amounts;
}
