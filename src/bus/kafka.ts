/**
 * The bus on Apache Kafka, chosen by `bus.engine = kafka`. Opening never waits for the brokers: what is published before
 * they answer waits on disk, and a consumer says by ready() when it has its place. `sandpiper topics` makes the topics.
 */
import { SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Bus } from "./bus.ts";
import { BUS_ERROR } from "./errors.ts";
import { createKafka, type KafkaOptions } from "./kafka-client.ts";
import { KafkaConsumer } from "./kafka-consumer.ts";
import { KafkaGroups } from "./kafka-groups.ts";
import { KafkaPublisher } from "./kafka-publisher.ts";
import { KafkaSender } from "./kafka-sender.ts";
import { Spool } from "./spool.ts";

const MIB = 1024 * 1024;

export type KafkaBusOptions = {
  readonly kafka: KafkaOptions;
  /** How long a message waits for others to share its batch. */
  readonly lingerMs: number;
  readonly spoolFolder: string;
  readonly spoolMiB: number;
  /** Names this producer's spool: no other process may have the same under one folder, and a restart must have it again. */
  readonly owner: string;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly nowMs?: () => number;
};

/** Throws a SandpiperError when the spool cannot be opened. */
export function openKafkaBus({ kafka: options, log, ...rest }: KafkaBusOptions): Bus {
  const kafka = createKafka(options, log);
  const admin = kafka.admin();
  const spool = new Spool(rest.spoolFolder, rest.owner, rest.spoolMiB * MIB);
  const sender = new KafkaSender(kafka, admin, log);
  const publisher = new KafkaPublisher(sender, spool, { lingerMs: rest.lingerMs, nowMs: rest.nowMs ?? Date.now, log });
  const groups = new KafkaGroups(admin, log);
  const consumers = new Set<KafkaConsumer>();
  let closed = false;
  return {
    mayRepeat: true,
    publish: (topic, key, value) => publisher.publish(topic, key, value),
    consumer: (wanted) => {
      if (closed) throw new SandpiperError(BUS_ERROR.closed, "Cannot read from the bus: an open bus, was closed");
      const consumer = new KafkaConsumer(wanted, { kafka, admin, log });
      consumers.add(consumer);
      return consumer;
    },
    stats: () => ({
      published: publisher.published,
      refused: publisher.refused,
      failed: publisher.failed,
      trimmed: 0,
      trimmedUnread: 0,
      spooled: publisher.spooled,
      dropped: publisher.dropped,
    }),
    groupLags: () => groups.lags(),
    close: async () => {
      if (closed) return;
      closed = true;
      await publisher.close();
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await admin.disconnect().catch(() => undefined);
    },
  };
}
