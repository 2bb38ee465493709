/**
 * The sim on a real broker by configuration alone: agents publish to Kafka, the recorder reads it, and the tables hold
 * what the topics hold.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKafkaBus } from "#bus/kafka.ts";
import { createLog } from "#core/log.ts";
import { decodeEnvelope } from "#wire/envelope.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const START_MS_MAX = 240_000;
const TEST_MS_MAX = 240_000;
const LANDED = 3;
const log = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-story-"));
let broker: KafkaBroker;

/** bundle ids of every outcome on Kafka, sorted. */
async function bundlesOnKafka(): Promise<string[]> {
  const kafka = { brokers: broker.address, clientId: "story" };
  const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB: 1, owner: "story", log });
  const topics = ["bundle-outcomes-proto"] as const;
  const consumer = bus.consumer({ group: "story", topics, start: "first", ephemeral: true });
  const found: string[] = [];
  for (let messages = await consumer.poll(1_000); messages.length > 0; messages = await consumer.poll(1_000))
    for (const { value } of messages) {
      const { payload } = decodeEnvelope(value);
      if (payload.case === "outcome") found.push(payload.value.bundleId);
    }
  await bus.close();
  return found.sort();
}

describe.skipIf(!kafkaAvailable())("the sim on Kafka", () => {
  beforeAll(async () => {
    broker = await startKafkaBroker();
  }, START_MS_MAX);

  afterAll(async () => {
    await broker.discard();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS_MAX);

  test(
    "records in ClickHouse, once each, what its agents publish to Kafka",
    async () => {
      const flags = ["--kafka.brokers", broker.address];
      const make = [process.execPath, "src/cli/main.ts", "topics", ...flags];
      const first = Bun.spawnSync(make, { cwd: ROOT }).stdout.toString();
      expect(first).toContain("bundle-outcomes-proto      made");
      const again = Bun.spawnSync(make, { cwd: ROOT }).stdout.toString();
      expect(again).not.toContain(" made ");
      const run = await SupervisedRun.start(["--bus.engine", "kafka", ...flags]);
      try {
        await run.allReady();
        await run.landed(LANDED);
        const rows = await eventually("the same bundles in the tables and on Kafka", async () => {
          const onKafka = await bundlesOnKafka();
          const inTables = await run.store.query<{ bundle_id: string }>(
            "SELECT bundle_id FROM sandpiper.bundle_outcomes_typed ORDER BY bundle_id",
          );
          const ids = inTables.map(({ bundle_id }) => bundle_id);
          // The run goes on: what came between the two looks is in the tables only.
          return onKafka.length >= LANDED && onKafka.every((id) => ids.includes(id)) ? ids : undefined;
        });
        expect(new Set(rows).size).toBe(rows.length);
        expect(await run.stop()).toBe(0);
      } finally {
        await run.discard();
      }
    },
    TEST_MS_MAX,
  );
});
