/**
 * The exact input of a winner, in the programs' integers.
 *
 * The output of a cycle is a staircase of the input: it never falls, and where a middle token is coarse a step is wide.
 * On a step the least input earns most, and the inverse quote of the chain names it. So: quote the float optimum, go to
 * the least input of its step, then look at the neighbouring steps. Each costs two quotes of the chain, and the result is
 * never worse than the start. Input and output are lamports below 2^53: floats hold them.
 */
import { AMOUNT_MAX } from "./hop-curve.ts";
import { type ExactHop, inputForOutput, quoteCycle } from "./quote-cycle.ts";
import { WholeCycle } from "./whole-cycle.ts";

/** A cycle as a function of lamports put in. */
export interface CycleCurve {
  /** What comes out; 0 where a program would refuse. */
  outputOf(input: number): number;
  /** An input that `output` comes out of, 0 when there is none. */
  inputFor(output: number): number;
  /** Whether that is the least such input, or only one near it. */
  readonly inverseIsLeast: boolean;
}

/** An input and what comes out of it. */
export type Sized = { input: number; output: number };

/** Steps looked at on either side of the first one. */
const STEPS_MAX = 4;
/** The same where a quote walks over ticks: it costs ten times as much, and its steps are fine. */
const STEPS_CONCENTRATED_MAX = 1;
const HALVINGS_MAX = 6;

/** Reused, so that a winner allocates little. */
const whole = new WholeCycle();

/** The best input found between 1 and `max`, from `start`. */
export function sizeCycle(hops: readonly ExactHop[], start: number, max: number): Sized {
  const capped = Math.min(max, AMOUNT_MAX);
  const out = { input: 0, output: 0 };
  if (hops.some(({ concentrated }) => concentrated !== undefined))
    sizeConcentrated(out, bigintCurve(hops, false), start, capped);
  else sizeCurve(out, loadWhole(hops) ? whole : bigintCurve(hops, true), start, capped);
  return out;
}

function loadWhole(hops: readonly ExactHop[]): boolean {
  whole.count = hops.length;
  return hops.every(({ pool, reserveIn, reserveOut }, i) =>
    whole.hops[i]?.set(Number(reserveIn), Number(reserveOut), pool.feeNumerator, pool.feeDenominator),
  );
}

/** What the float optimum would walk over may be more than an instruction can name: then half of it, and so on. */
function sizeConcentrated(out: Sized, curve: CycleCurve, start: number, max: number): void {
  let first = Math.min(start, max);
  for (let halved = 0; halved < HALVINGS_MAX && curve.outputOf(Math.max(1, Math.round(first))) === 0; halved++)
    first /= 2;
  sizeCurve(out, curve, first, max, STEPS_CONCENTRATED_MAX);
}

/** The same in bigints, for reserves of any size and for concentrated pools. */
function bigintCurve(hops: readonly ExactHop[], inverseIsLeast: boolean): CycleCurve {
  return {
    outputOf: (input) => Number(quoteCycle(hops, BigInt(input))),
    inputFor: (output) => Number(inputForOutput(hops, BigInt(output))),
    inverseIsLeast,
  };
}

/**
 * The search over any curve; exported for the hot thread, which has its curve at hand, for its tests, and for curves that
 * are not made of constant products. Allocates nothing.
 */
export function sizeCurve(out: Sized, curve: CycleCurve, start: number, max: number, stepsMax = STEPS_MAX): void {
  const first = Math.min(Math.max(Math.round(start), 1), Math.floor(max));
  const output = curve.outputOf(first);
  const begin = leastOfStep(curve, first, output);
  out.input = begin;
  out.output = output;
  let lower = begin;
  for (let step = 0; step < stepsMax && lower > 1; step++) {
    const below = curve.outputOf(lower - 1);
    lower = leastOfStep(curve, lower - 1, below);
    takeBetter(out, lower, below);
  }
  let upper = begin;
  let reached = output;
  for (let step = 0; step < stepsMax; step++) {
    const input = curve.inputFor(reached + 1);
    if (input <= upper || input > max) break;
    const above = curve.outputOf(input);
    if (above <= reached) break;
    upper = input;
    reached = above;
    takeBetter(out, input, above);
  }
}

function takeBetter(best: Sized, input: number, output: number): void {
  if (output - input <= best.output - best.input) return;
  best.input = input;
  best.output = output;
}

/** The least input that gives `output`, as `input` does; 1 where nothing comes out. */
function leastOfStep(curve: CycleCurve, input: number, output: number): number {
  if (output <= 0) return 1;
  const least = curve.inputFor(output);
  const good = least >= 1 && least <= input && (curve.inverseIsLeast || curve.outputOf(least) === output);
  return good ? least : input;
}
