/** What the bus promises while Kafka is away, and when a producer is killed: nothing acknowledged is lost, in order. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, SPOOLED_OFFSET } from "#bus/bus.ts";
import { BUS_ERROR } from "#bus/errors.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import type { Topic } from "#wire/topics.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";
import { eventually } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const START_MS_MAX = 90_000;
const TEST_MS_MAX = 120_000;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-outage-"));
const lines: string[] = [];
const log = createLog({ process: "test", level: "warn", format: "text", write: (line) => void lines.push(line) });
const buses: Bus[] = [];
let broker: KafkaBroker;

function open(owner: string, spoolMiB = 16): Bus {
  const kafka = { brokers: broker.address, clientId: "test" };
  const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB, owner, log });
  buses.push(bus);
  return bus;
}

/** All values of a topic from its first record on, per key, as the brokers have them. */
async function onTopic(topic: Topic, atLeast: number): Promise<Map<string, number[]>> {
  const consumer = open("reader").consumer({ group: "all", topics: [topic], start: "first", ephemeral: true });
  const perKey = new Map<string, number[]>();
  let count = 0;
  await eventually(`${atLeast} messages on ${topic}`, async () => {
    for (const { key, value } of await consumer.poll(10_000)) {
      const numbers = perKey.get(key) ?? [];
      numbers.push(Number(new TextDecoder().decode(value)));
      perKey.set(key, numbers);
      count++;
    }
    return count >= atLeast ? true : undefined;
  });
  return perKey;
}

const bytesOf = (value: number) => new TextEncoder().encode(String(value));
const isAscending = (numbers: readonly number[]) => numbers.every((one, i) => i === 0 || one >= (numbers[i - 1] ?? 0));

/** Publishes its numbers under three keys for ever, and says on stdout which were acknowledged. */
const PUBLISHER = `
  import { openKafkaBus } from "#bus/kafka.ts";
  import { writeSync } from "node:fs";
  const [brokers, spoolFolder, topic] = process.argv.slice(-3);
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const kafka = { brokers, clientId: "killed" };
  const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder, spoolMiB: 16, owner: "killed", log });
  let next = 0;
  const write = async (key) => {
    for (;;) {
      const number = next++;
      const offset = await bus.publish(topic, key, new TextEncoder().encode(String(number)));
      writeSync(1, key + " " + number + " " + (offset < 0 ? "spooled" : "sent") + "\\n");
    }
  };
  await Promise.all([write("a"), write("b"), write("c")]);
`;

