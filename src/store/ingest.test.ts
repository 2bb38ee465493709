/** From the bus into the tables with the real engine: equal in every field, and exactly once whatever is killed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { create, type DescField, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@clickhouse/client";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { readJsonFile } from "#core/atomic-file.ts";
import { arbEnvelope, encodeEnvelope, metricsEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import { CommandSchema } from "#wire/gen/control_pb.js";
import { TrainAckSchema, TrainRequestSchema } from "#wire/gen/jobs_pb.js";
import { EnvelopeSchema } from "#wire/gen/realtime_pb.js";
import type { Topic } from "#wire/topics.ts";
import { startIngest } from "./ingest.ts";
import { migrate } from "./migrate.ts";
import { ROUTES } from "./routes.ts";
import { startTestEngine, type TestEngine, testLog, until } from "./test-engine.ts";
import { TopicRecorder } from "./topic-recorder.ts";

const ROOT = join(import.meta.dir, "..", "..");
let engine: TestEngine;
let bus: Bus;

beforeAll(async () => {
  engine = await startTestEngine();
  await migrate(engine.store);
  bus = openEmbeddedBus({ path: busPath(), lingerMs: 1, retainMiB: 256, log: testLog });
}, 60_000);
afterAll(async () => {
  await bus.close();
  await engine.close();
});

const busPath = () => join(engine.folder, "bus.sqlite");
const rowsOf = (table: string) => async () =>
  (await engine.store.query<Record<string, unknown>>(`SELECT * FROM sandpiper.${table} ORDER BY bus_offset`)) ?? [];

/** Runs the pump for as long as `body` lasts. */
async function whileIngesting<T>(body: () => Promise<T>): Promise<T> {
  const ingest = startIngest({ bus, store: engine.store, log: testLog });
  try {
    return await body();
  } finally {
    await ingest.stop();
  }
}

/** A time in this century, so that `at` can hold it to the microsecond. */
const NOW_NS = 1_795_408_391_559_123_000n;

/** A value of the field's type that differs from its default and from those of its neighbours. */
function filledValue(field: DescField): unknown {
  const scalar = (seed: number): unknown => {
    if (field.fieldKind === "enum" || field.enum) return 1;
    switch (field.scalar) {
      case 1:
        return seed / 7; // double
      case 2:
        return seed / 8; // float, exact in 32 bits
      case 4:
        return field.name.endsWith("_ns") ? NOW_NS + BigInt(seed) * 1_000n : 2n ** 63n + BigInt(seed); // uint64
      case 18:
        return -(2n ** 62n) - BigInt(seed); // sint64
      case 8:
        return true; // bool
      case 12:
        return new Uint8Array([seed, 0, 255, 128]); // bytes
      case 13:
        return 4_000_000_000 + seed; // uint32
      default:
        return `${field.name} ${seed} "ü\n\0€`; // string
    }
  };
  // Lists of one message differ in length: ClickHouse must not take them for one table of equal columns.
  if (field.fieldKind === "list")
    return Array.from({ length: 1 + (field.number % 4) }, (_, i) => scalar(field.number + i));
  if (field.fieldKind === "map") return { a: "1", "b ": "ü" };
  if (field.fieldKind === "message") return filled(field.message);
  return scalar(field.number);
}

function filled<D extends DescMessage>(schema: D): MessageInitShape<D> {
  const fields = schema.fields.map((field) => [field.localName, filledValue(field)]);
  return { ...Object.fromEntries(fields), $typeName: schema.typeName };
}

/** The columns that a message must give, by the names of its fields, as JSON holds them. */
function columnsOf(schema: DescMessage, value: Record<string, unknown>): Record<string, unknown> {
  const columns: Record<string, unknown> = {};
  const json = (one: unknown): unknown => {
    if (typeof one === "bigint") return one.toString();
    if (Array.isArray(one)) return one.map(json);
    return one;
  };
  for (const field of schema.fields) {
    const part = value[field.localName];
    if (field.fieldKind === "message") {
      for (const [name, inner] of Object.entries(columnsOf(field.message, part as Record<string, unknown>)))
        columns[`${field.name}_${name}`] = inner;
    } else if (field.enum) columns[field.name] = field.enum.value[part as number]?.name;
    else if (part instanceof Uint8Array) columns[field.name] = part.toHex();
    else columns[field.name] = json(part);
  }
  return columns;
}

