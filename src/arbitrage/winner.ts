/**
 * A cycle that the screening found, sized and quoted in the programs' integers: one object, filled anew for each winner.
 *
 * Through constant products below WHOLE_MAX (whole-number.ts) all of it is whole floats and allocates nothing; where
 * liquidity is concentrated, a reserve is larger or a hop is split it is bigints. Reserves and amounts are u64s, low word
 * first, as a decision's record has them.
 */
import type { PoolFacts } from "#core/pool.ts";
import { readWhole, writeU64, writeWhole } from "#core/words.ts";
import { fillConcentrated } from "./concentrated-quote.ts";
import { HOPS_MAX, NO_HOP } from "./cycle-index.ts";
import type { Split } from "./find-split.ts";
import type { PoolTable } from "./pool-table.ts";
import { type ExactHop, exactHop, hopAmounts, tickArraysPerHop } from "./quote-cycle.ts";
import { LAMPORTS_MAX, type Sized, sizeCurve, sizeCycle } from "./sizing.ts";
import { WholeCycle } from "./whole-cycle.ts";

export class Winner {
  hopCount = 0;
  /** 2 × pool + input side of each hop, as in the cycle index. */
  readonly hops = new Int32Array(HOPS_MAX);
  /** Every pool that it trades with: one per hop, and behind them the second one of a split hop. */
  readonly pools = new Int32Array(HOPS_MAX + 1);
  poolCount = 0;
  /** The exact input, and what it pays out without a split; lamports. */
  readonly sized: Sized = { input: 0, output: 0 };
  /** Of each hop in and out, as it was quoted; virtual ones, rounded, where liquidity is concentrated. */
  readonly reserves = new Uint32Array(4 * HOPS_MAX);
  /** The input, then the output of every hop; of a split hop what both pools pay out. */
  readonly amounts = new Uint32Array(2 * (HOPS_MAX + 1));
  /** 1 for each hop over ticks, and the tick arrays at both ends of its walk. */
  readonly walksTicks = new Uint8Array(HOPS_MAX);
  readonly tickArrays = new Int16Array(2 * HOPS_MAX);
  split: Split | undefined;
  /** Last output minus input. */
  grossLamports = 0;
  readonly #facts: PoolFacts[] = [];
  readonly #whole = new WholeCycle();
  #isWhole = false;
  #table: PoolTable | undefined;
  #exactHops: readonly ExactHop[] | undefined;

  /** Takes the cycle whose hops stand at `first` of a cycle index, on the table's newest states. */
  load(index: Int32Array, first: number, table: PoolTable, pools: readonly PoolFacts[]): void {
    const { reserves } = table;
    const whole = this.#whole;
    let isWhole = true;
    let count = 0;
    whole.clear();
    for (; count < HOPS_MAX && index[first + count] !== NO_HOP; count++) {
      const hop = index[first + count] as number;
      const facts = pools[hop >> 1] as PoolFacts;
      this.hops[count] = hop;
      this.pools[count] = hop >> 1;
      this.#facts[count] = facts;
      isWhole =
        isWhole &&
        facts.concentrated === undefined &&
        whole.add(reserves[hop] as number, reserves[hop ^ 1] as number, facts.feeNumerator, facts.feeDenominator);
    }
    this.hopCount = count;
    this.poolCount = count;
    this.split = undefined;
    this.#isWhole = isWhole;
    this.#table = table;
    this.#exactHops = undefined;
  }

  /** Finds the best input between 1 and `max` lamports, from `start`. */
  size(start: number, max: number): void {
    if (this.#isWhole) {
      sizeCurve(this.sized, this.#whole, start, Math.min(max, LAMPORTS_MAX));
      return;
    }
    const { input, output } = sizeCycle(this.exactHops(), start, max);
    this.sized.input = input;
    this.sized.output = output;
  }

  /** Its hops as the bigint quotes take them. Allocates. */
  exactHops(): readonly ExactHop[] {
    if (this.#exactHops !== undefined) return this.#exactHops;
    const table = this.#table as PoolTable;
    const facts = this.#facts.slice(0, this.hopCount);
    const concentrated = facts.filter((pool) => pool.concentrated !== undefined);
    const tickArraysMax = tickArraysPerHop(facts.length, concentrated.length);
    this.#exactHops = facts.map((pool, i) =>
      exactHop(table, pool, ((this.hops[i] as number) & 1) as 0 | 1, tickArraysMax),
    );
    return this.#exactHops;
  }

  /** Quotes every hop to the unit: at the input it was sized for, or with the amounts of a split. */
  quote(split: Split | undefined): void {
    this.split = split;
    this.walksTicks.fill(0);
    this.tickArrays.fill(0);
    if (split === undefined && this.#isWhole) this.#quoteWhole();
    else this.#quoteExact(split);
  }

  /** Fees of the pool of a hop; with a split the larger one of both pools counts. Basis points. */
  feeBps(i: number): number {
    const { feeNumerator, feeDenominator } = this.#facts[i] as PoolFacts;
    const own = (feeNumerator / feeDenominator) * 10_000;
    if (this.split?.place !== i) return own;
    const { pool } = this.split.second;
    return Math.max(own, (pool.feeNumerator / pool.feeDenominator) * 10_000);
  }

  /** What goes into a pool of a hop over what it holds of that token; with a split the larger share counts. */
  inputShare(i: number): number {
    const amountIn = readWhole(this.amounts, 2 * i);
    const reserveIn = readWhole(this.reserves, 4 * i);
    if (this.split?.place !== i) return amountIn / reserveIn;
    const { second, secondIn } = this.split;
    return Math.max((amountIn - Number(secondIn)) / reserveIn, Number(secondIn) / Number(second.reserveIn));
  }

  #quoteWhole(): void {
    const table = this.#table as PoolTable;
    let amount = this.sized.input;
    writeWhole(this.amounts, 0, amount);
    for (let i = 0; i < this.hopCount; i++) {
      table.copyReserves(this.hops[i] as number, this.reserves, 4 * i);
      amount = this.#whole.hopOutput(i, amount);
      writeWhole(this.amounts, 2 * i + 2, amount);
    }
    this.grossLamports = amount - this.sized.input;
  }

  #quoteExact(split: Split | undefined): void {
    const hops = this.exactHops();
    const amounts = split?.amounts ?? hopAmounts(hops, BigInt(this.sized.input));
    writeU64(this.amounts, 0, amounts[0] as bigint);
    hops.forEach((hop, i) => {
      writeU64(this.reserves, 4 * i, hop.reserveIn);
      writeU64(this.reserves, 4 * i + 2, hop.reserveOut);
      writeU64(this.amounts, 2 * i + 2, amounts[i + 1] as bigint);
      const secondIn = split?.place === i ? split.secondIn : 0n;
      const walk = walkOf(hop, (amounts[i] as bigint) - secondIn);
      if (walk === undefined) return;
      this.walksTicks[i] = 1;
      this.tickArrays.set(walk, 2 * i);
    });
    this.grossLamports = Number((amounts[hops.length] as bigint) - (amounts[0] as bigint));
    if (split === undefined) return;
    this.pools[hops.length] = split.second.pool.index;
    this.poolCount = hops.length + 1;
  }
}

/** The tick arrays at both ends of a hop's walk, the current tick's first; undefined for a constant product. */
export function walkOf(
  { concentrated, inputSide }: ExactHop,
  amountIn: bigint,
): readonly [first: number, last: number] | undefined {
  const fill = concentrated && fillConcentrated(concentrated, inputSide, amountIn, "exact-in");
  return fill && [fill.firstArray, fill.lastArray];
}
