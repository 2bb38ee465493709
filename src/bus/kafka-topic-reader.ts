/**
 * One group's reading of one topic: kafkajs pushes what the brokers have into a bounded queue per partition, from which
 * the consumer takes. A group is "sandpiper-<group>.<topic>" to Kafka; its committed offset's metadata holds the end of a
 * batch that pollFixed handed out ("fixed_to=<offset>").
 *
 * kafkajs may hand over the same records again after it joined the group anew, or begin where it should not: `next` of
 * each partition decides what is taken, and a gap before it is fetched once more.
 */
import type { Admin, EachBatchPayload, Kafka, Consumer as KafkaConsumer } from "kafkajs";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Topic } from "#wire/topics.ts";
import { type ConsumerOptions, type Message, RECENT_MESSAGES } from "./bus.ts";
import { brokersError, RETRY, RETRY_MS_MAX } from "./kafka-client.ts";
import { busOffset, PARTITIONS_MAX } from "./kafka-offset.ts";

/** What waits per partition to be polled; the brokers keep the rest. */
const QUEUE_MESSAGES_MAX = 20_000;
const QUEUE_BYTES_MAX = 20 * 1024 * 1024;
const FULL_LOOK_MS = 20;
const HEARTBEAT_MS = 1_000;
/** A member that died without a word holds up its group for so long; also how long the event loop may stand still. */
const SESSION_MS_MAX = 10_000;
/** Longest wait of a fetch for new records: these are answered at once, so it bounds only how soon closing is seen. */
const FETCH_MS_MAX = 500;
const COMMIT_MS_MAX = 10_000;
const COMMIT_RETRY_MS = 100;
const CLOSE_MS_MAX = 2_000;

const groupIdOf = (group: string, topic: Topic): string => `sandpiper-${group}.${topic}`;

/** A partition that this member of the group reads. Offsets are Kafka's. */
export type Part = {
  readonly topic: Topic;
  readonly partition: number;
  /** The offset that belongs into the queue next. */
  next: number;
  /** Everything before it was handed out. */
  handed: number;
  committed: number;
  /** The end of the partition, as last seen; what was there at the start is waited for by a poll. */
  high: number;
  readonly highAtStart: number;
  /** The last offset of a batch that was handed out and not committed before this member came. */
  fixedTo: number | undefined;
  readonly queue: Message[];
  queuedBytes: number;
  gapAt: number;
};

export type ReaderParts = {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly log: Log;
  /** Called when there may be something to poll. */
  readonly arrived: () => void;
};

export class KafkaTopicReader {
  /** By number; only those that are assigned and whose start is settled. */
  readonly parts = new Map<number, Part>();
  /** Resolves when it was first settled where the partitions start. */
  readonly settled: Promise<void>;
  readonly #topic: Topic;
  readonly #options: ConsumerOptions;
  readonly #from: ReaderParts;
  /** The one that reads now: another after a crash that kafkajs does not get over. */
  #consumer: KafkaConsumer;
  readonly #groupId: string;
  #settle: () => void = () => undefined;
  /** Counts the joins of the group: what an earlier one began is void. */
  #joins = 0;
  #closed = false;

  constructor(topic: Topic, options: ConsumerOptions, from: ReaderParts) {
    this.#topic = topic;
    this.#options = options;
    this.#from = from;
    const own = options.ephemeral ? `${options.group}-${crypto.randomUUID()}` : options.group;
    this.#groupId = groupIdOf(own, topic);
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#consumer = this.#makeConsumer();
    void this.#start();
  }

