/**
 * How many pool updates a second does the cycle index take, beside Bellman–Ford and plain depth-first search?
 * `bun bench/search.ts [UPDATES]`, about a minute.
 *
 * All three get the same seeded market and the same updates, on one core. An update writes the pool's state and looks for
 * every cycle that earns: the index with its best input and profit; Bellman–Ford only whether there is one (from a token
 * of the touched pool, of any length); depth-first search counts those of up to 3 hops from the base. The slow two get
 * fewer updates, enough for a second or so. Memory is what the index takes: its arrays, and the process around it. A second table has the exact sizing of a winner.
 */
import { buildCycleIndex, type CycleIndex } from "#arbitrage/cycle-index.ts";
import { Candidates, screenPool } from "#arbitrage/screen.ts";
import { WSOL_MINT } from "#core/units.ts";
import { machine, short, table } from "./report.ts";
import { makeSearchMarket, type SearchMarket } from "./search-market.ts";
import { bellmanFord, depthFirst, type Search } from "./search-rivals.ts";
import { sizingRows } from "./search-sizing.ts";

const MARKETS = [
  [1_000, 300],
  [3_000, 600],
  [10_000, 1_000],
] as const;
const INPUT_MAX = 50e9;
const PROFIT_MIN = 15_000;
const SLOW_MS = 1_500;

type Timing = { readonly perSecond: number; readonly p50: number; readonly p99: number };

function time(market: SearchMarket, search: Search, updates: number, msMax: number): Timing {
  const times = new Float64Array(updates);
  const until = Bun.nanoseconds() + msMax * 1e6;
  let done = 0;
  for (; done < updates && (done < 5 || Bun.nanoseconds() < until); done++) {
    const pool = market.next();
    const start = Bun.nanoseconds();
    market.apply();
    search(pool);
    times[done] = Bun.nanoseconds() - start;
  }
  const sorted = times.subarray(0, done).toSorted();
  const total = sorted.reduce((sum, ns) => sum + ns, 0);
  const at = (q: number) => (sorted[Math.floor(q * (done - 1))] as number) / 1e3;
  return { perSecond: (done / total) * 1e9, p50: at(0.5), p99: at(0.99) };
}

function indexSearch(market: SearchMarket, index: CycleIndex): Search {
  const candidates = new Candidates();
  return (pool) => {
    candidates.clear();
    screenPool(index, market.table, pool, INPUT_MAX, PROFIT_MIN, candidates);
    return candidates.count;
  };
}

function measure(poolCount: number, tokenCount: number, updates: number): string[][] {
  const market = makeSearchMarket(poolCount, tokenCount);
  const name = `${poolCount} pools, ${tokenCount} tokens`;
  const row = (what: string, { perSecond, p50, p99 }: Timing, note: string) => [
    name,
    what,
    short(perSecond),
    short(p50),
    short(p99),
    note,
  ];
  const rows: string[][] = [];
  for (const hopsMax of [3, 4]) {
    const startNs = Bun.nanoseconds();
    const index = buildCycleIndex(market.pools, { base: WSOL_MINT, hopsMax });
    const builtMs = (Bun.nanoseconds() - startNs) / 1e6;
    const search = indexSearch(market, index);
    time(market, search, 20_000, 10_000); // The just-in-time compiler needs these.
    const timing = time(market, search, updates, 20_000);
    const mebibytes = (index.hops.byteLength + index.starts.byteLength) / 2 ** 20;
    const note = `${index.places} places, ${short(mebibytes)} MiB, built in ${short(builtMs)} ms, ${index.cutPools} lists cut`;
    rows.push(row(`cycle index, ${hopsMax} hops`, timing, note));
  }
  rows.push(row("Bellman–Ford", time(market, bellmanFord(market), updates, SLOW_MS), "any length"));
  rows.push(row("depth-first, 3 hops", time(market, depthFirst(market, 3), updates, SLOW_MS), ""));
  return rows;
}

const updates = Number(process.argv[2] ?? 200_000);
const rows = MARKETS.flatMap(([pools, tokens]) => measure(pools, tokens, updates));
console.log(table(["market", "search", "updates/s", "p50, µs", "p99, µs", "index"], rows));
const sizing = sizingRows().map(([name, ...times]) => [name, ...times.map(short)]);
console.log(`\n${table(["sizing a winner through", "p50, ns", "p99, ns", "p99.9, ns"], sizing)}`);
console.log(`\nWhole process: ${short(process.memoryUsage.rss() / 2 ** 20)} MiB resident at the end. ${machine()}`);
