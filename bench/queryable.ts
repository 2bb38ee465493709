/**
 * From publish() to the row that a query finds, at a steady rate, on the three ways into the tables:
 *
 *   bun bench/queryable.ts [envelopes per second = 5000] [seconds = 20]
 *
 * Full arbitrage decisions under 64 keys. Every tenth is watched: a query looks for those that are not there yet, and what
 * it finds has been queryable at the latest when its answer is here; the interval of the looks is in the figures. All
 * parts share the machine: publisher, broker, recorder, ClickHouse and the looks.
 */
import { encodeEnvelope } from "#wire/envelope.ts";
import { SeededEnvelopes } from "../test/support/seeded-envelopes.ts";
import { machine, spread, table } from "./report.ts";
import { openWay, WAYS, type Way, type WayName } from "./ways.ts";

const PER_SECOND = Number(process.argv[2] ?? 5_000);
const SECONDS = Number(process.argv[3] ?? 20);
const KEYS = 64;
const WATCH_EVERY = 10;
const LOOK_MS = 20;
/** First messages wait for connections, group joins and code that is not compiled yet: not counted. */
const WARM_UP_SECONDS = 10;
const DRAIN_MS_MAX = 60_000;

type Figures = { readonly acknowledged: number[]; readonly queryable: number[]; lost: number };

async function run(way: Way): Promise<Figures> {
  const seeded = new SeededEnvelopes("queryable");
  const waiting = new Map<number, { atMs: number; wallMs: number; counts: boolean }>();
  const figures: Figures = { acknowledged: [], queryable: [], lost: 0 };
  const startedAt = performance.now();
  let sent = 0;
  const publish = async () => {
    const number = sent++;
    const atMs = performance.now();
    const wallMs = Date.now();
    const counts = atMs - startedAt > WARM_UP_SECONDS * 1_000;
    if (number % WATCH_EVERY === 0) waiting.set(number + 1, { atMs, wallMs, counts });
    await way.bus.publish(
      "arbitrage-decisions-proto",
      `pair-${number % KEYS}`,
      encodeEnvelope(seeded.next(wallMs).decision),
    );
    if (counts) figures.acknowledged.push(performance.now() - atMs);
  };
  const publishing = (async () => {
    const all: Promise<void>[] = [];
    for (const total = PER_SECOND * (WARM_UP_SECONDS + SECONDS); sent < total; ) {
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * PER_SECOND) / 1_000));
      while (sent < due) all.push(publish());
      await Bun.sleep(1);
    }
    await Promise.all(all);
  })();
  let drainBy = Number.POSITIVE_INFINITY;
  void publishing.then(() => {
    drainBy = performance.now() + DRAIN_MS_MAX;
  });
  while ((drainBy === Number.POSITIVE_INFINITY || waiting.size > 0) && performance.now() < drainBy) {
    const oldest = waiting.values().next().value;
    if (oldest !== undefined) {
      const rows = await way.store.query<{ n: string }>(
        `SELECT sequence AS n FROM sandpiper.arb_opportunities
         WHERE at >= fromUnixTimestamp64Milli({from:Int64}) AND sequence % ${WATCH_EVERY} = 1`,
        { from: oldest.wallMs },
      );
      const seenAt = performance.now();
      for (const { n } of rows) {
        const watched = waiting.get(Number(n));
        if (watched === undefined) continue;
        waiting.delete(Number(n));
        if (watched.counts) figures.queryable.push(seenAt - watched.atMs);
      }
    }
    await Bun.sleep(LOOK_MS);
  }
  await publishing;
  figures.lost = waiting.size;
  return figures;
}

const rows: string[][] = [];
const asked = process.argv[4];
for (const name of WAYS.filter((one: WayName) => asked === undefined || one.startsWith(asked))) {
  const way = await openWay(name);
  const { acknowledged, queryable, lost } = await run(way);
  rows.push([name, ...spread(acknowledged), ...spread(queryable), String(lost)]);
  await way.close();
}
const head = ["way", "acknowledged: p50 ms", "p99", "max", "queryable: p50 ms", "p99", "max", "not found"];
process.stdout.write(`${table(head, rows)}\n\n${PER_SECOND} envelopes/s for ${SECONDS} s each. ${machine()}\n`);
