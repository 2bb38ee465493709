/**
 * Nothing lost, nothing twice: decisions from four producer processes through a real Kafka broker and the recorder into
 * ClickHouse, while half way the broker is stopped for a while, and each producer, the recorder and ClickHouse are killed
 * once (SIGKILL) and started again. Then every acknowledged decision must be in the table exactly once, by count, by the
 * sum of their numbers and one by one, and in each key the bus must have them in the order they were published.
 *
 *   bun bench/outage.ts [decisions = 1000000] [seconds without the broker = 30]
 *
 * Exit 1 on any fault. Nothing here is measured but the whole time; the rate is what two busy cores bear.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import { connectStore } from "#store/client.ts";
import { KAFKA_HISTORY, KAFKA_MIGRATIONS } from "#store/kafka-tables.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine } from "#store/test-engine.ts";
import { startKafkaBroker } from "../test/support/kafka-broker.ts";
import { ACK_BYTES, type Producer, spawnProducer } from "./outage-producer.ts";
import { spawnRecorder } from "./recorder-process.ts";
import { machine, table } from "./report.ts";

const DECISIONS = Number(process.argv[2] ?? 1_000_000);
const OUTAGE_SECONDS = Number(process.argv[3] ?? 30);
const PRODUCERS = 4;
/** Of each producer: what two busy cores bear, or so few that the outage falls into the middle of a short run. */
const PER_SECOND = Math.min(2_000, Math.ceil(DECISIONS / PRODUCERS / (2 * OUTAGE_SECONDS + 60)));
/** Without a new row for so long, after all is acknowledged, the rest counts as lost. */
const STALL_MS_MAX = 120_000;
const LOOK_MS = 500;

const folder = mkdtempSync(join(tmpdir(), "sandpiper-outage-"));
const log = createLog({ process: "outage", level: "warn", format: "text" });
const startedAt = performance.now();
const say = (line: string) =>
  process.stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);

const broker = await startKafkaBroker();
await applyTopics({ brokers: broker.address, clientId: "outage" }, 1, log);
const engine = await startTestEngine();
await migrate(engine.store);
await migrate(engine.store, KAFKA_MIGRATIONS, KAFKA_HISTORY);
const store = connectStore({ port: engine.port, secretPath: engine.secretPath, final: true });

const share = Math.ceil(DECISIONS / PRODUCERS);
const producers = Array.from(
  { length: PRODUCERS },
  (_, i): Producer => ({
    name: `producer-${i}`,
    brokers: broker.address,
    spoolFolder: join(folder, "spool"),
    ackPath: join(folder, `acknowledged-${i}`),
    first: i * share,
    last: Math.min(DECISIONS, (i + 1) * share),
    perSecond: PER_SECOND,
  }),
);
const acknowledged = () =>
  producers.reduce((sum, { ackPath }) => {
    const file = statSync(ackPath, { throwIfNoEntry: false });
    return sum + Math.floor((file?.size ?? 0) / ACK_BYTES);
  }, 0);
const reached = async (part: number) => {
  while (acknowledged() < DECISIONS * part) await Bun.sleep(20);
};

const running = producers.map(spawnProducer);
const recorderPlaces = {
  ...{ port: engine.port, secretPath: engine.secretPath },
  ...{ brokers: broker.address, spoolFolder: join(folder, "spool") },
};
let recorder = spawnRecorder(recorderPlaces);

async function killProducer(i: number): Promise<void> {
  const [child, producer] = [running[i], producers[i]];
  if (!child || !producer) return;
  if (child.exitCode !== null) throw new Error(`producer-${i} ended with ${child.exitCode} before it was killed`);
  child.kill("SIGKILL");
  await child.exited;
  running[i] = spawnProducer(producer);
  say(`killed producer-${i}, and started it again; ${acknowledged()} acknowledged`);
}

