/**
 * One hop as its program quotes it, in whole amounts that floats hold exactly: constant products below WHOLE_MAX in whole
 * floats (dex/quote.ts has the formulas) at a tenth of a bigint's cost and without its garbage, everything else through
 * the bigint quotes.
 */
import { type ExactHop, inputForOutput, quoteHop } from "./quote-cycle.ts";
import { mulDivCeil, mulDivFloor, WHOLE_MAX } from "./whole-number.ts";

/** Floats hold whole numbers up to here exactly. */
export const AMOUNT_MAX = Number.MAX_SAFE_INTEGER;

export interface HopCurve {
  /** What `amount` pays out; 0 where the program would refuse, or where a float could not hold it. */
  outputOf(amount: number): number;
  /** An input that `output` comes out of, the least one through a constant product; 0 when there is none. */
  inputFor(output: number): number;
  /** The most input whose fee is `steps` units from that of `input`; 0 or less when there is none. */
  feeStepEnd(input: number, steps: number): number;
  /** Steps of its output, and of its fee, that are worth a look on either side of a float's answer. */
  readonly stepsMax: number;
}

const STEPS_MAX = 3;
/** The same where a quote walks over ticks: it costs ten times as much, and its steps are fine. */
const STEPS_CONCENTRATED_MAX = 1;

/** A constant product in whole floats; one object, set anew for each winner. */
export class WholeHop implements HopCurve {
  readonly stepsMax = STEPS_MAX;
  #in = 0;
  #out = 0;
  #feeNumerator = 0;
  #feeDenominator = 1;

  /** Takes the hop; false, and nothing taken, when it does not fit into whole floats. */
  set(reserveIn: number, reserveOut: number, feeNumerator: number, feeDenominator: number): boolean {
    if (!(Math.max(reserveIn, reserveOut, feeDenominator) < WHOLE_MAX) || feeNumerator >= feeDenominator) return false;
    this.#in = reserveIn;
    this.#out = reserveOut;
    this.#feeNumerator = feeNumerator;
    this.#feeDenominator = feeDenominator;
    return true;
  }

  outputOf(amount: number): number {
    const net = amount - mulDivCeil(amount, this.#feeNumerator, this.#feeDenominator);
    if (net <= 0 || this.#in === 0 || amount >= WHOLE_MAX) return 0;
    return mulDivFloor(net, this.#out, this.#in + net);
  }

  inputFor(output: number): number {
    const left = this.#out - output;
    if (left <= 0 || this.#in === 0 || (output * this.#in) / left >= WHOLE_MAX - 1) return 0;
    const net = mulDivCeil(output, this.#in, left);
    const kept = this.#feeDenominator - this.#feeNumerator;
    if ((net * this.#feeDenominator) / kept >= WHOLE_MAX - 1) return 0;
    return mulDivCeil(net, this.#feeDenominator, kept);
  }

  feeStepEnd(input: number, steps: number): number {
    if (this.#feeNumerator === 0) return 0;
    const fee = mulDivFloor(input, this.#feeNumerator, this.#feeDenominator) + steps;
    if (fee <= 0 || (fee * this.#feeDenominator) / this.#feeNumerator >= WHOLE_MAX - 1) return 0;
    return mulDivFloor(fee, this.#feeDenominator, this.#feeNumerator);
  }
}

/** Any hop, through the bigint quotes. */
export class BigintHop implements HopCurve {
  readonly stepsMax: number;

  constructor(readonly hop: ExactHop) {
    this.stepsMax = hop.concentrated === undefined ? STEPS_MAX : STEPS_CONCENTRATED_MAX;
  }

  outputOf(amount: number): number {
    return heldByFloat(quoteHop(this.hop, BigInt(amount)));
  }

  inputFor(output: number): number {
    return heldByFloat(inputForOutput([this.hop], BigInt(output)));
  }

  feeStepEnd(input: number, steps: number): number {
    const { pool, concentrated } = this.hop;
    if (concentrated !== undefined || pool.feeNumerator === 0) return 0;
    const [numerator, denominator] = [BigInt(pool.feeNumerator), BigInt(pool.feeDenominator)];
    const fee = (BigInt(input) * numerator) / denominator + BigInt(steps);
    return heldByFloat((fee * denominator) / numerator);
  }
}

const heldByFloat = (amount: bigint): number => (amount <= BigInt(AMOUNT_MAX) ? Number(amount) : 0);
