/**
 * ClickHouse's own Kafka consumers against a real broker: every message once, whatever is delivered again, and what
 * cannot be recorded is in the dead-letter table while the rest goes on.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { create, toBinary } from "@bufbuild/protobuf";
import kafkajs, { type Kafka, type Producer } from "kafkajs";
import { connectStore, type Store } from "#store/client.ts";
import { ensureKafkaTables, KAFKA_HISTORY, KAFKA_MIGRATIONS, kafkaTablesGroup } from "#store/kafka-tables.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine, type TestEngine, until } from "#store/test-engine.ts";
import { arbEnvelope, encodeEnvelope, metricsEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import { CommandSchema } from "#wire/gen/control_pb.js";
import { TrainAckSchema, TrainRequestSchema } from "#wire/gen/jobs_pb.js";
import { TOPICS, type Topic } from "#wire/topics.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";

const NOW_NS = 1_795_408_391_559_123_000n;
const PARTITIONS = 2;

let broker: KafkaBroker;
let engine: TestEngine;
let store: Store;
let kafka: Kafka;
let producer: Producer;
beforeAll(async () => {
  if (!kafkaAvailable()) return;
  broker = await startKafkaBroker();
  engine = await startTestEngine();
  store = connectStore({ port: engine.port, secretPath: engine.secretPath, final: true });
  kafka = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: TOPICS.map((topic) => ({ topic, numPartitions: PARTITIONS })) });
  await admin.disconnect();
  producer = kafka.producer();
  await producer.connect();
  await migrate(engine.store);
  await migrate(engine.store, KAFKA_MIGRATIONS, KAFKA_HISTORY);
}, 120_000);
afterAll(async () => {
  await producer?.disconnect();
  await store?.close();
  await engine?.close();
  await broker?.discard();
}, 30_000);

type Sent = { readonly topic: Topic; readonly partition: number; readonly offset: string; readonly value: Uint8Array };

/** One by one into alternating partitions of a batch; answers where each went. */
async function send(topic: Topic, values: readonly Uint8Array[]): Promise<Sent[]> {
  const messages = values.map((value, i) => ({ value: Buffer.from(value), partition: i % PARTITIONS }));
  const answers = await producer.send({ topic, acks: -1, messages });
  const next = new Map(answers.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? "0")]));
  return messages.map(({ partition }, i) => {
    const offset = next.get(partition) ?? 0n;
    next.set(partition, offset + 1n);
    return { topic, partition, offset: offset.toString(), value: values[i] as Uint8Array };
  });
}

const arb = (id: number) =>
  encodeEnvelope(
    arbEnvelope({ decisionId: `d${id}`, netLamports: BigInt(id), decideNs: NOW_NS + BigInt(id) * 1_000n, slot: 9n }),
  );
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => arb(from + i));
const sumOf = (from: number, to: number) => String(((from + to - 1) * (to - from)) / 2);

const totals = async () => {
  const [row] = await store.query<{ rows: string; ids: string; sum: string }>(
    `SELECT count() AS rows, uniqExact(decision_id) AS ids, sum(net_lamports) AS sum FROM sandpiper.arb_opportunities`,
  );
  return row as { rows: string; ids: string; sum: string };
};
const letters = () =>
  store.query<{ topic: string; bus_partition: string; bus_offset: string; error: string; raw: string }>(
    `SELECT topic, bus_partition, bus_offset, error, hex(raw) AS raw FROM sandpiper.dead_letter ORDER BY topic, bus_partition, bus_offset`,
  );
const countOf = async (table: string) =>
  Number((await store.query<{ n: string }>(`SELECT count() AS n FROM sandpiper.${table}`))[0]?.n);