const PAYLOADS = [
  ["arb", "arbitrage-decisions-proto", "arb_opportunities"],
  ["mev", "sandwich-decisions-proto", "mev_opportunities"],
  ["outcome", "bundle-outcomes-proto", "bundle_outcomes_typed"],
  ["metrics", "metrics-proto", "metrics"],
  ["training", "metrics-proto", "training_progress"],
  ["dataset", "metrics-proto", "datasets"],
] as const;

test.each(PAYLOADS)("an envelope %s with every field set comes out of the tables equal", async (name, topic, table) => {
  const field = EnvelopeSchema.fields.find((one) => one.name === name);
  const schema = field?.message as DescMessage;
  const value = filled(schema) as Record<string, unknown>;
  const type = PAYLOADS.findIndex(([payload]) => payload === name) + 1;
  const envelope = create(EnvelopeSchema, {
    schemaVersion: "rt-v1",
    type,
    payload: { case: name, value } as never,
  });
  const offset = await bus.publish(topic, "k", toBinary(EnvelopeSchema, envelope));
  const [row] = await whileIngesting(() => until(rowsOf(table), (rows) => rows.length > 0));
  expect(row).toMatchObject({ ...columnsOf(schema, value), bus_offset: String(offset) });
  expect(String(row?.["at"])).toMatch(/^2026-11-23 04:33:11\.559/);
});

test("commands and training jobs come out of the tables equal, read with the plain client", async () => {
  const messages = [
    [
      "control-commands-proto",
      CommandSchema,
      "SELECT * REPLACE (lower(hex(sig)) AS sig) FROM sandpiper.control_ledger",
    ],
    ["train-requests-proto", TrainRequestSchema, "SELECT * FROM sandpiper.train_jobs"],
    ["train-acks-proto", TrainAckSchema, "SELECT * FROM sandpiper.train_job_states"],
  ] as const;
  const secret = readJsonFile(engine.secretPath) as { app: string };
  const client = createClient({
    url: `http://127.0.0.1:${engine.port}`,
    username: "app",
    password: secret.app,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  });
  const rows = async (sql: string) =>
    (await client.query({ query: sql, format: "JSONEachRow" })).json<Record<string, unknown>>();
  await whileIngesting(async () => {
    for (const [topic, schema, sql] of messages) {
      const value = filled(schema) as Record<string, unknown>;
      if (schema === CommandSchema) value["ts"] = NOW_NS / 1_000_000_000n;
      await bus.publish(topic, "k", toBinary(schema as DescMessage, create(schema as DescMessage, value)));
      const [row] = await until(
        () => rows(sql),
        (found) => found.length > 0,
      );
      expect(row).toMatchObject(columnsOf(schema, value));
    }
  });
  await client.close();
});

const arb = (i: number) =>
  encodeEnvelope(arbEnvelope({ decisionId: `d${i}`, netLamports: BigInt(i), decideNs: NOW_NS + BigInt(i) * 1_000n }));
const totals = (prefix: string) => async () => {
  const [row] = await engine.store.query<{ rows: string; ids: string; sum: string }>(
    `SELECT count() AS rows, uniqExact(decision_id) AS ids, sum(net_lamports) AS sum
     FROM sandpiper.arb_opportunities WHERE startsWith(decision_id, {prefix:String})`,
    { prefix },
  );
  return { rows: Number(row?.rows), ids: Number(row?.ids), sum: Number(row?.sum) };
};

const letters = () =>
  engine.store.query<{ topic: string; bus_offset: string; error: string; raw: string }>(
    "SELECT topic, bus_offset, error, hex(raw) AS raw FROM sandpiper.dead_letter",
  );

