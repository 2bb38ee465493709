/** The bus on a real broker: what bus.ts promises, with the broker up. Trouble is in kafka-outage.test.ts. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus, Consumer, Message } from "#bus/bus.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import { arbEnvelope, decodeEnvelope, encodeEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";
import { eventually } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const log = createLog({ process: "test", level: "error", format: "text" });
const START_MS_MAX = 90_000;
const TEST_MS_MAX = 60_000;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-bus-"));
const buses: Bus[] = [];
let broker: KafkaBroker;
let owners = 0;

function open(owner = `test-${++owners}`): Bus {
  const kafka = { brokers: broker.address, clientId: "test" };
  const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB: 16, owner, log });
  buses.push(bus);
  return bus;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = ({ value }: Message) => new TextDecoder().decode(value);

/** Polls until so many messages came, or none for a while. */
async function take(consumer: Consumer, count: number, fixed = false): Promise<Message[]> {
  const found: Message[] = [];
  const deadline = performance.now() + 20_000;
  while (found.length < count && performance.now() < deadline) {
    found.push(...(await (fixed ? consumer.pollFixed(count - found.length) : consumer.poll(count - found.length))));
    if (found.length < count) await consumer.wait(200);
  }
  return found;
}

describe.skipIf(!kafkaAvailable())("the bus on Kafka", () => {
  beforeAll(async () => {
    broker = await startKafkaBroker();
    await applyTopics({ brokers: broker.address, clientId: "test" }, 1, log);
  }, START_MS_MAX);

  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.close();
  });

  afterAll(async () => {
    await broker.discard();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS_MAX);

  test(
    "applyTopics() run again changes nothing, and sets back what was changed by hand",
    async () => {
      const options = { brokers: broker.address, clientId: "test" };
      const again = await applyTopics(options, 1, log);
      expect(again.map(({ done }) => done)).toEqual(again.map(() => "as it was"));
      expect(again.find(({ topic }) => topic === "bundle-outcomes-proto")).toMatchObject({
        partitions: 4,
        replicas: 1,
        minInsync: 1,
        retentionMs: 30 * 86_400_000,
      });
      const alter = ["--bootstrap-server", broker.address, "--alter", "--topic", "metrics-proto"];
      await broker.tool("kafka.admin.ConfigCommand", [...alter, "--add-config", "retention.ms=1000"]);
      const mended = await applyTopics(options, 1, log);
      expect(mended.filter(({ done }) => done === "set").map(({ topic }) => topic)).toEqual(["metrics-proto"]);
      expect(mended.find(({ topic }) => topic === "metrics-proto")?.retentionMs).toBe(3 * 86_400_000);
    },
    TEST_MS_MAX,
  );

  test(
    "publish() gives consecutive offsets of the partition, and a consumer of another bus gets every field",
    async () => {
      const bus = open();
      const values = [0, 1, 2].map((i) => encodeEnvelope(arbEnvelope({ decisionId: `d${i}`, netLamports: -1n })));
      const topic = "control-acks-proto";
      const beforeMs = Date.now();
      const offsets = await Promise.all(values.map((value) => bus.publish(topic, "schlüssel", value)));
      expect(offsets).toEqual([0, 1, 2].map((i) => (offsets[0] as number) + i));
      const consumer = open().consumer({ group: "fields", topics: [topic], start: "first" });
      const found = await take(consumer, 3);
      expect(found.map(({ key, offset }) => [key, offset])).toEqual(offsets.map((offset) => ["schlüssel", offset]));
      expect(found.map(({ value }) => decodeEnvelope(value))).toEqual(values.map(decodeEnvelope));
      expect(found[0]?.publishedMs).toBeWithin(beforeMs, Date.now() + 1);
      expect(await consumer.poll(10)).toEqual([]);
      expect(await consumer.wait(1)).toBe(false);
    },
    TEST_MS_MAX,
  );

  test(
    "publish() of many keys over several partitions loses nothing, doubles nothing and keeps the order per key",
    async () => {
      const topic = "arbitrage-decisions-proto";
      const bus = open();
      const count = 20_000;
      const keyOf = (i: number) => `pool-${i % 37}`;
      const offsets = await Promise.all(
        Array.from({ length: count }, (_, i) => bus.publish(topic, keyOf(i), bytesOf(String(i)))),
      );
      expect(new Set(offsets).size).toBe(count);
      expect(bus.stats()).toMatchObject({ published: count, refused: 0, failed: 0, spooled: 0, dropped: 0 });
      const found = await take(open().consumer({ group: "many", topics: [topic], start: "first" }), count);
      const perKey = Map.groupBy(found, ({ key }) => key);
      for (const [key, messages] of perKey) {
        const numbers = messages.map((message) => Number(textOf(message)));
        expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right));
        expect(numbers.every((i) => keyOf(i) === key)).toBe(true);
      }
      expect(found.length).toBe(count);
      expect(found.map(({ offset }) => offset).sort((l, r) => l - r)).toEqual(offsets.sort((l, r) => l - r));
    },
    TEST_MS_MAX,
  );

  test(
    "the first messages of a producer, into many partitions at once, are with the brokers soon and once",
    async () => {
      const topics = ["arbitrage-decisions-proto", "bundle-outcomes-proto"] as const;
      const bus = open();
      const name = crypto.randomUUID();
      const count = 60;
      await Promise.all(
        topics.flatMap((topic) =>
          Array.from({ length: count }, (_, i) => bus.publish(topic, `${name}-${i}`, bytesOf(name))),
        ),
      );
      // When each partition asked for an identity of its own, a batch could stand still for 65 s, or come twice.
      await eventually("all with the brokers", () => (bus.stats().spooled === 0 ? true : undefined), 40_000);
      const reader = open();
      for (const topic of topics) {
        const keys: string[] = [];
        const consumer = reader.consumer({ group: name, topics: [topic], start: "first", ephemeral: true });
        for (let messages = await consumer.poll(10_000); messages.length > 0; messages = await consumer.poll(10_000))
          keys.push(...messages.filter((message) => textOf(message) === name).map(({ key }) => key));
        expect(keys.sort()).toEqual(Array.from({ length: count }, (_, i) => `${name}-${i}`).sort());
      }
    },
    2 * TEST_MS_MAX,
  );

  test(
    "consumer() starts a new group at the first or the next message, and a known one where it committed",
    async () => {
      const topics: readonly Topic[] = ["train-acks-proto"];
      const bus = open();
      const publish = (text: string) => bus.publish("train-acks-proto", "k", bytesOf(text));
      await publish("1");
      const next = bus.consumer({ group: "next", topics, start: "next" });
      const first = bus.consumer({ group: "first", topics, start: "first" });
      await Promise.all([next.ready(), first.ready()]);
      await publish("2");
      await publish("3");
      expect((await take(next, 1)).map(textOf)).toEqual(["2"]);
      await next.commit();
      expect((await take(first, 3)).map(textOf)).toEqual(["1", "2", "3"]);
      expect([next.lag(), first.lag()]).toEqual([1, 3]);
      await next.close();
      const reopened = open();
      const again = reopened.consumer({ group: "next", topics, start: "next" });
      expect((await take(again, 1)).map(textOf)).toEqual(["3"]);
      const onlooker = reopened.consumer({ group: "next", topics, start: "first", ephemeral: true });
      expect((await take(onlooker, 3)).map(textOf)).toEqual(["1", "2", "3"]);
      await onlooker.commit();
      expect(again.lag()).toBe(1);
      const lags = async () => {
        const deadline = performance.now() + 20_000;
        while (reopened.groupLags().length === 0 && performance.now() < deadline) await Bun.sleep(50);
        return reopened.groupLags().filter(({ group }) => group === "next" || group === "first");
      };
      expect(await lags()).toEqual([
        { group: "first", topic: "train-acks-proto", messages: 3 },
        { group: "next", topic: "train-acks-proto", messages: 1 },
      ]);
    },
    TEST_MS_MAX,
  );

  test(
    "pollFixed() gives the same batch again until it is committed, whatever came after",
    async () => {
      const options = { group: "fixed", topics: ["policy-updates-proto"], start: "first" } as const;
      const bus = open();
      const publish = (text: string) => bus.publish("policy-updates-proto", "k", bytesOf(text));
      for (const text of ["0", "1", "2"]) await publish(text);
      const before = bus.consumer(options);
      expect((await before.pollFixed(2)).map(textOf)).toEqual(["0", "1"]);
      await before.close();
      for (const text of ["3", "4"]) await publish(text);
      const later = open().consumer(options);
      expect((await later.pollFixed(100)).map(textOf)).toEqual(["0", "1"]);
      await later.commit();
      expect((await take(later, 3, true)).map(textOf)).toEqual(["2", "3", "4"]);
    },
    TEST_MS_MAX,
  );

  test(
    "two consumers of one group share the partitions, and what one leaves the other goes on with",
    async () => {
      const topic = "sandwich-decisions-proto";
      const options = { group: "shared", topics: [topic], start: "first" } as const;
      const bus = open();
      const [left, right] = [open().consumer(options), open().consumer(options)];
      await Promise.all([left.ready(), right.ready()]);
      const seen: string[] = [];
      const collect = async (consumer: Consumer, count: number) => {
        const deadline = performance.now() + 20_000;
        while (seen.length < count && performance.now() < deadline) {
          seen.push(...(await consumer.poll(100)).map(textOf));
          await consumer.commit();
          await consumer.wait(50);
        }
      };
      const send = (from: number, to: number) =>
        Promise.all(
          Array.from({ length: to - from }, (_, i) => bus.publish(topic, `k${from + i}`, bytesOf(String(from + i)))),
        );
      await send(0, 200);
      await Promise.all([collect(left, 200), collect(right, 200)]);
      await left.close();
      await send(200, 300);
      await collect(right, 300);
      // At least once: a hand-over may repeat what was polled and not yet committed.
      expect([...new Set(seen)].map(Number).sort((l, r) => l - r)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    },
    TEST_MS_MAX,
  );

  test(
    "what Sandpiper writes, Kafka's own console consumer reads, and the other way round",
    async () => {
      const topic = "dead-letter-proto";
      const server = ["--bootstrap-server", broker.address, "--topic", topic];
      await open().publish(topic, "ours", bytesOf("from Sandpiper"));
      const read = await broker.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
        ...[...server, "--from-beginning", "--max-messages", "1", "--timeout-ms", "20000"],
        ...["--formatter-property", "print.key=true"],
      ]);
      expect(read.trim()).toBe("ours\tfrom Sandpiper");
      const written = ["--compression-codec", "zstd", "--reader-property", "parse.key=true"];
      await broker.tool("org.apache.kafka.tools.ConsoleProducer", [...server, ...written], "theirs\tfrom Java\n");
      const found = await take(open().consumer({ group: "java", topics: [topic], start: "first" }), 2);
      expect(found.map((message) => [message.key, textOf(message)])).toEqual([
        ["ours", "from Sandpiper"],
        ["theirs", "from Java"],
      ]);
    },
    TEST_MS_MAX,
  );

  test(
    "an envelope that Kafka's console consumer reads is decoded from realtime.proto by buf",
    async () => {
      const topic = "train-requests-proto";
      // Every byte of this envelope is ASCII, so that it comes unharmed through a console.
      const value = encodeEnvelope(outcomeEnvelope({ bundleId: "b", landed: true, path: "jito" }));
      expect(value.every((byte) => byte < 0x80)).toBe(true);
      await open().publish(topic, "k", value);
      const read = await broker.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
        ...["--bootstrap-server", broker.address, "--topic", topic, "--from-beginning", "--max-messages", "1"],
        ...["--timeout-ms", "20000"],
      ]);
      const bytes = new TextEncoder().encode(read.slice(0, -1));
      const convert = ["convert", "proto", "--type", "realtime.Envelope", "--from", "-#format=binpb"];
      const decoded = Bun.spawnSync(["node_modules/.bin/buf", ...convert], { cwd: ROOT, stdin: bytes });
      expect(JSON.parse(decoded.stdout.toString())).toMatchObject({
        schemaVersion: "rt-v1",
        type: "OUTCOME",
        outcome: { bundleId: "b", landed: true, path: "jito" },
      });
    },
    TEST_MS_MAX,
  );
});
