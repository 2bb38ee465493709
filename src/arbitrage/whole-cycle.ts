/** A cycle of constant-product hops in whole floats; of an amount that leaves their range it says that there is none. */
import { HOPS_MAX } from "./cycle-index.ts";
import { WholeHop } from "./hop-curve.ts";
import type { CycleCurve } from "./sizing.ts";

export class WholeCycle implements CycleCurve {
  /** The inverse of a hop is its least input, so the inverse of the chain is the chain's. */
  readonly inverseIsLeast = true;
  /** The first `count` of these are the cycle; whoever fills it sets each and the count. */
  readonly hops: readonly WholeHop[] = Array.from({ length: HOPS_MAX }, () => new WholeHop());
  count = 0;

  outputOf(input: number): number {
    let amount = input;
    for (let i = 0; i < this.count && amount > 0; i++) amount = (this.hops[i] as WholeHop).outputOf(amount);
    return amount;
  }

  inputFor(output: number): number {
    let amount = output;
    for (let i = this.count - 1; i >= 0 && amount > 0; i--) amount = (this.hops[i] as WholeHop).inputFor(amount);
    return amount;
  }
}
