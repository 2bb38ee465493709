/**
 * The recorder between a real Kafka broker and the real engine: what is said twice or delivered again is one row, poison
 * is buried while the rest goes on, and the tables hold what the embedded bus would have put into them.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import { connectStore, type Store } from "#store/client.ts";
import { startIngest } from "#store/ingest.ts";
import { KAFKA_HISTORY, KAFKA_MIGRATIONS } from "#store/kafka-tables.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine, type TestEngine, until } from "#store/test-engine.ts";
import { arbEnvelope, encodeEnvelope, metricsEnvelope } from "#wire/envelope.ts";
import { CommandSchema } from "#wire/gen/control_pb.js";
import { TrainAckSchema, TrainRequestSchema } from "#wire/gen/jobs_pb.js";
import { EnvelopeSchema } from "#wire/gen/realtime_pb.js";
import type { Topic } from "#wire/topics.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";
import { SeededEnvelopes } from "./support/seeded-envelopes.ts";

const START_MS_MAX = 120_000;
const TEST_MS_MAX = 180_000;
const NOW_MS = 1_795_408_391_559;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const log = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-recorder-"));

let broker: KafkaBroker;
let engine: TestEngine;
let store: Store;

function openKafka(owner: string): Bus {
  const kafka = { brokers: broker.address, clientId: "test" };
  return openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB: 64, owner, log });
}

/** Runs the pump for as long as `body` lasts. */
async function whileIngesting<T>(bus: Bus, into: Store, body: () => Promise<T>): Promise<T> {
  const ingest = startIngest({ bus, store: into, log });
  try {
    return await body();
  } finally {
    await ingest.stop();
  }
}

const arb = (id: number) =>
  encodeEnvelope(
    arbEnvelope({ decisionId: `d${id}`, netLamports: BigInt(id), decideNs: NOW_NS + BigInt(id) * 1_000n }),
  );
const metrics = (i: number) =>
  encodeEnvelope(metricsEnvelope({ agent: "mev", atNs: NOW_NS + BigInt(i) * 1_000n, events: BigInt(i) }));
const command = (i: number) =>
  toBinary(CommandSchema, create(CommandSchema, { ts: 1_795_408_391n, requestId: `r${i}`, issuer: "ann" }));
const request = (i: number) => toBinary(TrainRequestSchema, create(TrainRequestSchema, { jobId: `j${i}` }));
const ack = (i: number, state: string) => toBinary(TrainAckSchema, create(TrainAckSchema, { jobId: `j${i}`, state }));

const countOf = async (from: Store, table: string) =>
  Number((await from.query<{ n: string }>(`SELECT count() AS n FROM sandpiper.${table}`))[0]?.n);
type Totals = { rows: string; ids: string; sum: string };
const totals = async (prefix: string): Promise<Totals> => {
  const [row] = await store.query<Totals>(
    `SELECT count() AS rows, uniqExact(decision_id) AS ids, sum(net_lamports) AS sum
     FROM sandpiper.arb_opportunities WHERE startsWith(decision_id, {prefix:String})`,
    { prefix },
  );
  return row as Totals;
};
const sumOf = (from: number, to: number) => String(((from + to - 1) * (to - from)) / 2);

/** What the same seed says, in the order in which a run would say it: topic, key, message. */
function* seededRun(): Generator<[topic: Topic, key: string, value: Uint8Array]> {
  const seeded = new SeededEnvelopes("both engines");
  for (let i = 0; i < 2_000; i++) {
    const atMs = NOW_MS + i * 37;
    const { decision, outcome } = seeded.next(atMs);
    yield ["arbitrage-decisions-proto", `pair-${i % 17}`, encodeEnvelope(decision)];
    if (outcome) yield ["bundle-outcomes-proto", `bundle-${i}`, encodeEnvelope(outcome)];
    if (i % 25 === 0) yield ["metrics-proto", "arbitrage", encodeEnvelope(seeded.metrics(atMs))];
    if (i % 50 === 0) {
      const mev = {
        decisionId: `m${i}`,
        attacker: `a${i % 3}`,
        netLamports: BigInt(i),
        decideNs: BigInt(atMs) * 1_000_000n,
      };
      const envelope = create(EnvelopeSchema, {
        schemaVersion: "rt-v1",
        type: 2,
        payload: { case: "mev", value: mev } as never,
      });
      yield ["sandwich-decisions-proto", mev.attacker, toBinary(EnvelopeSchema, envelope)];
      yield ["control-commands-proto", "ARBITRAGE", command(2_000 + i)];
      yield ["train-requests-proto", `j${2_000 + i}`, request(2_000 + i)];
      yield ["train-acks-proto", `j${2_000 + i}`, ack(2_000 + i, "done")];
      yield ["arbitrage-decisions-proto", "pair-0", new TextEncoder().encode(`${UNREADABLE} ${i}`)];
    }
  }
}

