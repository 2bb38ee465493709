/**
 * Carries batches to Kafka, idempotent and acknowledged by all in-sync replicas. A batch goes out as one request per
 * partition, and a request that got no answer is repeated with the very same records: kafkajs moves its sequence numbers
 * only on an answer, so the broker recognises the repetition. One batch at a time, which keeps the order.
 */
import kafkajs, { type Admin, type Kafka, KafkaJSProtocolError, type PartitionMetadata, type Producer } from "kafkajs";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Topic } from "#wire/topics.ts";
import { BUS_ERROR } from "./errors.ts";
import { brokersError, RETRY, RETRY_MS_MAX, ZSTD } from "./kafka-client.ts";
import { busOffset } from "./kafka-offset.ts";
import type { Outgoing } from "./spool.ts";

const RETRY_MS_MIN = 50;
const ACKS_ALL = -1;
/** How long the brokers may take to have a batch on all in-sync replicas. */
const ACKS_MS_MAX = 5_000;
/** The broker has forgotten this producer; a new identity goes on. A batch in doubt may then arrive twice. */
const LOST_IDENTITY = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "UNKNOWN_PRODUCER_ID",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
]);

/** The records of a batch that go to one partition, and their places in the batch. */
type Parcel = {
  readonly topic: Topic;
  readonly partition: number;
  readonly places: number[];
  readonly messages: { key: string; value: Buffer; partition: number; timestamp: string }[];
};

export class KafkaSender {
  /** Tries that failed and were repeated. */
  retries = 0;
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #log: Log;
  readonly #partitioner = kafkajs.Partitioners.DefaultPartitioner();
  readonly #partitions = new Map<Topic, PartitionMetadata[]>();
  /** Connected once, whoever asks: see #connected. */
  #producer: Promise<Producer> | undefined;
  #closed = false;

  constructor(kafka: Kafka, admin: Admin, log: Log) {
    this.#kafka = kafka;
    this.#admin = admin;
    this.#log = log;
  }

  /** Resolves with the offsets when Kafka has all of them, however long that takes; rejects only when closed. */
  async send(batch: readonly Outgoing[]): Promise<number[]> {
    const offsets: number[] = new Array(batch.length);
    const parcels = await this.#untilDone(async () => await this.#parcelsOf(batch));
    await Promise.all(
      parcels.map((parcel) =>
        this.#untilDone(async () => {
          const first = await this.#sendParcel(parcel);
          parcel.places.forEach((place, i) => {
            offsets[place] = busOffset(parcel.partition, first + i);
          });
        }),
      ),
    );
    return offsets;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#disconnect();
  }

  async #untilDone<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failed = 0; ; failed++) {
      if (this.#closed) throw new SandpiperError(BUS_ERROR.closed, "Cannot publish: an open bus, was closed");
      try {
        return await attempt();
      } catch (thrown) {
        this.retries++;
        if (failed === 0) this.#log.debug("kafka: a batch is sent again", { why: errorText(thrown) });
        await Bun.sleep(Math.min(RETRY_MS_MIN * 2 ** Math.min(failed, 10), RETRY_MS_MAX));
      }
    }
  }

  async #disconnect(): Promise<void> {
    const last = this.#producer;
    this.#producer = undefined;
    await last?.then((producer) => producer.disconnect()).catch(() => undefined);
  }

  async #parcelsOf(batch: readonly Outgoing[]): Promise<Parcel[]> {
    const parcels = new Map<string, Parcel>();
    for (const [place, { topic, key, value, publishedMs }] of batch.entries()) {
      const partitionMetadata = this.#partitions.get(topic) ?? (await this.#readPartitions(topic));
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
      const partition = this.#partitioner({ topic, partitionMetadata, message: { key, value: bytes } });
      const name = `${topic} ${partition}`;
      const parcel = parcels.get(name) ?? { topic, partition, places: [], messages: [] };
      parcel.places.push(place);
      parcel.messages.push({ key, value: bytes, partition, timestamp: String(publishedMs) });
      parcels.set(name, parcel);
    }
    return [...parcels.values()];
  }

  async #readPartitions(topic: Topic): Promise<PartitionMetadata[]> {
    try {
      await this.#admin.connect();
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      if (partitions.length === 0) throw new Error(`no topic ${topic} (sandpiper topics makes it)`);
      this.#partitions.set(topic, partitions);
      return partitions;
    } catch (thrown) {
      throw brokersError(`publish to ${topic}`, thrown);
    }
  }

  async #sendParcel({ topic, messages }: Parcel): Promise<number> {
    const connected = this.#connected();
    const producer = await connected;
    try {
      const batch = { topic, messages, acks: ACKS_ALL, timeout: ACKS_MS_MAX, compression: ZSTD };
      const [answer] = await producer.send(batch);
      return Number(answer?.baseOffset);
    } catch (thrown) {
      const type = thrown instanceof KafkaJSProtocolError ? thrown.type : "";
      if (LOST_IDENTITY.has(type) && this.#producer === connected) {
        this.#log.warn("kafka: the brokers forgot this producer, which goes on under a new identity", { why: type });
        await this.#disconnect();
      }
      throw thrown;
    }
  }

  /**
   * The producer with its identity. kafkajs asks for a new identity in each connect() that finds none yet, and forgets
   * sequence numbers and locks with it: parcels that connected side by side lost theirs, and waited 65 s for the lock.
   */
  #connected(): Promise<Producer> {
    this.#producer ??= this.#connect();
    return this.#producer;
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // #untilDone repeats without end, with the same records; see the head of this file.
      retry: RETRY,
    });
    try {
      await producer.connect();
      return producer;
    } catch (thrown) {
      this.#producer = undefined;
      await producer.disconnect().catch(() => undefined);
      throw thrown;
    }
  }
}
