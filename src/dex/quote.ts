/**
 * Exact quotes of constant-product pools, in integers and with the programs' own rounding. Raydium CP-Swap
 * (`curve/calculator.rs`) and Raydium AMM v4 (`math.rs`) share one formula; only the fee differs, and it is a fact of the
 * pool:
 *
 *   exact in    fee = ⌈in · n / d⌉            out = ⌊(in − fee) · reserveOut / (reserveIn + in − fee)⌋
 *   exact out   net = ⌈out · reserveIn / (reserveOut − out)⌉      in = ⌈net · d / (d − n)⌉
 *
 * Reserves are effective ones: without the fees that wait in the vault for their owners. 0n is the answer wherever the
 * program would refuse the swap: it never returns that for one that it would execute.
 */
import type { PoolFacts } from "#core/pool.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;

type Fee = Pick<PoolFacts, "feeNumerator" | "feeDenominator">;

/** What the pool pays out for `amountIn`, in units of the other side. */
export function quoteExactIn(pool: Fee, reserveIn: bigint, reserveOut: bigint, amountIn: bigint): bigint {
  if (amountIn <= 0n || reserveIn <= 0n || reserveOut <= 0n || reserveIn + amountIn > U64_MAX) return 0n;
  const net = amountIn - ceilDivide(amountIn * BigInt(pool.feeNumerator), BigInt(pool.feeDenominator));
  if (net <= 0n) return 0n;
  return (net * reserveOut) / (reserveIn + net);
}

/** The least input for which the pool pays out `amountOut`. */
export function quoteExactOut(pool: Fee, reserveIn: bigint, reserveOut: bigint, amountOut: bigint): bigint {
  if (amountOut <= 0n || reserveIn <= 0n || amountOut >= reserveOut) return 0n;
  const net = ceilDivide(reserveIn * amountOut, reserveOut - amountOut);
  const kept = BigInt(pool.feeDenominator - pool.feeNumerator);
  if (kept <= 0n) return 0n;
  const amountIn = ceilDivide(net * BigInt(pool.feeDenominator), kept);
  return reserveIn + amountIn > U64_MAX ? 0n : amountIn;
}

const ceilDivide = (dividend: bigint, divisor: bigint): bigint => (dividend + divisor - 1n) / divisor;