const UNREADABLE = "unreadable";
const isUnreadable = (value: Uint8Array) => value[0] === UNREADABLE.charCodeAt(0);

const TOPIC_OF = {
  arb_opportunities: "arbitrage-decisions-proto",
  bundle_outcomes_typed: "bundle-outcomes-proto",
  mev_opportunities: "sandwich-decisions-proto",
  metrics: "metrics-proto",
  control_ledger: "control-commands-proto",
  train_jobs: "train-requests-proto",
  train_job_states: "train-acks-proto",
} as const satisfies Readonly<Record<string, Topic>>;

/** Everything but the place on the bus and the time of arrival, which jobs have for their time. */
const CONTENTS: Readonly<Record<string, string>> = {
  arb_opportunities: "* EXCEPT (bus_offset, inserted_at)",
  bundle_outcomes_typed: "* EXCEPT (bus_offset, inserted_at)",
  mev_opportunities: "* EXCEPT (bus_offset, inserted_at)",
  metrics: "* EXCEPT (bus_offset, inserted_at)",
  control_ledger: "* EXCEPT (bus_offset, inserted_at)",
  train_jobs: "* EXCEPT (at, bus_offset, inserted_at)",
  train_job_states: "* EXCEPT (at, bus_offset, inserted_at)",
  dead_letter: "topic, error, raw",
  profit_per_hour: "*",
  landed_share: "*",
  slot_delta_and_tip: "*",
};

async function contentsOf(from: Store): Promise<Record<string, unknown[]>> {
  const contents: Record<string, unknown[]> = {};
  for (const [table, columns] of Object.entries(CONTENTS))
    contents[table] = await from.query(
      `SELECT * FROM (SELECT ${columns} FROM sandpiper.${table}) ORDER BY toString(tuple(*))`,
    );
  return contents;
}

