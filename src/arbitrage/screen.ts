/**
 * Screening in floats, for every cycle through an updated pool, without allocation.
 *
 * A constant-product hop with fee turns x into keep·x·out / (in + keep·x), a Möbius map A·x / (B + D·x). Maps of that
 * form compose: a hop after (A, B, D) gives D ← in·D + keep·A, A ← keep·out·A, B ← in·B. The cycle earns iff A > B; the
 * best input is x* = (√(A·B) − B) / D, and the profit there is (√A − √B)² / D. Found candidates are exact to float
 * rounding and ignore the program's integer rounding: sizing.ts settles a winner in integers.
 *
 * Within one segment a concentrated pool is such a hop too. Where the best input would leave the segment of one of them,
 * a bounded search over the segments takes the place of the formula.
 */
import { type CycleIndex, HOPS_MAX, NO_HOP } from "./cycle-index.ts";
import type { PoolTable } from "./pool-table.ts";

/** How many best cycles are kept per event; more than one only matters when they share no pool. */
export const CANDIDATES_MAX = 8;

/**
 * No cycle pays more per unit than the product of its hops' first rates, so most are passed over by that product alone.
 * It is off by rounding, far less than this.
 */
const RATE_SLACK = 1e-9;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const GOLDEN_STEPS = 48;

/** The best cycles of one event, best first. */
export class Candidates {
  count = 0;
  /** Where the cycle stands in the index. */
  readonly places = new Int32Array(new ArrayBuffer(CANDIDATES_MAX * 4));
  readonly inputs = new Float64Array(new ArrayBuffer(CANDIDATES_MAX * 8));
  readonly profits = new Float64Array(new ArrayBuffer(CANDIDATES_MAX * 8));

  clear(): void {
    this.count = 0;
  }

  /** Keeps the cycle if it is among the best; one that two pools of an event have listed is kept once. */
  offer(hops: Int32Array, place: number, input: number, profit: number): void {
    for (let i = 0; i < this.count; i++)
      if (this.profits[i] === profit && sameCycle(hops, place, this.places[i] as number)) return;
    let at = this.count < CANDIDATES_MAX ? this.count++ : CANDIDATES_MAX;
    while (at > 0 && (this.profits[at - 1] as number) < profit) {
      if (at < CANDIDATES_MAX) this.#move(at - 1, at);
      at--;
    }
    if (at >= CANDIDATES_MAX) return;
    this.places[at] = place;
    this.inputs[at] = input;
    this.profits[at] = profit;
  }

  #move(from: number, to: number): void {
    this.places[to] = this.places[from] as number;
    this.inputs[to] = this.inputs[from] as number;
    this.profits[to] = this.profits[from] as number;
  }
}

function sameCycle(hops: Int32Array, place: number, other: number): boolean {
  for (let i = 0; i < HOPS_MAX; i++) if (hops[place * HOPS_MAX + i] !== hops[other * HOPS_MAX + i]) return false;
  return true;
}

/**
 * Offers every cycle through `pool` that earns more than `profitMin` with an input of at most `inputMax`. Answers how
 * many cycles it looked at.
 */
export function screenPool(
  index: CycleIndex,
  table: PoolTable,
  pool: number,
  inputMax: number,
  profitMin: number,
  into: Candidates,
): number {
  if (pool + 1 >= index.starts.length) return 0;
  const { hops } = index;
  const { rates } = table;
  const start = index.starts[pool] as number;
  const end = index.starts[pool + 1] as number;
  const rateMin = 1 + profitMin / inputMax - RATE_SLACK;
  for (let place = start, at = start * HOPS_MAX; place < end; place++, at += HOPS_MAX) {
    let rate = (rates[hops[at] as number] as number) * (rates[hops[at + 1] as number] as number);
    const third = hops[at + 2] as number;
    if (third !== NO_HOP) {
      rate *= rates[third] as number;
      const fourth = hops[at + 3] as number;
      if (fourth !== NO_HOP) rate *= rates[fourth] as number;
    }
    if (rate > rateMin) screenCycle(hops, table, place, inputMax, profitMin, into);
  }
  return end - start;
}

function screenCycle(
  hops: Int32Array,
  table: PoolTable,
  place: number,
  inputMax: number,
  profitMin: number,
  into: Candidates,
): void {
  const first = place * HOPS_MAX;
  let a = 1;
  let b = 1;
  let d = 0;
  let limited = false;
  for (let i = first, end = first + HOPS_MAX; i < end; i++) {
    const hop = hops[i] as number;
    if (hop === NO_HOP) break;
    const reserveIn = table.reserves[hop] as number;
    const keep = table.keeps[hop >> 1] as number;
    if (table.limits[hop] !== Number.POSITIVE_INFINITY) limited = true;
    d = reserveIn * d + keep * a;
    a = keep * (table.reserves[hop ^ 1] as number) * a;
    b = reserveIn * b;
  }
  // The rates were beyond 1 by their rounding alone, or there is nothing to divide by.
  if (!(a > b) || !(b > 0)) return;
  const best = (Math.sqrt(a) * Math.sqrt(b) - b) / d;
  let input = Math.min(best, inputMax);
  let profit = (a * input) / (b + d * input) - input;
  if (limited && leavesSegment(hops, first, table, input)) {
    input = bestAcross(hops, first, table, inputMax);
    profit = cycleOutput(hops, first, table, input) - input;
  }
  if (profit > profitMin) into.offer(hops, place, input, profit);
}

/** Whether the input would push a concentrated pool of the cycle over its next tick. */
function leavesSegment(hops: Int32Array, first: number, table: PoolTable, input: number): boolean {
  let amount = input;
  for (let i = first; i < first + HOPS_MAX && hops[i] !== NO_HOP; i++) {
    if (amount > (table.limits[hops[i] as number] as number)) return true;
    amount = table.output(hops[i] as number, amount);
  }
  return false;
}

/** What comes out of the cycle, over as many segments as it takes. */
function cycleOutput(hops: Int32Array, first: number, table: PoolTable, input: number): number {
  let amount = input;
  for (let i = first; i < first + HOPS_MAX && hops[i] !== NO_HOP; i++) amount = table.output(hops[i] as number, amount);
  return amount;
}

/**
 * The best input where segments are left: prices only get worse with more input, so what a cycle earns rises and then
 * falls, and a golden section finds the top. Each step shrinks the range by 0.618: 48 of them to 1e-10 of it.
 */
function bestAcross(hops: Int32Array, first: number, table: PoolTable, inputMax: number): number {
  let low = 0;
  let high = inputMax;
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let atLeft = cycleOutput(hops, first, table, left) - left;
  let atRight = cycleOutput(hops, first, table, right) - right;
  for (let step = 0; step < GOLDEN_STEPS; step++) {
    if (atLeft < atRight) {
      low = left;
      left = right;
      atLeft = atRight;
      right = low + GOLDEN * (high - low);
      atRight = cycleOutput(hops, first, table, right) - right;
    } else {
      high = right;
      right = left;
      atRight = atLeft;
      left = high - GOLDEN * (high - low);
      atLeft = cycleOutput(hops, first, table, left) - left;
    }
  }
  return (low + high) / 2;
}