test.skipIf(!kafkaAvailable())(
  "ensureKafkaTables() makes the tables of every topic once, and anew when the brokers change",
  async () => {
    const options = { brokers: broker.address };
    expect(await ensureKafkaTables(store, { brokers: broker.address.replace("127.0.0.1", "localhost") })).toHaveLength(
      7,
    );
    expect(await ensureKafkaTables(store, options)).toHaveLength(7);
    expect(await ensureKafkaTables(store, options)).toEqual([]);
    await expect(ensureKafkaTables(store, { brokers: "a', kafka_schema = 'x" })).rejects.toThrow("host:port");
    await store.command("DROP TABLE sandpiper.pump_metrics SYNC");
    expect(await ensureKafkaTables(store, options)).toEqual(["metrics-proto"]);
  },
  60_000,
);

test.skipIf(!kafkaAvailable())(
  "messages of every topic come out of the typed tables, through the views of the embedded engine",
  async () => {
    await send("arbitrage-decisions-proto", range(0, 1_000));
    await send("bundle-outcomes-proto", [
      encodeEnvelope(outcomeEnvelope({ bundleId: "b1", landed: true, landNs: NOW_NS })),
    ]);
    await send("metrics-proto", [encodeEnvelope(metricsEnvelope({ agent: "mev", atNs: NOW_NS, events: 7n }))]);
    const command = create(CommandSchema, { ts: 1_795_408_391n, requestId: "r1", issuer: "ann", args: { kill: "1" } });
    await send("control-commands-proto", [toBinary(CommandSchema, command)]);
    const request = create(TrainRequestSchema, { jobId: "j1", features: { name: "f", include: ["a", "b"] } });
    await send("train-requests-proto", [toBinary(TrainRequestSchema, request)]);
    await send("train-acks-proto", [toBinary(TrainAckSchema, create(TrainAckSchema, { jobId: "j1", state: "done" }))]);
    await until(totals, ({ rows }) => rows === "1000", 60_000);
    expect(await totals()).toEqual({ rows: "1000", ids: "1000", sum: sumOf(0, 1_000) });
    for (const table of ["bundle_outcomes_typed", "metrics", "control_ledger", "train_jobs", "train_job_states"])
      await until(
        () => countOf(table),
        (count) => count === 1,
      );
    expect(await store.query("SELECT args, issuer FROM sandpiper.control_ledger")).toEqual([
      { args: { kill: "1" }, issuer: "ann" },
    ]);
    expect(await store.query("SELECT features_include FROM sandpiper.train_jobs")).toEqual([
      { features_include: ["a", "b"] },
    ]);
  },
  120_000,
);

test.skipIf(!kafkaAvailable())(
  "poison goes to dead_letter with its place, its error and its bytes, and all good messages arrive",
  async () => {
    const garbage: Uint8Array[] = Array.from({ length: 500 }, (_, i) => new TextEncoder().encode(`not a message ${i}`));
    const elsewhere = encodeEnvelope(outcomeEnvelope({ bundleId: "elsewhere" }));
    const future = encodeEnvelope({ ...arbEnvelope({ decisionId: "x" }), schemaVersion: "rt-v9" });
    const mixed = range(1_000, 1_500).flatMap((good, i) => [good, garbage[i] as Uint8Array]);
    const poison = (await send("arbitrage-decisions-proto", [...mixed, elsewhere, future])).filter(
      ({ value }) => value === elsewhere || value === future || garbage.includes(value),
    );
    await until(totals, ({ rows }) => rows === "1500", 60_000);
    const found = await until(letters, (rows) => rows.length >= poison.length);
    expect(found).toHaveLength(poison.length);
    for (const { partition, offset, value } of poison) {
      const letter = found.find((row) => row.bus_partition === String(partition) && row.bus_offset === offset);
      expect(letter?.topic).toBe("arbitrage-decisions-proto");
      if (value === elsewhere) expect(letter?.error).toBe("a payload of ARB, was OUTCOME");
      else if (value === future) expect(letter?.error).toBe("schema rt-v1, was rt-v9");
      else expect(letter?.raw).toBe(value.toHex().toUpperCase());
      expect(letter?.error).not.toBe("");
    }
    expect(await totals()).toEqual({ rows: "1500", ids: "1500", sum: sumOf(0, 1_500) });
  },
  120_000,
);