async function trouble(): Promise<void> {
  await reached(0.2);
  await killProducer(0);
  await reached(0.35);
  recorder.kill("SIGKILL");
  await recorder.exited;
  recorder = spawnRecorder(recorderPlaces);
  say(`killed the recorder, and started it again; ${acknowledged()} acknowledged`);
  await reached(0.5);
  await broker.stop();
  const stoppedAt = performance.now();
  say(`stopped the broker; ${acknowledged()} acknowledged`);
  await Bun.sleep((OUTAGE_SECONDS * 1_000) / 2);
  await killProducer(1);
  await Bun.sleep(Math.max(0, OUTAGE_SECONDS * 1_000 - (performance.now() - stoppedAt)));
  await broker.start();
  say(
    `started the broker after ${((performance.now() - stoppedAt) / 1_000).toFixed(1)} s; ${acknowledged()} acknowledged`,
  );
  await killProducer(2);
  await reached(0.8);
  process.kill(engine.engine.pid, "SIGKILL");
  await engine.engine.died;
  await engine.restart();
  say(`killed ClickHouse, and started it again; ${acknowledged()} acknowledged`);
  await reached(0.9);
  await killProducer(3);
}

type Totals = { rows: string; ids: string; sum: string };
const totals = async (): Promise<Totals> => {
  const [row] = await store.query<Totals>(
    `SELECT count() AS rows, uniqExact(decision_id) AS ids, sum(net_lamports) AS sum FROM sandpiper.arb_opportunities`,
  );
  return row as Totals;
};

/** Waits until all rows are there, or none came for too long. */
async function settled(): Promise<Totals> {
  let [seen, movedAt] = [await totals(), performance.now()];
  for (;;) {
    const now = await totals();
    if (now.rows !== seen.rows || now.ids !== seen.ids) [seen, movedAt] = [now, performance.now()];
    if (Number(seen.ids) >= DECISIONS || performance.now() - movedAt > STALL_MS_MAX) return seen;
    await Bun.sleep(LOOK_MS);
  }
}

async function report(): Promise<boolean> {
  const ids = producers.flatMap(({ ackPath }) => [...new Uint32Array(readFileSync(ackPath).buffer.slice(0))]);
  const sum = ids.reduce((total, id) => total + BigInt(id), 0n);
  const found = await totals();
  await store.command("CREATE TABLE sandpiper.acknowledged (id UInt32) ENGINE = MergeTree ORDER BY id");
  await engine.store.insertBytes(
    "INSERT INTO sandpiper.acknowledged FORMAT RowBinary",
    new Uint8Array(new Uint32Array(ids).buffer),
  );
  const [missing] = await store.query<{ n: string }>(
    `SELECT count() AS n FROM sandpiper.acknowledged WHERE id NOT IN (SELECT toUInt32(net_lamports) FROM sandpiper.arb_opportunities)`,
  );
  const [disorder] = await store.query<{ n: string; keys: string }>(
    `SELECT countIf(sequence < before) AS n, uniqExact(agent) AS keys FROM (
       SELECT agent, sequence, lagInFrame(sequence) OVER (PARTITION BY agent ORDER BY bus_offset) AS before
       FROM sandpiper.arb_opportunities)`,
  );
  const [stored] = await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.arb_opportunities");
  const [letters] = await store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.dead_letter");
  const checks: [string, string, string][] = [
    ["acknowledged decisions", String(DECISIONS), String(new Set(ids).size)],
    ["rows", String(DECISIONS), found.rows],
    ["different ids", String(DECISIONS), found.ids],
    ["sum of the numbers", String(sum), found.sum],
    ["acknowledged and not in the table", "0", String(missing?.n)],
    [`rows behind a later one of their key (${disorder?.keys} keys)`, "0", String(disorder?.n)],
    ["dead letters", "0", String(letters?.n)],
  ];
  const isRight = (check: (typeof checks)[number]) => check[1] === check[2];
  process.stdout.write(
    `\n${table(
      ["", "must be", "is", ""],
      checks.map((check) => [...check, isRight(check) ? "ok" : "WRONG"]),
    )}\n\nRows before replaced ones are left out: ${stored?.n}. ${machine()}\n`,
  );
  return checks.every(isRight);
}

let right = false;
try {
  await trouble();
  const exits = await Promise.all(running.map((child) => child.exited));
  say(`all producers done: exit codes ${exits.join(", ")}; ${acknowledged()} acknowledged`);
  const { ids } = await settled();
  say(`${ids} different decisions in the table`);
  right = (await report()) && exits.every((code) => code === 0);
} finally {
  for (const child of [...running, recorder]) child.kill("SIGKILL");
  await store.close();
  await engine.close();
  await broker.discard();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(right ? 0 : 1);