describe.skipIf(!kafkaAvailable())("the recorder on Kafka", () => {
  beforeAll(async () => {
    broker = await startKafkaBroker();
    await applyTopics({ brokers: broker.address, clientId: "test" }, 1, log);
    engine = await startTestEngine();
    await migrate(engine.store);
    await migrate(engine.store, KAFKA_MIGRATIONS, KAFKA_HISTORY);
    store = connectStore({ port: engine.port, secretPath: engine.secretPath, final: true });
  }, START_MS_MAX);

  afterAll(async () => {
    await store?.close();
    await engine?.close();
    await broker?.discard();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS_MAX);

  test(
    "the same seeded run over the embedded bus and over Kafka gives the same tables and views",
    async () => {
      const said = [...seededRun()];
      /** Waits for as many rows as were said, and answers all of them. */
      const recorded = async (bus: Bus, into: Store) => {
        await Promise.all(said.map(([topic, key, value]) => bus.publish(topic, key, value)));
        return await whileIngesting(bus, into, async () => {
          for (const [table, topic] of Object.entries(TOPIC_OF))
            await until(
              () => countOf(into, table),
              (count) => count >= said.filter(([one, , value]) => one === topic && !isUnreadable(value)).length,
              90_000,
            );
          const poison = said.filter(([, , value]) => isUnreadable(value)).length;
          await until(
            () => countOf(into, "dead_letter"),
            (count) => count >= poison,
          );
          return await contentsOf(into);
        });
      };
      const onKafka = openKafka("seeded");
      const kafka = await recorded(onKafka, store);
      await onKafka.close();

      const own = await startTestEngine();
      await migrate(own.store);
      const path = join(own.folder, "bus.sqlite");
      const inFile = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 256, log });
      try {
        const embedded = await recorded(inFile, own.store);
        for (const [table, rows] of Object.entries(embedded)) {
          expect(rows.length).toBeGreaterThan(0);
          expect({ table, rows: kafka[table] }).toEqual({ table, rows });
        }
      } finally {
        await inFile.close();
        await own.close();
      }
    },
    TEST_MS_MAX,
  );

  test(
    "a message said twice, and a batch that was inserted and not committed, are one row each, and none is missed",
    async () => {
      const bus = openKafka("twice");
      const tables = ["metrics", "control_ledger", "train_jobs", "train_job_states"];
      const before = await Promise.all(tables.map((table) => countOf(store, table)));
      const sayAll = async () => {
        const said: Promise<number>[] = [];
        for (let i = 0; i < 1_000; i++) said.push(bus.publish("arbitrage-decisions-proto", `k${i % 9}`, arb(i)));
        for (let i = 0; i < 50; i++) {
          said.push(bus.publish("metrics-proto", "mev", metrics(i)));
          said.push(bus.publish("control-commands-proto", "ARBITRAGE", command(i)));
          said.push(bus.publish("train-requests-proto", `j${i}`, request(i)));
          said.push(bus.publish("train-acks-proto", `j${i}`, ack(i, "running")));
          said.push(bus.publish("train-acks-proto", `j${i}`, ack(i, "done")));
        }
        await Promise.all(said);
      };
      await sayAll();
      // Its inserts arrive and its commits do not, as of a recorder that is killed in between.
      let refused = 0;
      const dying: Bus = {
        ...bus,
        consumer: (options) => {
          const consumer = bus.consumer(options);
          consumer.commit = async () => {
            refused++;
            throw new Error("killed before the commit");
          };
          return consumer;
        },
      };
      const rows = async () => ({
        decisions: await totals("d"),
        added: await Promise.all(tables.map(async (table, i) => (await countOf(store, table)) - (before[i] ?? 0))),
      });
      const all = {
        decisions: { rows: "1000", ids: "1000", sum: sumOf(0, 1_000) },
        added: [50, 50, 50, 100],
      };
      await whileIngesting(dying, store, async () => {
        expect(await until(rows, (seen) => Bun.deepEquals(seen, all), 90_000)).toEqual(all);
        await until(
          async () => refused,
          (count) => count >= 10,
        );
      });
      await bus.close();
      // The heir gets all of it again, and a producer that heard no answer says all of it again.
      const heir = openKafka("heir");
      const again = openKafka("twice");
      for (let i = 0; i < 1_000; i++) void again.publish("arbitrage-decisions-proto", `k${i % 9}`, arb(i));
      for (let i = 0; i < 50; i++) {
        void again.publish("control-commands-proto", "ARBITRAGE", command(i));
        void again.publish("train-acks-proto", `j${i}`, ack(i, "done"));
      }
      await again.publish("train-acks-proto", "last", ack(1_000, "done"));
      await again.publish("control-commands-proto", "ARBITRAGE", command(1_000));
      for (let i = 1_000; i < 1_040; i++) await again.publish("arbitrage-decisions-proto", `k${i % 9}`, arb(i));
      const grown = {
        decisions: { rows: "1040", ids: "1040", sum: sumOf(0, 1_040) },
        added: [50, 51, 50, 101],
      };
      await whileIngesting(heir, store, async () => {
        expect(await until(rows, (seen) => Bun.deepEquals(seen, grown), 90_000)).toEqual(grown);
        await until(
          async () => heir.groupLags().filter(({ group }) => group === "clickhouse"),
          (lags) => lags.length >= 5 && lags.every(({ messages }) => messages === 0),
          60_000,
        );
      });
      expect(await rows()).toEqual(grown);
      // Otherwise nothing came twice, and this test would prove nothing.
      const [stored] = await engine.store.query<{ n: string }>(
        "SELECT count() + (SELECT sum(rows) FROM system.parts WHERE table = 'arb_opportunities' AND NOT active) AS n FROM sandpiper.arb_opportunities",
      );
      expect(Number(stored?.n)).toBeGreaterThan(1_040);
      await again.close();
      await heir.close();
    },
    TEST_MS_MAX,
  );

  test(
    "a thousand poisoned messages among a thousand good ones are buried, and all the good ones arrive",
    async () => {
      const topic = "arbitrage-decisions-proto";
      const bus = openKafka("poison");
      const count = 1_000;
      const said: Promise<number>[] = [];
      for (let i = 0; i < count; i++) {
        said.push(bus.publish(topic, `k${i % 9}`, arb(2_000_000 + i)));
        said.push(bus.publish(topic, `k${i % 9}`, new TextEncoder().encode(`poison ${i}`)));
      }
      await Promise.all(said);
      const letters = () =>
        store.query<{ topic: string; bus_offset: string; error: string; raw: string }>(
          "SELECT topic, bus_offset, error, raw FROM sandpiper.dead_letter WHERE startsWith(raw, 'poison')",
        );
      const buried = await whileIngesting(bus, store, async () => {
        await until(
          () => totals("d2000"),
          ({ rows }) => Number(rows) >= count,
          90_000,
        );
        return await until(letters, (rows) => rows.length >= count);
      });
      expect(await totals("d2000")).toEqual({
        rows: String(count),
        ids: String(count),
        sum: sumOf(2_000_000, 2_000_000 + count),
      });
      expect(buried.map(({ raw }) => raw).sort()).toEqual(
        Array.from({ length: count }, (_, i) => `poison ${i}`).sort(),
      );
      expect(buried.every((letter) => letter.topic === topic && /valid protobuf/.test(letter.error))).toBe(true);
      expect(new Set(buried.map(({ bus_offset }) => bus_offset)).size).toBe(count);
      await bus.close();
    },
    TEST_MS_MAX,
  );
});
