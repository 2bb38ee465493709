/** What the reader does when kafkajs gives up. Reading itself, and brokers that come and go, are tested for real in test/. */
import { expect, test } from "bun:test";
import type { Admin, Kafka } from "kafkajs";
import { createLog } from "#core/log.ts";
import { KafkaTopicReader } from "./kafka-topic-reader.ts";

const lines: string[] = [];
const log = createLog({ process: "test", level: "warn", format: "text", write: (line) => void lines.push(line) });

test("a consumer that kafkajs does not restart after a crash is replaced by another, one it restarts is left", async () => {
  const crashes: ((event: unknown) => void)[] = [];
  const running = Promise.withResolvers<void>();
  let runs = 0;
  const consumer = () => ({
    events: { GROUP_JOIN: "join", CRASH: "crash" },
    on: (name: string, listener: (event: unknown) => void) => {
      if (name === "crash") crashes.push(listener);
    },
    connect: async () => undefined,
    subscribe: async () => undefined,
    disconnect: async () => undefined,
    run: async () => {
      runs++;
      if (runs === 2) running.resolve();
    },
  });
  const reader = new KafkaTopicReader(
    "metrics-proto",
    { group: "g", topics: ["metrics-proto"], start: "first" },
    { kafka: { consumer } as unknown as Kafka, admin: {} as Admin, log, arrived: () => undefined },
  );
  const crash = (i: number, restart: boolean) => crashes[i]?.({ payload: { error: new Error("a bug"), restart } });
  crash(0, true);
  expect(crashes.length).toBe(1);
  crash(0, false);
  await running.promise;
  expect(crashes.length).toBe(2);
  expect(lines.join("\n")).toContain("reading a topic broke off, begun anew");
  // The first one is of no account any more.
  crash(0, false);
  expect(lines.length).toBe(1);
  await reader.close();
});