  /** Puts the offset before which everything is done with on record, and the end of a batch handed out. */
  async commit(part: Part, offset: number, fixedTo?: number): Promise<void> {
    if (this.#options.ephemeral) return;
    const { partition } = part;
    const metadata = fixedTo === undefined ? "" : `fixed_to=${fixedTo}`;
    const deadline = performance.now() + COMMIT_MS_MAX;
    for (;;) {
      try {
        await this.#consumer.commitOffsets([{ topic: this.#topic, partition, offset: String(offset), metadata }]);
        part.committed = offset;
        return;
      } catch (thrown) {
        if (this.#closed || performance.now() > deadline) throw brokersError(`commit ${this.#groupId}`, thrown);
      }
      await Bun.sleep(COMMIT_RETRY_MS);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([this.#consumer.disconnect().catch(() => undefined), Bun.sleep(CLOSE_MS_MAX)]);
  }

  #makeConsumer(): KafkaConsumer {
    const consumer = this.#from.kafka.consumer({
      groupId: this.#groupId,
      sessionTimeout: SESSION_MS_MAX,
      rebalanceTimeout: SESSION_MS_MAX,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_MS_MAX,
      minBytes: 1,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: async () => !this.#closed },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment[this.#topic] ?? []));
    // kafkajs restarts after errors that it takes for passing ones. After any other it would stand still for ever.
    consumer.on(consumer.events.CRASH, async ({ payload }) => {
      if (payload.restart || this.#closed || consumer !== this.#consumer) return;
      this.#from.log.warn("bus: reading a topic broke off, begun anew", {
        topic: this.#topic,
        why: errorText(payload.error),
      });
      await Bun.sleep(RETRY_MS_MAX);
      if (this.#closed) return;
      this.#consumer = this.#makeConsumer();
      await this.#start();
    });
    return consumer;
  }

  async #start(): Promise<void> {
    await this.#untilDone("read", async () => {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: PARTITIONS_MAX,
        eachBatch: (payload) => this.#take(payload),
      });
    });
  }

  /** kafkajs joined the group: partitions that are new here start at the committed offset, the others go on. */
  async #joined(assigned: readonly number[]): Promise<void> {
    const join = ++this.#joins;
    for (const partition of this.parts.keys()) if (!assigned.includes(partition)) this.parts.delete(partition);
    for (const part of this.parts.values()) this.#seek(part);
    const gained = assigned.filter((partition) => !this.parts.has(partition));
    await this.#untilDone("join", async () => {
      if (join !== this.#joins) return;
      const parts = await this.#place(gained);
      if (join !== this.#joins) return;
      for (const part of parts) {
        this.parts.set(part.partition, part);
        this.#seek(part);
      }
      this.#settle();
      this.#from.arrived();
    });
  }

  async #place(partitions: readonly number[]): Promise<Part[]> {
    const { admin } = this.#from;
    await admin.connect();
    const bounds = await admin.fetchTopicOffsets(this.#topic);
    const groups = this.#options.ephemeral
      ? []
      : await admin.fetchOffsets({ groupId: this.#groupId, topics: [this.#topic] });
    const placed: Part[] = [];
    for (const partition of partitions) {
      const bound = bounds.find((one) => one.partition === partition);
      const low = Number(bound?.low ?? 0);
      const high = Number(bound?.high ?? 0);
      const known = groups[0]?.partitions.find((one) => one.partition === partition);
      const isNew = known === undefined || Number(known.offset) < 0;
      const back = { first: Number.MAX_SAFE_INTEGER, recent: RECENT_MESSAGES, next: 0 }[this.#options.start];
      const fresh = Math.max(low, high - back);
      const at = isNew ? fresh : Math.max(low, Number(known.offset));
      const fixed = /^fixed_to=(\d+)$/.exec(known?.metadata ?? "")?.[1];
      const part: Part = {
        topic: this.#topic,
        partition,
        next: at,
        handed: at,
        committed: at,
        high,
        highAtStart: high,
        fixedTo: fixed === undefined ? undefined : Number(fixed),
        queue: [],
        queuedBytes: 0,
        gapAt: -1,
      };
      if (isNew) await this.commit(part, at);
      placed.push(part);
    }
    return placed;
  }

  #seek({ partition, next }: Part): void {
    this.#consumer.seek({ topic: this.#topic, partition, offset: String(next) });
  }

  async #take({ batch, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const part = this.parts.get(batch.partition);
    const first = batch.messages[0];
    if (part === undefined || first === undefined || isStale()) return;
    const offset = Number(first.offset);
    if (offset > part.next && part.gapAt !== part.next) {
      part.gapAt = part.next;
      this.#seek(part);
      return;
    }
    part.high = Math.max(part.high, Number(batch.highWatermark));
    for (const record of batch.messages) {
      const at = Number(record.offset);
      if (at < part.next) continue;
      const value = new Uint8Array(record.value ?? Buffer.alloc(0));
      part.queue.push({
        topic: this.#topic,
        key: record.key?.toString() ?? "",
        value,
        offset: busOffset(batch.partition, at),
        publishedMs: Number(record.timestamp),
      });
      part.queuedBytes += value.length;
      part.next = at + 1;
    }
    this.#from.arrived();
    const isFull = () => part.queue.length >= QUEUE_MESSAGES_MAX || part.queuedBytes >= QUEUE_BYTES_MAX;
    while (isFull() && isRunning() && !isStale() && this.parts.get(batch.partition) === part) {
      await Bun.sleep(FULL_LOOK_MS);
      await heartbeat();
    }
  }

  async #untilDone(doing: string, attempt: () => Promise<void>): Promise<void> {
    for (let failed = 0; !this.#closed; failed++) {
      try {
        return await attempt();
      } catch (thrown) {
        if (failed === 0)
          this.#from.log.warn(`bus: cannot ${doing} a topic, tried again`, {
            topic: this.#topic,
            why: errorText(thrown),
          });
        await Bun.sleep(RETRY_MS_MAX);
      }
    }
  }
}
