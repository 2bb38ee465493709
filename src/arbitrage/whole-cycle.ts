/**
 * A cycle of constant-product hops in whole floats: the programs' own integers (dex/quote.ts has the formulas) at a tenth
 * of a bigint's cost and without its garbage. Takes cycles whose reserves and fees are below WHOLE_MAX; of an amount that
 * leaves that range it says that there is none.
 */
import { HOPS_MAX } from "./cycle-index.ts";
import type { ExactHop } from "./quote-cycle.ts";
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

  /** Takes the cycle; false when it does not fit into whole floats. */
  load(hops: readonly ExactHop[]): boolean {
    this.#count = hops.length;
    for (let i = 0; i < hops.length; i++) {
      const { pool, reserveIn, reserveOut } = hops[i] as ExactHop;
      this.#in[i] = Number(reserveIn);
      this.#out[i] = Number(reserveOut);
      this.#feeNumerators[i] = pool.feeNumerator;
      this.#feeDenominators[i] = pool.feeDenominator;
      const largest = Math.max(this.#in[i] as number, this.#out[i] as number, pool.feeDenominator);
      if (largest >= WHOLE_MAX || pool.feeNumerator >= pool.feeDenominator) return false;
    }
    return true;
  }

  outputOf(input: number): number {
    let amount = input;
    for (let i = 0; i < this.#count && amount > 0; i++) {
      const reserveIn = this.#in[i] as number;
      const fee = mulDivCeil(amount, this.#feeNumerators[i] as number, this.#feeDenominators[i] as number);
      const net = amount - fee;
      if (net <= 0 || reserveIn === 0 || amount >= WHOLE_MAX) return 0;
      amount = mulDivFloor(net, this.#out[i] as number, reserveIn + net);
    }
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
