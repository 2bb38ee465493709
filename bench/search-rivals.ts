/** What bench/search.ts compares the cycle index with: Bellman–Ford and depth-first search, as the textbooks have them. */
import type { SearchMarket } from "./search-market.ts";

/** Answers how many profitable cycles (or 0 and 1) the search saw after an update of `pool`. */
export type Search = (pool: number) => number;

/**
 * Bellman–Ford on −log(rate) from a token of the touched pool: a distance that still falls after as many rounds as there
 * are tokens is a cycle that earns. Ends early when a round changes nothing.
 */
export function bellmanFord({ sides, table }: SearchMarket): Search {
  const tokens = sides.reduce((most, [a, b]) => Math.max(most, a + 1, b + 1), 0);
  const edges = sides.length * 2;
  const from = new Int32Array(edges);
  const to = new Int32Array(edges);
  const weights = new Float64Array(edges);
  const weigh = (pool: number) => {
    for (let hop = 2 * pool; hop < 2 * pool + 2; hop++) weights[hop] = -Math.log(table.rates[hop] as number);
  };
  sides.forEach(([a, b], pool) => {
    from[2 * pool] = to[2 * pool + 1] = a;
    to[2 * pool] = from[2 * pool + 1] = b;
    weigh(pool);
  });
  const distances = new Float64Array(tokens);
  return (pool) => {
    weigh(pool);
    distances.fill(Number.POSITIVE_INFINITY);
    distances[from[2 * pool] as number] = 0;
    for (let round = 0; round < tokens; round++) {
      let changed = false;
      for (let edge = 0; edge < edges; edge++) {
        const distance = (distances[from[edge] as number] as number) + (weights[edge] as number);
        // A hair of slack, or rounding alone would go round for ever.
        if (distance < (distances[to[edge] as number] as number) - 1e-12) {
          distances[to[edge] as number] = distance;
          changed = true;
        }
      }
      if (!changed) return 0;
    }
    return 1;
  };
}

/** Depth-first search from the base over all pools, up to `hopsMax` hops, as if nothing were known of the last search. */
export function depthFirst({ sides, table }: SearchMarket, hopsMax: number): Search {
  const tokens = sides.reduce((most, [a, b]) => Math.max(most, a + 1, b + 1), 0);
  const out: number[][] = Array.from({ length: tokens }, () => []);
  sides.forEach(([a, b], pool) => {
    out[a]?.push(2 * pool);
    out[b]?.push(2 * pool + 1);
  });
  const met = new Uint8Array(tokens);
  const used = new Uint8Array(sides.length);
  const extend = (token: number, rate: number, left: number): number => {
    let found = 0;
    for (const hop of out[token] as number[]) {
      const pool = hop >> 1;
      const side = sides[pool] as readonly [number, number];
      const next = (hop & 1) === 0 ? side[1] : side[0];
      if (used[pool] === 1 || met[next] === 1) continue;
      const after = rate * (table.rates[hop] as number);
      if (next === 0) {
        if (left < hopsMax && after > 1) found++;
      } else if (left > 1) {
        used[pool] = met[next] = 1;
        found += extend(next, after, left - 1);
        used[pool] = met[next] = 0;
      }
    }
    return found;
  };
  return () => extend(0, 1, hopsMax);
}
