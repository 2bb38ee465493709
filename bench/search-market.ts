/**
 * A market like the real one for bench/search.ts: a few hubs, a long tail of tokens, most pools against the base, prices
 * near each other. Seeded; an update is a small trade on a pool drawn by its share of the trading.
 */
import { PoolTable } from "#arbitrage/pool-table.ts";
import { testPool } from "#arbitrage/test-pools.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Random, seededRandom } from "#core/random.ts";

/** Tokens 1 and 2 are dollars, paired with everything now and then. */
const HUBS = 3;
const FEES_MILLIONTHS = [100, 500, 2_500, 2_500, 3_000, 10_000] as const;
/** Prices of one token in two pools differ by about so much; arbitrage keeps them there. */
const SPREAD = 0.0015;

export type SearchMarket = {
  readonly pools: readonly PoolFacts[];
  /** By pool: the two tokens, by number; 0 is the base. */
  readonly sides: readonly (readonly [number, number])[];
  readonly table: PoolTable;
  /** Draws the next update and answers which pool it is of. */
  next(): number;
  /** Writes it into the table. */
  apply(): void;
};

export function makeSearchMarket(poolCount: number, tokenCount: number): SearchMarket {
  const random = seededRandom(`search ${poolCount}`);
  const sides = Array.from({ length: poolCount }, (_, pool) => drawSides(pool, tokenCount, random));
  const pools = sides.map(([a, b], pool) => testPool(pool, a, b, random.pick(FEES_MILLIONTHS)));
  const prices = Array.from({ length: tokenCount }, (_, token) => (token === 0 ? 1 : 10 ** (random.unit() * 4 - 2)));
  const fair = sides.map(([a, b]) => (prices[b] as number) / (prices[a] as number));
  const depths = sides.map(() => 10 ** (10 + 3 * random.unit()));
  const table = new PoolTable();
  table.describe(pools);
  const drawn = { pool: 0, reserve0: 0, reserve1: 0 };
  const draw = (pool: number) => {
    const ratio = (fair[pool] as number) * Math.exp(SPREAD * random.normal());
    const depth = depths[pool] as number;
    drawn.pool = pool;
    drawn.reserve0 = Math.round(depth * Math.sqrt(ratio));
    drawn.reserve1 = Math.round(depth / Math.sqrt(ratio));
    return pool;
  };
  const apply = () => put(table, drawn.pool, drawn.reserve0, drawn.reserve1);
  for (let pool = 0; pool < poolCount; pool++) {
    draw(pool);
    apply();
  }
  return {
    pools,
    sides,
    table,
    // Trading is as uneven as pools are: squaring draws the first ones, which are the hubs', more often.
    next: () => draw(Math.floor(random.unit() ** 2 * poolCount)),
    apply,
  };
}

/** The first pools pair the hubs; of the rest three in four pair a token with the base, most others with a dollar. */
function drawSides(pool: number, tokenCount: number, random: Random): [number, number] {
  if (pool < tokenCount / 50) return [pool % 2 === 0 ? 0 : 1, pool % 2 === 0 ? 1 + (pool % 4) / 2 : 2];
  // Every token once, then the popular ones again.
  const token = pool < tokenCount ? Math.max(HUBS, pool) : HUBS + Math.floor(random.unit() ** 3 * (tokenCount - HUBS));
  const draw = random.unit();
  if (pool < tokenCount || draw < 0.72) return [0, token];
  if (draw < 0.94) return [draw < 0.9 ? 1 : 2, token];
  const other = HUBS + Math.floor(random.unit() ** 3 * (tokenCount - HUBS));
  return other === token ? [0, token] : [other, token];
}

function put(table: PoolTable, pool: number, reserve0: number, reserve1: number): void {
  const high = (value: number) => Math.floor(value / 2 ** 32);
  table.update(pool, reserve0 >>> 0, high(reserve0), reserve1 >>> 0, high(reserve1));
}
