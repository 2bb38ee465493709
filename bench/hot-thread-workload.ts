/**
 * The same market for both sides of bench/hot-thread.ts: 30 pools over 12 tokens, and seeded trades that push their
 * prices apart and mostly back, so that about one event in ten opens a cycle worth deciding on.
 */
import { buildCycleIndex, type CycleIndex } from "#arbitrage/cycle-index.ts";
import { testPool } from "#arbitrage/test-pools.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Random, seededRandom } from "#core/random.ts";
import { WSOL_MINT } from "#core/units.ts";
import { ARBITRAGE_RING, MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND } from "#memory/market-record.ts";

const TOKENS = 12;
const POOLS = 30;
const RECORD_BYTES = ARBITRAGE_RING.slotBytes;
const FEES_MILLIONTHS = [500, 2_500, 2_500, 10_000] as const;
/** A pool further than this from the common price is pushed back by nineteen trades in twenty. */
const DEVIATION_MAX = 0.0008;

export type Workload = {
  readonly pools: readonly PoolFacts[];
  readonly index: CycleIndex;
  /** Market records without time stamps: first one state per pool, then the events. */
  readonly records: Uint8Array<ArrayBuffer>;
  readonly recordBytes: number;
  readonly snapshotRecords: number;
  readonly events: number;
};

export function makeWorkload(events: number, hopsMax: number): Workload {
  const random = seededRandom("hot-thread");
  // A token's price in base units; token 0 is the base.
  const prices = Array.from({ length: TOKENS }, (_, token) => (token === 0 ? 1 : 10 ** (random.unit() * 4 - 2)));
  const sides = Array.from({ length: POOLS }, (_, pool): [number, number] => {
    const first = pool < 18 ? 0 : 1 + (pool % (TOKENS - 1));
    const second = pool < 18 ? 1 + (pool % (TOKENS - 1)) : 1 + ((pool * 5 + 3) % (TOKENS - 1));
    return first === second ? [0, second] : [first, second];
  });
  const pools = sides.map(([a, b], pool) => testPool(pool, a, b, random.pick(FEES_MILLIONTHS)));
  const reserves = sides.map(([a, b]) => {
    const depth = 10 ** (11.5 + random.unit() * 2);
    return [Math.round(depth / (prices[a] as number)), Math.round(depth / (prices[b] as number))] as [number, number];
  });
  const total = POOLS + events;
  const records = new Uint8Array(new ArrayBuffer(total * RECORD_BYTES));
  const view = new DataView(records.buffer);
  for (let record = 0; record < total; record++) {
    const isSnapshot = record < POOLS;
    const pool = isSnapshot ? record : random.between(0, POOLS);
    const state = reserves[pool] as [number, number];
    const [a, b] = sides[pool] as [number, number];
    if (!isSnapshot) trade(state, (prices[b] as number) / (prices[a] as number), random);
    const at = record * RECORD_BYTES;
    view.setUint32(at + MARKET_RECORD.kind, MARKET_RECORD_KIND.poolState, true);
    const flags = MARKET_RECORD_FLAG.lastOfGroup | (isSnapshot ? MARKET_RECORD_FLAG.snapshot : 0);
    view.setUint32(at + MARKET_RECORD.flags, flags, true);
    view.setBigUint64(at + MARKET_RECORD.sequence, BigInt(record + 1), true);
    view.setBigUint64(at + MARKET_RECORD.slot, BigInt(1_000 + Math.floor(record / 100)), true);
    view.setUint32(at + MARKET_RECORD.pool, pool, true);
    view.setUint32(at + MARKET_RECORD.transactionIndex, record % 100, true);
    view.setBigUint64(at + MARKET_RECORD.reserve0, BigInt(state[0]), true);
    view.setBigUint64(at + MARKET_RECORD.reserve1, BigInt(state[1]), true);
  }
  const index = buildCycleIndex(pools, { base: WSOL_MINT, hopsMax });
  return { pools, index, records, recordBytes: RECORD_BYTES, snapshotRecords: POOLS, events };
}

/** One trade against a constant product; `fair` is what reserve 0 over reserve 1 should be. */
function trade(reserves: [number, number], fair: number, random: Random): void {
  const deviation = reserves[0] / reserves[1] / fair - 1;
  const back = Math.abs(deviation) > DEVIATION_MAX && random.unit() < 0.95;
  const side: 0 | 1 = (back ? deviation < 0 : random.unit() < 0.5) ? 0 : 1;
  const share = 0.0001 + 0.001 * random.unit() ** 4;
  const other: 0 | 1 = side === 0 ? 1 : 0;
  const paidIn = Math.round(reserves[side] * share);
  const paidOut = Math.floor((reserves[other] * paidIn) / (reserves[side] + paidIn));
  reserves[side] += paidIn;
  reserves[other] -= paidOut;
}