test("messages that cannot be recorded are buried with their reason, and the good ones around them recorded", async () => {
  const poison: [Topic, Uint8Array, RegExp][] = [
    ["arbitrage-decisions-proto", new TextEncoder().encode("not a message"), /valid protobuf/],
    [
      "arbitrage-decisions-proto",
      encodeEnvelope(outcomeEnvelope({ bundleId: "elsewhere" })),
      /a payload of arb, was outcome/,
    ],
    ["arbitrage-decisions-proto", encodeEnvelope({ ...arbEnvelope({}), schemaVersion: "rt-v9" }), /schema rt-v1/],
    ["arbitrage-decisions-proto", encodeEnvelope({ ...arbEnvelope({}), type: 2 }), /type 1 for the payload arb/],
    ["train-acks-proto", new Uint8Array([0x0a, 0xff, 0xff, 0xff]), /valid protobuf of TrainAck/],
    // Protobuf for us, whose enums are open, and not for ClickHouse: found by halving the batch.
    ["control-commands-proto", new Uint8Array([0x10, 99, 0x2a, 1, 0x72]), /Cannot run a statement/],
  ];
  const published: Promise<number>[] = [];
  for (let i = 0; i < 200; i++) published.push(bus.publish("arbitrage-decisions-proto", "k", arb(1_000_000 + i)));
  const buried = poison.map(([topic, bytes]) => bus.publish(topic, "k", bytes));
  for (let i = 200; i < 400; i++) published.push(bus.publish("arbitrage-decisions-proto", "k", arb(1_000_000 + i)));
  const ack = create(TrainAckSchema, { jobId: "after poison" });
  await bus.publish("train-acks-proto", "k", toBinary(TrainAckSchema, ack));
  const offsets = await Promise.all(buried);
  await whileIngesting(async () => {
    await until(totals("d1000"), ({ rows }) => rows >= 400);
    await until(rowsOf("train_job_states"), (rows) => rows.some((row) => row["job_id"] === "after poison"));
    await until(letters, (found) => found.length >= poison.length);
  });
  expect(await totals("d1000")()).toMatchObject({ rows: 400, ids: 400 });
  const found = await letters();
  expect(found.length).toBe(poison.length);
  poison.forEach(([topic, bytes, reason], i) => {
    const letter = found.find((one) => one.topic === topic && one.bus_offset === String(offsets[i]));
    expect(letter?.raw).toBe(bytes.toHex().toUpperCase());
    expect(letter?.error).toMatch(reason);
  });
});

test("a flood of poison among good messages is buried whole, in batches, and the good ones are numbered right", async () => {
  const count = 3_000;
  const good: Promise<number>[] = [];
  const poison: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    good.push(bus.publish("arbitrage-decisions-proto", "k", arb(4_000_000 + i)));
    // Not one for one: gaps of several lengths.
    for (let j = 0; j <= i % 3; j++)
      poison.push(bus.publish("arbitrage-decisions-proto", "k", new TextEncoder().encode(`flood ${i} ${j}`)));
  }
  const [goodOffsets, poisonOffsets] = [await Promise.all(good), await Promise.all(poison)];
  let inserts = 0;
  const counted = {
    ...engine.store,
    insertBytes: (...args: Parameters<typeof engine.store.insertBytes>) => {
      inserts++;
      return engine.store.insertBytes(...args);
    },
  };
  const route = ROUTES.find(({ topic }) => topic === "arbitrage-decisions-proto");
  if (!route) throw new Error("no route for arbitrage-decisions-proto");
  const recorder = new TopicRecorder(bus, counted, route);
  while ((await recorder.step()) > 0);
  expect(recorder).toMatchObject({ recorded: count, deadLetters: poison.length });
  // 9,000 messages in batches of 5,000 at most, two inserts each.
  expect(inserts).toBeLessThanOrEqual(6);
  const rows = await engine.store.query<{ bus_offset: string }>(
    "SELECT bus_offset FROM sandpiper.arb_opportunities WHERE startsWith(decision_id, 'd4') ORDER BY net_lamports",
  );
  expect(rows.map(({ bus_offset }) => Number(bus_offset))).toEqual(goodOffsets);
  const buried = await engine.store.query<{ bus_offset: string; raw: string }>(
    "SELECT bus_offset, raw FROM sandpiper.dead_letter WHERE startsWith(raw, 'flood') ORDER BY bus_offset",
  );
  expect(buried.map(({ bus_offset }) => Number(bus_offset))).toEqual(poisonOffsets);
  expect(buried[0]?.raw).toBe("flood 0 0");
}, 60_000);

