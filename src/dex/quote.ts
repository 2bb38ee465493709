/**
 * Exact quotes of constant-product pools, in integers and with the programs' own rounding. Raydium CP-Swap and Raydium
 * AMM v4 share one formula, and only the fee differs, which is a fact of the pool:
 *
 *   exact in    fee = ⌈in · n / d⌉            out = ⌊(in − fee) · reserveOut / (reserveIn + in − fee)⌋
 *   exact out   net = ⌈out · reserveIn / (reserveOut − out)⌉      in = ⌈net · d / (d − n)⌉
 *
 * The published source of AMM v4 rounds a quotient below 1 to the nearest; the deployed program rounds it up, and the
 * deployed program is what settles. Reserves are effective ones: without what waits in the vaults for the fees' owners.
 * The answer is 0n wherever the program would refuse the swap.
 */
import type { PoolFacts } from "#core/pool.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

type Fee = Pick<PoolFacts, "feeNumerator" | "feeDenominator">;

/** What the pool pays out for `amountIn`, in units of the other side. */
export function quoteExactIn(pool: Fee, reserveIn: bigint, reserveOut: bigint, amountIn: bigint): bigint {
  if (amountIn <= 0n || reserveIn <= 0n || reserveOut <= 0n || reserveIn + amountIn > U64_MAX) return 0n;
  const net = amountIn - divideUp(amountIn * BigInt(pool.feeNumerator), BigInt(pool.feeDenominator));
  if (net <= 0n) return 0n;
  return (net * reserveOut) / (reserveIn + net);
}

/** The least input for which the pool pays out `amountOut`. */
export function quoteExactOut(pool: Fee, reserveIn: bigint, reserveOut: bigint, amountOut: bigint): bigint {
  const kept = BigInt(pool.feeDenominator - pool.feeNumerator);
  if (amountOut <= 0n || reserveIn <= 0n || amountOut >= reserveOut || kept <= 0n) return 0n;
  const net = divideUp(reserveIn * amountOut, reserveOut - amountOut);
  const amountIn = divideUp(net * BigInt(pool.feeDenominator), kept);
  return reserveIn + amountIn > U64_MAX ? 0n : amountIn;
}

const divideUp = (dividend: bigint, divisor: bigint): bigint => (dividend + divisor - 1n) / divisor;
