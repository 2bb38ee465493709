/** The market as a graph: tokens by dense number, and the hops that leave each, cheap ones first. */
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";

/** A hop (2 × pool + input side) and the token it leads to. */
type Hop = { readonly hop: number; readonly to: number };

export type TokenGraph = {
  readonly base: number;
  /** The token on side s of pool p at 2p + s; NO_TOKEN for a number without a pool. */
  readonly sides: Int32Array;
  /** By token. */
  readonly from: readonly (readonly Hop[])[];
  /** Those of them that lead to the base. */
  readonly toBase: readonly (readonly Hop[])[];
};

const NO_TOKEN = -1;

export function buildTokenGraph(pools: readonly PoolFacts[], base: Address): TokenGraph {
  const numbers = new Map<Address, number>([[base, 0]]);
  const from: Hop[][] = [[]];
  const numberOf = (mint: Address) => {
    let number = numbers.get(mint);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(mint, number);
      from.push([]);
    }
    return number;
  };
  const poolCount = pools.reduce((most, { index }) => Math.max(most, index + 1), 0);
  const sides = new Int32Array(2 * poolCount).fill(NO_TOKEN);
  const fee = ({ feeNumerator, feeDenominator }: PoolFacts) => feeNumerator / feeDenominator;
  for (const { index, mints } of pools.toSorted((a, b) => fee(a) - fee(b) || a.index - b.index)) {
    const [token0, token1] = [numberOf(mints[0]), numberOf(mints[1])];
    if (token0 === token1) continue;
    sides[2 * index] = token0;
    sides[2 * index + 1] = token1;
    from[token0]?.push({ hop: 2 * index, to: token1 });
    from[token1]?.push({ hop: 2 * index + 1, to: token0 });
  }
  return { base: 0, sides, from, toBase: from.map((hops) => hops.filter(({ to }) => to === 0)) };
}