test("a batch that was inserted but never committed is not doubled by the next recorder, nor is one half there", async () => {
  const route = ROUTES.find((one) => one.topic === "metrics-proto");
  if (!route) throw new Error("no route for metrics-proto");
  const metrics = (i: number) =>
    encodeEnvelope(metricsEnvelope({ agent: "twice", atNs: NOW_NS + BigInt(i) * 86_400_000_000_000n, events: 1n }));
  await Promise.all(Array.from({ length: 10 }, (_, i) => bus.publish("metrics-proto", "k", metrics(i))));
  const dying: Bus = {
    ...bus,
    consumer: (options) => {
      const consumer = bus.consumer(options);
      consumer.commit = () => Promise.reject(new Error("killed before the commit"));
      return consumer;
    },
  };
  const first = new TopicRecorder(dying, engine.store, route);
  await expect(first.step()).rejects.toThrow("killed before the commit");
  const count = async () =>
    (await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.metrics WHERE agent = 'twice'"))[0]?.n;
  await until(count, (n) => n === "10");
  // One day of the batch is lost with its part, as after a kill between ClickHouse's token and its rows.
  await engine.store.command("ALTER TABLE sandpiper.metrics DROP PARTITION 20261125");
  expect(await count()).toBe("9");
  await bus.publish("metrics-proto", "k", metrics(11));
  await whileIngesting(() => until(count, (n) => Number(n) >= 11));
  expect(await count()).toBe("11");
});

test("a topic whose table is away waits for it and holds up no other", async () => {
  const ack = create(TrainAckSchema, { jobId: "waits" });
  const acks = async () => (await rowsOf("train_job_states")()).filter((row) => row["job_id"] === "waits").length;
  await engine.store.command("DETACH TABLE sandpiper.ingest_train_acks");
  await whileIngesting(async () => {
    await bus.publish("train-acks-proto", "k", toBinary(TrainAckSchema, ack));
    for (let i = 0; i < 5; i++) {
      await bus.publish("arbitrage-decisions-proto", "k", arb(3_000_000 + i));
      await until(totals("d3"), ({ rows }) => rows === i + 1);
    }
    expect(await acks()).toBe(0);
    await engine.store.command("ATTACH TABLE sandpiper.ingest_train_acks");
    await until(acks, (count) => count === 1);
  });
});

/** Runs the pump in a process of its own until it is killed. */
const RECORDER = `
  import { openEmbeddedBus } from "#bus/embedded.ts";
  import { connectStore } from "#store/client.ts";
  import { startIngest } from "#store/ingest.ts";
  const [path, port, secretPath] = process.argv.slice(-3);
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: console.error };
  const bus = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 256, log });
  startIngest({ bus, store: connectStore({ port: Number(port), secretPath }), log });
`;

test("counts and sums are exact after kill -9 of recorder and ClickHouse in the middle of the stream", async () => {
  const spawnRecorder = () =>
    Bun.spawn([process.execPath, "-e", RECORDER, busPath(), String(engine.port), engine.secretPath], {
      cwd: ROOT,
      stdout: "inherit",
      stderr: "inherit",
    });
  let recorder = spawnRecorder();
  let published = 0;
  const publishMore = async (count: number) => {
    const before = published;
    published += count;
    for (let i = before; i < published; i += 25)
      await Promise.all(
        Array.from({ length: Math.min(25, published - i) }, (_, j) =>
          bus.publish("arbitrage-decisions-proto", "k", arb(2_000_000 + i + j)),
        ),
      );
  };
  for (let round = 0; round < 6; round++) {
    const publishing = publishMore(500);
    const goal = round * 500 + 100;
    await until(totals("d2"), ({ rows }) => rows >= goal);
    if (round % 2 === 0) {
      recorder.kill("SIGKILL");
      await recorder.exited;
      recorder = spawnRecorder();
    } else {
      process.kill(engine.engine.pid, "SIGKILL");
      await engine.engine.died;
      await engine.restart();
    }
    await publishing;
  }
  const sum = Array.from({ length: published }, (_, i) => 2_000_000 + i).reduce((left, right) => left + right, 0);
  expect(await until(totals("d2"), ({ rows }) => rows >= published)).toEqual({ rows: published, ids: published, sum });
  recorder.kill("SIGTERM");
  await recorder.exited;
  expect(await totals("d2")()).toEqual({ rows: published, ids: published, sum });
}, 40_000);
