/**
 * A cycle of constant-product hops in whole floats: the programs' own integers (dex/quote.ts has the formulas) at a tenth
 * of a bigint's cost and without its garbage. Takes cycles whose reserves and fees are below WHOLE_MAX; of an amount that
 * leaves that range it says that there is none.
 */
import { HOPS_MAX } from "./cycle-index.ts";
import type { CycleCurve } from "./sizing.ts";
import { mulDivCeil, mulDivFloor, WHOLE_MAX } from "./whole-number.ts";

export class WholeCycle implements CycleCurve {
  /** The inverse of a hop is its least input, so the inverse of the chain is the chain's. */
  readonly inverseIsLeast = true;
  #count = 0;
  readonly #in = new Float64Array(HOPS_MAX);
  readonly #out = new Float64Array(HOPS_MAX);
  readonly #feeNumerators = new Float64Array(HOPS_MAX);
  readonly #feeDenominators = new Float64Array(HOPS_MAX);

  /** Begins a cycle without hops. */
  clear(): void {
    this.#count = 0;
  }

  /** Takes the next hop; false, and nothing taken, when it does not fit into whole floats. */
  add(reserveIn: number, reserveOut: number, feeNumerator: number, feeDenominator: number): boolean {
    if (!(Math.max(reserveIn, reserveOut, feeDenominator) < WHOLE_MAX) || feeNumerator >= feeDenominator) return false;
    const i = this.#count++;
    this.#in[i] = reserveIn;
    this.#out[i] = reserveOut;
    this.#feeNumerators[i] = feeNumerator;
    this.#feeDenominators[i] = feeDenominator;
    return true;
  }

  /** What hop `i` pays out for `amount`; 0 where its program would refuse. */
  hopOutput(i: number, amount: number): number {
    const reserveIn = this.#in[i] as number;
    const net = amount - mulDivCeil(amount, this.#feeNumerators[i] as number, this.#feeDenominators[i] as number);
    if (net <= 0 || reserveIn === 0 || amount >= WHOLE_MAX) return 0;
    return mulDivFloor(net, this.#out[i] as number, reserveIn + net);
  }

  outputOf(input: number): number {
    let amount = input;
    for (let i = 0; i < this.#count && amount > 0; i++) amount = this.hopOutput(i, amount);
    return amount;
  }

  inputFor(output: number): number {
    let amount = output;
    for (let i = this.#count - 1; i >= 0; i--) {
      const reserveIn = this.#in[i] as number;
      const left = (this.#out[i] as number) - amount;
      if (left <= 0 || reserveIn === 0 || (amount * reserveIn) / left >= WHOLE_MAX - 1) return 0;
      const net = mulDivCeil(amount, reserveIn, left);
      const denominator = this.#feeDenominators[i] as number;
      const kept = denominator - (this.#feeNumerators[i] as number);
      if ((net * denominator) / kept >= WHOLE_MAX - 1) return 0;
      amount = mulDivCeil(net, denominator, kept);
    }
    return amount;
  }
}
