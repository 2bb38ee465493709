/** What kafka-sender.ts asks of kafkajs. Whether brokers then have the messages is in test/kafka-bus.test.ts, for real. */
import { expect, test } from "bun:test";
import type { Admin, Kafka, Producer } from "kafkajs";
import { createLog } from "#core/log.ts";
import { busOffset } from "./kafka-offset.ts";
import { KafkaSender } from "./kafka-sender.ts";

const log = createLog({ process: "test", level: "error", format: "text" });
const PARTITIONS = 4;
const admin = {
  connect: async () => undefined,
  fetchTopicMetadata: async () => ({
    topics: [{ name: "t", partitions: Array.from({ length: PARTITIONS }, (_, i) => ({ partitionId: i, leader: 1 })) }],
  }),
} as unknown as Admin;

/** Producers that say what is asked of them; the first `refusals` of connect() fail. */
function kafkaOf(refusals: number) {
  const asked = { producers: 0, connects: 0, sends: 0 };
  const producer = () => {
    asked.producers++;
    return {
      connect: async () => {
        asked.connects++;
        await Bun.sleep(5);
        if (asked.connects <= refusals) throw new Error("no broker");
      },
      send: async () => {
        asked.sends++;
        return [{ baseOffset: "7" }];
      },
      disconnect: async () => undefined,
    } as unknown as Producer;
  };
  return { asked, kafka: { producer } as unknown as Kafka };
}

const batch = Array.from({ length: 100 }, (_, i) => ({
  topic: "metrics-proto" as const,
  key: `k${i}`,
  value: new Uint8Array([i]),
  publishedMs: 1,
}));

test("send() connects one producer once for all partitions of its first batch: each connect() is a new identity", async () => {
  const { asked, kafka } = kafkaOf(0);
  const sender = new KafkaSender(kafka, admin, log);
  const offsets = await sender.send(batch);
  expect(asked).toEqual({ producers: 1, connects: 1, sends: PARTITIONS });
  const firsts = Array.from({ length: PARTITIONS }, (_, partition) => busOffset(partition, 7));
  expect(firsts.every((offset) => offsets.includes(offset))).toBe(true);
  expect(new Set(offsets).size).toBe(batch.length);
  await sender.close();
});

test("send() goes on after a connect() that failed, with another producer", async () => {
  const { asked, kafka } = kafkaOf(1);
  const sender = new KafkaSender(kafka, admin, log);
  await sender.send(batch);
  expect(asked).toEqual({ producers: 2, connects: 2, sends: PARTITIONS });
  await sender.close();
});
