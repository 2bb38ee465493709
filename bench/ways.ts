/** The three ways of a message into the tables, each with real parts: for benches that compare them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import { connectStore, type Store } from "#store/client.ts";
import { ensureKafkaTables, KAFKA_HISTORY, KAFKA_MIGRATIONS } from "#store/kafka-tables.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine } from "#store/test-engine.ts";
import { startKafkaBroker } from "../test/support/kafka-broker.ts";
import { spawnRecorder } from "./recorder-process.ts";

export const WAYS = ["embedded bus, recorder", "Kafka, recorder", "Kafka, ClickHouse's reader"] as const;
export type WayName = (typeof WAYS)[number];

/** A bus to publish on, and the tables that its messages come into. */
export type Way = { readonly bus: Bus; readonly store: Store; close(): Promise<void> };

const log = createLog({ process: "bench", level: "error", format: "text" });

export async function openWay(name: WayName): Promise<Way> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-way-"));
  const engine = await startTestEngine();
  const isKafka = name !== "embedded bus, recorder";
  const store = connectStore({ port: engine.port, secretPath: engine.secretPath, final: isKafka });
  await migrate(store);
  const broker = isKafka ? await startKafkaBroker() : undefined;
  let bus: Bus;
  let recorder: Bun.Subprocess | undefined;
  const reached = { port: engine.port, secretPath: engine.secretPath };
  if (broker === undefined) {
    const path = join(folder, "bus.sqlite");
    bus = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 2_048, log });
    recorder = spawnRecorder({ ...reached, path });
  } else {
    const brokers = broker.address;
    await applyTopics({ brokers, clientId: "bench" }, 1, log);
    await migrate(store, KAFKA_MIGRATIONS, KAFKA_HISTORY);
    const kafka = { brokers, clientId: "bench" };
    bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB: 256, owner: "bench", log });
    if (name === "Kafka, recorder") recorder = spawnRecorder({ ...reached, brokers, spoolFolder: folder });
    else await ensureKafkaTables(store, { brokers });
  }
  return {
    bus,
    store,
    close: async () => {
      recorder?.kill("SIGKILL");
      await recorder?.exited;
      await bus.close();
      await store.close();
      await engine.close();
      await broker?.discard();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
