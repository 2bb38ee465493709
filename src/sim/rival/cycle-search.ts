/**
 * A rival's way to find arbitrage, simpler than the agent's and its own: every cycle of two or three pools through wrapped
 * SOL is listed once; each hop is out = γ·y·x / (r + γ·x), hops compose to A·x / (B + D·x), which pays where A > B and most
 * at x = (√(A·B) − B) / D. The winner is priced again in integers.
 */
import { quoteExactIn } from "#dex/quote.ts";
import type { SimPool } from "#sim/genesis/genesis.ts";
import type { Reserves } from "./market-view.ts";

type Hop = { readonly pool: number; readonly inputSide: 0 | 1 };
export type Cycle = readonly Hop[];
export type Opportunity = {
  readonly cycle: Cycle;
  readonly amountIn: bigint;
  /** Before tip and fees. */
  readonly profitLamports: bigint;
};

export class CycleSearch {
  readonly #cyclesOf: readonly (readonly Cycle[])[];

  constructor(readonly pools: readonly SimPool[]) {
    const cycles = listCycles(pools);
    this.#cyclesOf = pools.map((_, pool) => cycles.filter((cycle) => cycle.some((hop) => hop.pool === pool)));
  }

  /** The most profitable cycle through any of these pools; undefined when none pays. */
  best(changed: readonly number[], reservesOf: (pool: number) => Reserves, inputMax: bigint): Opportunity | undefined {
    let best: Opportunity | undefined;
    for (const cycle of new Set(changed.flatMap((pool) => this.#cyclesOf[pool] ?? []))) {
      const found = this.price(cycle, reservesOf, inputMax);
      if (found !== undefined && (best === undefined || found.profitLamports > best.profitLamports)) best = found;
    }
    return best;
  }

  /** What a cycle earns at its best input, to the unit; undefined when it earns nothing. */
  price(cycle: Cycle, reservesOf: (pool: number) => Reserves, inputMax: bigint): Opportunity | undefined {
    let a = 1;
    let b = 1;
    let d = 0;
    for (const { pool, inputSide } of cycle) {
      const reserves = reservesOf(pool);
      const { feeNumerator, feeDenominator } = this.#facts(pool);
      const kept = 1 - feeNumerator / feeDenominator;
      const reserveIn = Number(reserves[inputSide]);
      d = reserveIn * d + kept * a;
      a *= kept * Number(reserves[inputSide === 0 ? 1 : 0]);
      b *= reserveIn;
      // Only the proportion of the three matters: kept near 1, so that long products stay inside a double.
      d /= b;
      a /= b;
      b = 1;
    }
    if (a <= b) return undefined;
    const wanted = BigInt(Math.floor((Math.sqrt(a * b) - b) / d));
    const amountIn = wanted < inputMax ? wanted : inputMax;
    const profitLamports = (this.amounts(cycle, reservesOf, amountIn).at(-1) as bigint) - amountIn;
    return profitLamports > 0n ? { cycle, amountIn, profitLamports } : undefined;
  }

  /** What goes into each hop, and last what comes out of the cycle. */
  amounts(cycle: Cycle, reservesOf: (pool: number) => Reserves, amountIn: bigint): bigint[] {
    const amounts = [amountIn];
    for (const { pool, inputSide } of cycle) {
      const reserves = reservesOf(pool);
      const into = amounts.at(-1) as bigint;
      amounts.push(quoteExactIn(this.#facts(pool), reserves[inputSide], reserves[inputSide === 0 ? 1 : 0], into));
    }
    return amounts;
  }

  #facts(pool: number): SimPool["facts"] {
    return (this.pools[pool] as SimPool).facts;
  }
}

/** Every cycle from wrapped SOL (token 0) back to it, over two or three different pools. */
function listCycles(pools: readonly SimPool[]): Cycle[] {
  const hopsFrom = (token: number): { readonly hop: Hop; readonly to: number }[] =>
    pools.flatMap(({ tokens }, pool) => {
      const inputSide = tokens[0] === token ? 0 : tokens[1] === token ? 1 : undefined;
      return inputSide === undefined ? [] : [{ hop: { pool, inputSide }, to: tokens[inputSide === 0 ? 1 : 0] }];
    });
  const cycles: Cycle[] = [];
  for (const first of hopsFrom(0))
    for (const second of hopsFrom(first.to)) {
      if (second.hop.pool === first.hop.pool) continue;
      if (second.to === 0) cycles.push([first.hop, second.hop]);
      else for (const third of hopsFrom(second.to)) if (third.to === 0) cycles.push([first.hop, second.hop, third.hop]);
    }
  return cycles;
}
