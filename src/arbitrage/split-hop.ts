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
import { AMOUNT_MAX, type HopCurve } from "./hop-curve.ts";
import type { PoolTable } from "./pool-table.ts";

/** Steps of the search over segments: to 1e-5 of the hop's input, and the top is flat. */
const SEARCH_STEPS = 24;

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

/** How a hop's input is best shared by two pools, to the unit; one object, reused, so that a search allocates nothing. */
export class ExactSplit {
  secondIn = 0;
  secondOut = 0;
  firstOut = 0;
  #first: HopCurve | undefined;
  #second: HopCurve | undefined;
  #amount = 0;

  /**
   * Finds the best split of `amount` around `near`; false where none has both programs pay. Outputs are floors and fees
   * are ceilings, so beside `near` the ends of the neighbouring steps of both are tried: there nothing is given away to
   * rounding by one of the pools.
   */
  search(first: HopCurve, second: HopCurve, amount: number, near: number): boolean {
    this.#first = first;
    this.#second = second;
    this.#amount = amount;
    this.secondIn = 0;
    this.secondOut = 0;
    this.firstOut = 0;
    this.#consider(near);
    this.#considerStepEnds(second, near, true);
    this.#considerStepEnds(first, amount - near, false);
    return this.secondIn > 0;
  }

  #consider(secondIn: number): void {
    if (secondIn <= 0 || secondIn >= this.#amount) return;
    const firstOut = (this.#first as HopCurve).outputOf(this.#amount - secondIn);
    const secondOut = (this.#second as HopCurve).outputOf(secondIn);
    const sum = firstOut + secondOut;
    if (firstOut === 0 || secondOut === 0 || sum > AMOUNT_MAX || sum <= this.firstOut + this.secondOut) return;
    this.secondIn = secondIn;
    this.secondOut = secondOut;
    this.firstOut = firstOut;
  }

  /** The least inputs of the outputs around `input`'s, and the most inputs for the fees around its fee. */
  #considerStepEnds(curve: HopCurve, input: number, isSecond: boolean): void {
    const output = curve.outputOf(input);
    for (let step = -curve.stepsMax; step <= curve.stepsMax; step++) {
      if (output + step > 0) this.#considerPart(curve.inputFor(output + step), isSecond);
      this.#considerPart(curve.feeStepEnd(input, step), isSecond);
    }
  }

  #considerPart(part: number, isSecond: boolean): void {
    this.#consider(isSecond ? part : this.#amount - part);
  }
}
