/**
 * A cycle that the screening found, sized and quoted in the programs' integers: one object, filled anew for each winner.
 *
 * Through constant products below WHOLE_MAX (whole-number.ts) all of it is whole floats and allocates nothing; where
 * liquidity is concentrated or a reserve is larger it is bigints. Reserves and amounts are u64s, low word
 * first, as a decision's record has them.
 */
import type { PoolFacts } from "#core/pool.ts";
import { readU64, readWhole, writeU64, writeWhole } from "#core/words.ts";
import { fillConcentrated } from "./concentrated-quote.ts";
import { HOPS_MAX, NO_HOP } from "./cycle-index.ts";
import type { Split } from "./find-split.ts";
import { AMOUNT_MAX, BigintHop, type HopCurve, type WholeHop } from "./hop-curve.ts";
import type { PoolTable } from "./pool-table.ts";
import { type ExactHop, exactHop, hopAmounts, tickArraysPerHop } from "./quote-cycle.ts";
import { type Sized, sizeCurve, sizeCycle } from "./sizing.ts";
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
  /** Where it stands in the cycle index. */
  place = 0;
  /** Of the second pool of a split hop: its reserves in and out, and over ticks the arrays at both ends of its walk. */
  readonly secondReserves = new Uint32Array(4);
  secondWalk: readonly [first: number, last: number] | undefined;
  #catalogue: readonly PoolFacts[] = [];
  readonly #whole = new WholeCycle();
  /** 1 for each hop that whole floats hold. */
  readonly #wholeHops = new Uint8Array(HOPS_MAX);
  #isWhole = false;
  #table: PoolTable | undefined;
  #exactHops: readonly ExactHop[] | undefined;

  /** Takes the cycle at `place` of a cycle index, on the table's newest states. */
  load(index: Int32Array, place: number, table: PoolTable, pools: readonly PoolFacts[]): void {
    const { reserves } = table;
    const first = place * HOPS_MAX;
    let whole = 0;
    let count = 0;
    for (; count < HOPS_MAX && index[first + count] !== NO_HOP; count++) {
      const hop = index[first + count] as number;
      const facts = pools[hop >> 1] as PoolFacts;
      const { feeNumerator, feeDenominator } = facts;
      this.hops[count] = hop;
      this.pools[count] = hop >> 1;
      const curve = this.#whole.hops[count] as WholeHop;
      const isWhole =
        facts.concentrated === undefined &&
        curve.set(reserves[hop] as number, reserves[hop ^ 1] as number, feeNumerator, feeDenominator);
      this.#wholeHops[count] = isWhole ? 1 : 0;
      if (isWhole) whole++;
    }
    this.place = place;
    this.hopCount = count;
    this.poolCount = count;
    this.split = undefined;
    this.#whole.count = count;
    this.#isWhole = whole === count;
    this.#table = table;
    this.#catalogue = pools;
    this.#exactHops = undefined;
  }

  /** The pool of a hop. */
  facts(i: number): PoolFacts {
    return this.#catalogue[(this.hops[i] as number) >> 1] as PoolFacts;
  }

  /** A hop as a function of whole amounts. Allocates where whole floats do not hold it. */
  curve(i: number): HopCurve {
    return this.#wholeHops[i] === 1
      ? (this.#whole.hops[i] as WholeHop)
      : new BigintHop(this.exactHops()[i] as ExactHop);
  }

  /** Finds the best input between 1 and `max` lamports, from `start`. */
  size(start: number, max: number): void {
    if (this.#isWhole) {
      sizeCurve(this.sized, this.#whole, start, Math.min(max, AMOUNT_MAX));
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
    const facts = Array.from({ length: this.hopCount }, (_, i) => this.facts(i));
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
    if (split !== undefined) this.#takeSplit(split);
    else if (this.#isWhole) this.#quoteWhole();
    else this.#quoteExact();
    for (let i = 0; i < this.hopCount; i++) this.#keepState(i);
  }

  /** The trade fee of a hop; with a split the larger one of both pools. Basis points. */
  feeBps(i: number): number {
    const own = feeBpsOf(this.facts(i));
    if (this.split?.place !== i) return own;
    return Math.max(own, feeBpsOf(this.#catalogue[this.split.second >> 1] as PoolFacts));
  }

  /** What goes into the pool of a hop over what it holds of that token; with a split the larger share of both. */
  inputShare(i: number): number {
    const amountIn = readWhole(this.amounts, 2 * i);
    const reserveIn = readWhole(this.reserves, 4 * i);
    if (this.split?.place !== i) return amountIn / reserveIn;
    const { secondIn } = this.split;
    return Math.max((amountIn - secondIn) / reserveIn, secondIn / readWhole(this.secondReserves, 0));
  }

  #quoteWhole(): void {
    let amount = this.sized.input;
    writeWhole(this.amounts, 0, amount);
    for (let i = 0; i < this.hopCount; i++) {
      amount = (this.#whole.hops[i] as WholeHop).outputOf(amount);
      writeWhole(this.amounts, 2 * i + 2, amount);
    }
    this.grossLamports = amount - this.sized.input;
  }

  #quoteExact(): void {
    const amounts = hopAmounts(this.exactHops(), BigInt(this.sized.input));
    amounts.forEach((amount, i) => {
      writeU64(this.amounts, 2 * i, amount);
    });
    this.grossLamports = Number((amounts[this.hopCount] as bigint) - (amounts[0] as bigint));
  }

  #takeSplit({ amounts, second, secondIn, exact }: Split): void {
    for (let i = 0; i <= this.hopCount; i++) writeWhole(this.amounts, 2 * i, amounts[i] as number);
    this.grossLamports = (amounts[this.hopCount] as number) - (amounts[0] as number);
    this.pools[this.hopCount] = second >> 1;
    this.poolCount = this.hopCount + 1;
    this.secondWalk = exact && walkOf(exact, BigInt(secondIn));
    if (exact?.concentrated === undefined) (this.#table as PoolTable).copyReserves(second, this.secondReserves, 0);
    else writeReserves(this.secondReserves, 0, exact);
  }

  /** The state that a hop was quoted on. */
  #keepState(i: number): void {
    this.walksTicks[i] = 0;
    if (this.facts(i).concentrated === undefined) {
      (this.#table as PoolTable).copyReserves(this.hops[i] as number, this.reserves, 4 * i);
      return;
    }
    const hop = this.exactHops()[i] as ExactHop;
    writeReserves(this.reserves, 4 * i, hop);
    const secondIn = this.split?.place === i ? this.split.secondIn : 0;
    const walk = walkOf(hop, readU64(this.amounts, 2 * i) - BigInt(secondIn));
    if (walk === undefined) return;
    this.walksTicks[i] = 1;
    this.tickArrays.set(walk, 2 * i);
  }
}

const feeBpsOf = ({ feeNumerator, feeDenominator }: PoolFacts): number => (feeNumerator / feeDenominator) * 10_000;

function writeReserves(words: Uint32Array, at: number, { reserveIn, reserveOut }: ExactHop): void {
  writeU64(words, at, reserveIn);
  writeU64(words, at + 2, reserveOut);
}

/** The tick arrays at both ends of a hop's walk, the current tick's first; undefined for a constant product. */
function walkOf(
  { concentrated, inputSide }: ExactHop,
  amountIn: bigint,
): readonly [first: number, last: number] | undefined {
  const fill = concentrated && fillConcentrated(concentrated, inputSide, amountIn, "exact-in");
  return fill && [fill.firstArray, fill.lastArray];
}