describe.skipIf(!kafkaAvailable())("the bus without its brokers", () => {
  beforeAll(async () => {
    broker = await startKafkaBroker();
    await applyTopics({ brokers: broker.address, clientId: "test" }, 1, log);
  }, START_MS_MAX);

  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.close();
    lines.length = 0;
  });

  afterAll(async () => {
    await broker.discard();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS_MAX);

  test.each([
    ["stopped", "arbitrage-decisions-proto"],
    ["killed", "bundle-outcomes-proto"],
  ] as const)(
    "a broker that is %s and comes back has every message exactly once, in order per key",
    async (how, topic) => {
      const bus = open(`outage-${how}`);
      const count = 6_000;
      const offsets: Promise<number>[] = [];
      const publish = async (upTo: number) => {
        while (offsets.length < upTo) {
          const i = offsets.length;
          offsets.push(bus.publish(topic, `pool-${i % 7}`, bytesOf(i)));
          if (i % 20 === 0) await Bun.sleep(1);
        }
      };
      await publish(2_000);
      const ending = how === "stopped" ? broker.stop() : broker.kill();
      await publish(4_000);
      await ending;
      await eventually("messages on disk", () => (bus.stats().spooled > 0 ? true : undefined));
      const starting = broker.start();
      await publish(count);
      await starting;
      const acknowledged = await Promise.all(offsets);
      expect(acknowledged).toContain(SPOOLED_OFFSET);
      await eventually("an empty spool", () => (bus.stats().spooled === 0 ? true : undefined));
      expect(await bus.publish(topic, "after", bytesOf(count))).toBeGreaterThanOrEqual(0);
      expect(bus.stats()).toMatchObject({ published: count + 1, refused: 0, failed: 0, dropped: 0 });
      const perKey = await onTopic(topic, count + 1);
      const all = [...perKey.values()].flat();
      expect(all.length).toBe(count + 1);
      expect(new Set(all).size).toBe(count + 1);
      for (const numbers of perKey.values()) expect(isAscending(numbers)).toBe(true);
    },
    TEST_MS_MAX,
  );

  test(
    "what the spool has no room for is rejected, counted and said, and the rest arrives",
    async () => {
      const topic = "train-acks-proto";
      await broker.stop();
      const bus = open("full", 1);
      const results = await Promise.allSettled(
        Array.from({ length: 30 }, (_, i) => bus.publish(topic, "k", Buffer.from(String(i).padEnd(100 * 1024)))),
      );
      const kept = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
      const dropped = results.filter((result) => result.status === "rejected");
      expect(kept.length).toBeWithin(5, 11);
      expect(dropped[0]).toMatchObject({ reason: { code: BUS_ERROR.spoolFull, retry: "later" } });
      expect(bus.stats()).toMatchObject({ spooled: kept.length, dropped: dropped.length, published: kept.length });
      expect(lines.join("\n")).toContain("the spool is full, messages are dropped (bus.spoolMiB)");
      await broker.start();
      const perKey = await onTopic(topic, kept.length);
      expect(kept.every((i) => perKey.get("k")?.includes(i))).toBe(true);
    },
    TEST_MS_MAX,
  );

  test(
    "a producer killed with a full spool delivers it at its next start, before anything new",
    async () => {
      const topic = "control-acks-proto";
      const flags = [process.execPath, "-e", PUBLISHER, broker.address, folder, topic];
      const child = Bun.spawn(flags, { cwd: ROOT, stdout: "pipe" });
      const acknowledged: string[] = [];
      let rest = "";
      for await (const chunk of child.stdout) {
        rest += new TextDecoder().decode(chunk);
        const parts = rest.split("\n");
        rest = parts.pop() ?? "";
        const before = acknowledged.length;
        acknowledged.push(...parts);
        if (before < 300 && acknowledged.length >= 300) await broker.stop();
        if (acknowledged.filter((line) => line.endsWith("spooled")).length >= 300) child.kill("SIGKILL");
      }
      await child.exited;
      await broker.start();
      const heir = open("killed");
      expect(heir.stats().spooled).toBeGreaterThanOrEqual(300);
      await heir.publish(topic, "a", bytesOf(1_000_000));
      await eventually("an empty spool", () => (heir.stats().spooled === 0 ? true : undefined));
      const perKey = await onTopic(topic, acknowledged.length + 1);
      for (const line of acknowledged) {
        const [key, number] = line.split(" ");
        expect(perKey.get(key ?? "")).toContain(Number(number));
      }
      // At least once over a kill: a batch may be there twice, whole and in order; nothing new is before it.
      for (const numbers of perKey.values()) expect(isAscending([...new Set(numbers)])).toBe(true);
      expect(perKey.get("a")?.at(-1)).toBe(1_000_000);
    },
    TEST_MS_MAX,
  );

  test(
    "a consumer goes on where it was when the broker comes back",
    async () => {
      const topic = "policy-updates-proto";
      const bus = open("steady");
      const consumer = bus.consumer({ group: "steady", topics: [topic], start: "first" });
      const seen: number[] = [];
      const see = (count: number) =>
        eventually(`${count} messages seen`, async () => {
          seen.push(...(await consumer.pollFixed(100)).map(({ value }) => Number(new TextDecoder().decode(value))));
          await consumer.commit();
          return seen.length >= count ? true : undefined;
        });
      for (let i = 0; i < 10; i++) await bus.publish(topic, "k", bytesOf(i));
      await see(10);
      await broker.kill();
      for (let i = 10; i < 20; i++) await bus.publish(topic, "k", bytesOf(i));
      await broker.start();
      await see(20);
      expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    },
    TEST_MS_MAX,
  );
});
