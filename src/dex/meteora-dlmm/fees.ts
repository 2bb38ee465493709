/**
 * DLMM's fees: a base rate, and a variable rate that grows with the square of the bins lately crossed. Rates are in
 * billionths of the amount (`state/lb_pair.rs` and `state/parameters.rs` as the SDK's `extensions/lb_pair.rs` mirrors them).
 */
import { divideUp } from "#dex/refusals.ts";
import type { StaticParameters, VariableParameters } from "./decode.ts";

const FEE_PRECISION = 1_000_000_000n;
const FEE_RATE_MAX = 100_000_000n;
const VARIABLE_FEE_SCALE = 100_000_000_000n;
const BASIS_POINTS = 10_000;
const LIMIT_ORDER_FEE_SHARE = 5_000n;
const U32_MAX = 0xffff_ffff;
const I64_MIN = -(1n << 63n);
/** The largest power of ten that a u128 holds: beyond it the program panics. */
export const BASE_FEE_POWER_MAX = 38;

/** Base fee in billionths, before the cap. */
export function baseFeeRate(parameters: StaticParameters, binStep: number): bigint {
  const power = Math.min(parameters.baseFeePowerFactor, BASE_FEE_POWER_MAX);
  return BigInt(parameters.baseFactor) * BigInt(binStep) * 10n ** BigInt(power + 1);
}

/** Base and variable fee together. */
export function totalFeeRate(baseRate: bigint, volatility: number, parameters: StaticParameters, step: number): bigint {
  const rate = baseRate + variableFeeRate(volatility, parameters.variableFeeControl, step);
  return rate < FEE_RATE_MAX ? rate : FEE_RATE_MAX;
}

function variableFeeRate(volatility: number, control: number, binStep: number): bigint {
  if (control === 0 || volatility === 0) return 0n;
  const distance = BigInt(volatility) * BigInt(binStep);
  return divideUp(BigInt(control) * distance * distance, VARIABLE_FEE_SCALE);
}

/** The fee inside an amount that includes it. */
export const feeInside = (amount: bigint, rate: bigint): bigint => divideUp(amount * rate, FEE_PRECISION);

/** The fee to add to an amount that lacks it. */
export const feeOnTop = (amount: bigint, rate: bigint): bigint => divideUp(amount * rate, FEE_PRECISION - rate);

/**
 * The protocol's part of a fee; undefined where the program's subtraction overflows. Market makers give their pair's share,
 * limit orders half; the fee is split between the two kinds by what each took in, rounded in favour of market makers.
 */
export function protocolFee(fee: bigint, share: number, makerIn: bigint, totalIn: bigint): bigint | undefined {
  if (fee === 0n) return 0n;
  // A last unit that is all fee reaches no liquidity: it is the protocol's.
  if (totalIn === 0n) return fee;
  const makerFee = makerIn === totalIn ? fee : divideUp(fee * makerIn, totalIn);
  const orderFee = fee - makerFee;
  const ordersKeep = (orderFee * LIMIT_ORDER_FEE_SHARE) / BigInt(BASIS_POINTS);
  const protocol = orderFee - ordersKeep + (makerFee * BigInt(share)) / BigInt(BASIS_POINTS);
  return protocol > fee ? undefined : protocol;
}

/**
 * The references as a swap at `nowSeconds` finds them: kept within the filter period, decayed after it, forgotten from the
 * decay period on. Undefined where the program's arithmetic overflows.
 */
export function referencesAt(
  nowSeconds: bigint,
  variable: VariableParameters,
  parameters: StaticParameters,
  activeId: number,
): Pick<VariableParameters, "indexReference" | "volatilityReference"> | undefined {
  const elapsed = nowSeconds - variable.lastUpdateTimestamp;
  if (elapsed < I64_MIN || elapsed >= -I64_MIN) return undefined;
  if (elapsed < BigInt(parameters.filterPeriod)) return variable;
  if (elapsed >= BigInt(parameters.decayPeriod)) return { indexReference: activeId, volatilityReference: 0 };
  const scaled = variable.volatilityAccumulator * parameters.reductionFactor;
  if (scaled > U32_MAX) return undefined;
  return { indexReference: activeId, volatilityReference: Math.floor(scaled / BASIS_POINTS) };
}

/** The accumulator in the bin `activeId`. */
export function volatilityAt(activeId: number, indexReference: number, reference: number, maximum: number): number {
  return Math.min(reference + Math.abs(indexReference - activeId) * BASIS_POINTS, maximum);
}
