/**
 * Poison among good messages, on the three ways into the tables: 10,000 that are no message, in bursts and one by one,
 * among 90,000 good ones at a steady rate. All good ones must arrive, all bad ones must be in dead_letter with topic, place,
 * error and bytes, and ingestion must not stand still for more than 5 s: no two good rows that came one after the other may
 * have been inserted further apart (inserted_at), from the first to the last.
 *
 *   bun bench/poison.ts [messages = 100000] [per second = 5000]
 *
 * Exit 1 when something is missing, doubled or held up.
 */
import { arbEnvelope, encodeEnvelope } from "#wire/envelope.ts";
import { machine, short, table } from "./report.ts";
import { openWay, WAYS, type Way } from "./ways.ts";

const MESSAGES = Number(process.argv[2] ?? 100_000);
const PER_SECOND = Number(process.argv[3] ?? 5_000);
const TOPIC = "arbitrage-decisions-proto";
const KEYS = 16;
/** Every tenth message is poison; in each second thousand, a hundred of them stand together instead. */
const isPoison = (i: number) => (Math.floor(i / 1_000) % 2 === 0 ? i % 10 === 7 : i % 1_000 < 100);
/** No protobuf whatever follows: `n` asks for a wire type that there is none of. */
const POISON = "not a message ";
const STALL_SECONDS_MAX = 5;
const WAIT_MS_MAX = 120_000;

type Result = { readonly cells: string[]; readonly isRight: boolean };

async function run(name: string, { bus, store }: Way): Promise<Result> {
  const good: number[] = [];
  const poison: number[] = [];
  const text = new TextEncoder();
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const startedAt = performance.now();
  const said: Promise<number>[] = [];
  for (let i = 0; i < MESSAGES; ) {
    const due = Math.min(MESSAGES, Math.ceil(((performance.now() - startedAt) * PER_SECOND) / 1_000));
    for (; i < due; i++) {
      (isPoison(i) ? poison : good).push(i);
      const envelope = () =>
        encodeEnvelope(
          arbEnvelope({ decisionId: `good-${i}`, netLamports: BigInt(i), decideNs: startNs + BigInt(i) * 1_000n }),
        );
      said.push(bus.publish(TOPIC, `k${i % KEYS}`, isPoison(i) ? text.encode(`${POISON}${i}`) : envelope()));
    }
    await Bun.sleep(1);
  }
  await Promise.all(said);
  const counts = async () => {
    const [row] = await store.query<{ rows: string; ids: string; sum: string; letters: string; raws: string }>(
      `SELECT count() AS rows, uniqExact(decision_id) AS ids, sum(net_lamports) AS sum,
         (SELECT count() FROM sandpiper.dead_letter WHERE topic = '${TOPIC}' AND error != '') AS letters,
         (SELECT uniqExact(raw) FROM sandpiper.dead_letter WHERE startsWith(raw, '${POISON}')) AS raws
       FROM sandpiper.arb_opportunities`,
    );
    return row;
  };
  const until = performance.now() + WAIT_MS_MAX;
  let seen = await counts();
  while ((Number(seen?.ids) < good.length || Number(seen?.letters) < poison.length) && performance.now() < until) {
    await Bun.sleep(200);
    seen = await counts();
  }
  const [gap] = await store.query<{ seconds: number }>(
    `SELECT max(gap) AS seconds FROM (
       SELECT dateDiff('microsecond', lagInFrame(inserted_at, 1, inserted_at) OVER (ORDER BY inserted_at), inserted_at) / 1e6 AS gap
       FROM (SELECT DISTINCT inserted_at FROM sandpiper.arb_opportunities))`,
  );
  const sum = good.reduce((total, i) => total + i, 0);
  const stallSeconds = Number(gap?.seconds);
  const isRight =
    Number(seen?.rows) === good.length &&
    Number(seen?.ids) === good.length &&
    Number(seen?.sum) === sum &&
    Number(seen?.letters) === poison.length &&
    Number(seen?.raws) === poison.length &&
    stallSeconds < STALL_SECONDS_MAX;
  const of = (found: string | undefined, all: number) => `${found} of ${all}`;
  const arrived = [of(seen?.ids, good.length), of(seen?.rows, good.length), of(seen?.raws, poison.length)];
  return { cells: [name, ...arrived, short(stallSeconds), isRight ? "ok" : "WRONG"], isRight };
}

const results: Result[] = [];
for (const name of WAYS) {
  const way = await openWay(name);
  results.push(await run(name, way));
  await way.close();
}
const head = ["way", "good ones", "their rows", "dead letters", "longest gap, s", ""];
process.stdout.write(
  `${table(
    head,
    results.map(({ cells }) => cells),
  )}\n\n${PER_SECOND} messages/s. ${machine()}\n`,
);
process.exit(results.every(({ isRight }) => isRight) ? 0 : 1);
