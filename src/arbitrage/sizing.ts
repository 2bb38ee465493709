/**
 * The exact input of a winner, in the program's integers.
 *
 * The output of a cycle is a staircase of the input: it never falls, and where a middle token is coarse (one unit of a
 * 6-decimal dollar is thousands of lamports) a step is wide. On a step the least input earns most. So: start at the
 * float optimum, go down to the least input with the same output, then try the neighbouring steps while they earn more.
 * Every search doubles its stride and then halves it, so quotes stay below QUOTES_MAX; the result is never worse than
 * the start.
 */

/** One quote of the whole cycle: the output for an input, 0n where a program would refuse. */
export type CycleQuote = (input: bigint) => bigint;

export type Sized = { readonly input: bigint; readonly output: bigint };

/** Most quotes spent on one winner, about 0.2 µs a hop each. */
const QUOTES_MAX = 256;
/** Steps tried on either side of the first one. */
const STEPS_MAX = 4;

/** The best input found between 1 and `max`, from `start`. */
export function sizeCycle(quote: CycleQuote, start: bigint, max: bigint): Sized {
  const budget = { left: QUOTES_MAX };
  const counted: CycleQuote = (input) => {
    budget.left--;
    return quote(input);
  };
  const first = start < 1n ? 1n : start > max ? max : start;
  const begin = leastInput(counted, first, counted(first), budget);
  let best = begin;
  let lower = begin;
  for (let step = 0; step < STEPS_MAX && lower.input > 1n && budget.left > 0; step++) {
    const input = lower.input - 1n;
    lower = leastInput(counted, input, counted(input), budget);
    if (profit(lower) > profit(best)) best = lower;
  }
  let upper = begin;
  for (let step = 0; step < STEPS_MAX && budget.left > 0; step++) {
    const next = nextStep(counted, upper, max, budget);
    if (next === undefined) break;
    upper = next;
    if (profit(upper) > profit(best)) best = upper;
  }
  return best;
}

const profit = ({ input, output }: Sized): bigint => output - input;

/** The least input that still gives `output`, as far as the budget reaches. */
function leastInput(quote: CycleQuote, input: bigint, output: bigint, budget: { left: number }): Sized {
  let good = input;
  let bad = 0n;
  for (let stride = 1n; budget.left > 0; stride *= 2n) {
    const probe = good - stride;
    if (probe < 1n) break;
    if (quote(probe) === output) good = probe;
    else {
      bad = probe;
      break;
    }
  }
  while (good - bad > 1n && budget.left > 0) {
    const middle = (good + bad) / 2n;
    if (quote(middle) === output) good = middle;
    else bad = middle;
  }
  return { input: good, output };
}

/** The least input above `from` that gives more than it, or undefined when there is none up to `max`. */
function nextStep(quote: CycleQuote, from: Sized, max: bigint, budget: { left: number }): Sized | undefined {
  let low = from.input;
  let high: Sized | undefined;
  for (let stride = 1n; budget.left > 0; stride *= 2n) {
    const input = low + stride > max ? max : low + stride;
    if (input === low) return undefined;
    const output = quote(input);
    if (output > from.output) {
      high = { input, output };
      break;
    }
    low = input;
  }
  while (high !== undefined && high.input - low > 1n && budget.left > 0) {
    const input = (high.input + low) / 2n;
    const output = quote(input);
    if (output > from.output) high = { input, output };
    else low = input;
  }
  return high;
}