test.skipIf(!kafkaAvailable())(
  "nothing is doubled when everything is delivered again, or said again by a producer",
  async () => {
    const before = {
      letters: (await letters()).length,
      commands: await countOf("control_ledger"),
      jobs: await countOf("train_jobs"),
      states: await countOf("train_job_states"),
    };
    const topics: Topic[] = [
      "arbitrage-decisions-proto",
      "control-commands-proto",
      "train-requests-proto",
      "train-acks-proto",
    ];
    // The group goes back to the first offset of every topic, as if no commit had ever reached the broker.
    const pumps = ["arbitrage_decisions", "control_commands", "train_requests", "train_acks"];
    for (const name of pumps) await store.command(`DETACH TABLE sandpiper.kafka_${name} SYNC`);
    const admin = kafka.admin();
    await admin.connect();
    for (const topic of topics)
      await until(
        () =>
          admin.resetOffsets({ groupId: kafkaTablesGroup(topic), topic, earliest: true }).then(
            () => true,
            () => false,
          ),
        (done) => done,
        30_000,
      );
    await admin.disconnect();
    for (const name of pumps) await store.command(`ATTACH TABLE sandpiper.kafka_${name}`);
    // And a producer that did not hear its acknowledgement says the same again, at new offsets.
    await send("arbitrage-decisions-proto", range(500, 1_500));
    await send("train-acks-proto", [toBinary(TrainAckSchema, create(TrainAckSchema, { jobId: "j1", state: "done" }))]);
    // These come behind all of that in both partitions.
    await send("arbitrage-decisions-proto", range(1_500, 1_502));
    const ack = toBinary(TrainAckSchema, create(TrainAckSchema, { jobId: "j2", state: "done" }));
    await send("train-acks-proto", [ack, ack]);
    await until(totals, ({ rows }) => rows === "1502", 60_000);
    await until(
      () => countOf("train_job_states"),
      (count) => count === before.states + 1,
    );
    const stored = await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.arb_opportunities");
    // Otherwise nothing came twice, and this test would prove nothing.
    const again = await store.query<{ n: string }>(
      "SELECT sum(num_messages_read) AS n FROM system.kafka_consumers WHERE table = 'kafka_arbitrage_decisions'",
    );
    expect(Number(again[0]?.n)).toBeGreaterThan(3_000);
    expect(Number(stored[0]?.n)).toBeGreaterThanOrEqual(1_502);
    expect(await totals()).toEqual({ rows: "1502", ids: "1502", sum: sumOf(0, 1_502) });
    expect(await letters()).toHaveLength(before.letters);
    expect(await countOf("control_ledger")).toBe(before.commands);
    expect(await countOf("train_jobs")).toBe(before.jobs);
  },
  120_000,
);

test.skipIf(!kafkaAvailable())(
  "counts and sums are exact after ClickHouse is killed in the middle of the stream",
  async () => {
    const [from, to] = [10_000, 40_000];
    const sending = (async () => {
      for (let i = from; i < to; i += 1_000) await send("arbitrage-decisions-proto", range(i, i + 1_000));
    })();
    await until(totals, ({ rows }) => Number(rows) > 1_502 + 5_000, 60_000);
    process.kill(engine.engine.pid, "SIGKILL");
    await engine.engine.died;
    await engine.restart();
    await sending;
    const goal = 1_502 + to - from;
    const left = await until(totals, ({ ids }) => Number(ids) >= goal, 120_000);
    expect(left).toEqual({
      rows: String(goal),
      ids: String(goal),
      sum: String(BigInt(sumOf(0, 1_502)) + BigInt(sumOf(from, to))),
    });
  },
  240_000,
);
