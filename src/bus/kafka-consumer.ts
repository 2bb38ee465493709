/**
 * The reading side on Kafka, as bus.ts promises it: a reader per topic fills queues, a poll takes from them the message
 * that was published first. A poll never says "nothing" before it has seen what was there when the consumer started;
 * later it may be behind by one fetch. pollFixed takes from one partition at a time, so that its bounds are two offsets.
 */
import { SandpiperError } from "#core/error.ts";
import type { Consumer, ConsumerOptions, Message } from "./bus.ts";
import { BUS_ERROR } from "./errors.ts";
import { busOffset } from "./kafka-offset.ts";
import { KafkaTopicReader, type Part, type ReaderParts } from "./kafka-topic-reader.ts";

/** Largest poll, whatever is asked for: bounds memory. */
const POLL_MESSAGES_MAX = 10_000;
const POLL_BYTES_MAX = 16 * 1024 * 1024;
/** How long a poll waits for the brokers to say where the group starts, and then for what was there at the start. */
const READY_MS_MAX = 20_000;
const CATCH_UP_MS_MAX = 5_000;

export class KafkaConsumer implements Consumer {
  readonly #options: ConsumerOptions;
  readonly #readers: readonly KafkaTopicReader[];
  #arrived = Promise.withResolvers<void>();
  #caughtUp = false;
  /** pollFixed begins its search behind the partition it took from last. */
  #lastFixed = -1;
  #closed = false;

  constructor(options: ConsumerOptions, parts: Omit<ReaderParts, "arrived">) {
    this.#options = options;
    const arrived = () => {
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
    this.#readers = options.topics.map((topic) => new KafkaTopicReader(topic, options, { ...parts, arrived }));
  }

  async ready(): Promise<void> {
    const settled = Promise.all(this.#readers.map((reader) => reader.settled)).then(() => true);
    if (await Promise.race([settled, Bun.sleep(READY_MS_MAX)])) return;
    throw new SandpiperError(
      BUS_ERROR.brokers,
      `Cannot read ${this.#options.topics.join(", ")}: Kafka brokers with these topics within ${READY_MS_MAX} ms, was no answer`,
      "later",
    );
  }

  async poll(max: number): Promise<readonly Message[]> {
    const limit = Math.min(max, POLL_MESSAGES_MAX);
    if (!(await this.#somethingIn(() => this.#parts().some((part) => part.queue.length > 0)))) return [];
    const taken: Message[] = [];
    // Taken from the queues together at the end: a shift moves a whole queue.
    const ways = this.#parts().map((part) => ({ part, at: 0 }));
    for (let bytes = 0; taken.length < limit && bytes < POLL_BYTES_MAX; ) {
      const oldest = oldestOf(ways);
      const message = oldest?.part.queue[oldest.at];
      if (oldest === undefined || message === undefined) break;
      oldest.at++;
      handOut(oldest.part, message);
      bytes += message.value.length;
      taken.push(message);
    }
    for (const { part, at } of ways) part.queue.splice(0, at);
    return taken;
  }

  async pollFixed(max: number): Promise<readonly Message[]> {
    const [reader, ...others] = this.#readers;
    if (!reader || others.length > 0 || this.#options.ephemeral)
      throw new SandpiperError(
        BUS_ERROR.consumer,
        `Cannot fix a batch: a remembered group on one topic, was ${this.#readers.length} topics`,
      );
    const candidate = () =>
      this.#parts().find((part) => part.partition > this.#lastFixed && isBatchReady(part)) ??
      this.#parts().find(isBatchReady);
    if (!(await this.#somethingIn(() => candidate() !== undefined))) return [];
    const part = candidate();
    if (part === undefined) return [];
    const batch = fixedBatch(part, Math.min(max, POLL_MESSAGES_MAX));
    const last = batch.at(-1);
    if (last !== undefined) await reader.commit(part, part.committed, last.offset - busOffset(part.partition, 0));
    part.fixedTo = undefined;
    this.#lastFixed = part.partition;
    for (const message of batch) handOut(part, message);
    part.queue.splice(0, batch.length);
    return batch;
  }

  async wait(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed) {
      if (this.#parts().some((part) => part.queue.length > 0)) return true;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.#arrival(leftMs);
    }
    return false;
  }

  async commit(): Promise<void> {
    if (this.#options.ephemeral) return;
    await Promise.all(
      this.#readers.flatMap((reader) =>
        [...reader.parts.values()]
          .filter((part) => part.handed !== part.committed)
          .map((part) => reader.commit(part, part.handed)),
      ),
    );
  }

  lag(): number {
    const done = (part: Part) => (this.#options.ephemeral ? part.handed : part.committed);
    return this.#parts().reduce((sum, part) => sum + Math.max(0, part.high - done(part)), 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#arrived.resolve();
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #parts(): Part[] {
    return this.#readers.flatMap((reader) => [...reader.parts.values()]);
  }

  /** Waits, until the start is caught up with, for `found`; then answers it as it is. */
  async #somethingIn(found: () => boolean): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#caughtUp) return found();
    await this.ready();
    const deadline = performance.now() + CATCH_UP_MS_MAX;
    while (!this.#closed && !found()) {
      this.#caughtUp = this.#parts().every((part) => part.next >= part.highAtStart);
      const leftMs = deadline - performance.now();
      if (this.#caughtUp || leftMs <= 0) return found();
      await this.#arrival(leftMs);
    }
    return !this.#closed;
  }

  async #arrival(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([this.#arrived.promise, promise]);
    clearTimeout(timer);
  }
}

type Way = { readonly part: Part; at: number };

/** Of the ways through the queues, the one whose next message was published first. */
function oldestOf(ways: readonly Way[]): Way | undefined {
  let oldest: Way | undefined;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const way of ways) {
    const next = way.part.queue[way.at];
    if (next === undefined || next.publishedMs >= oldestMs) continue;
    oldest = way;
    oldestMs = next.publishedMs;
  }
  return oldest;
}

/** A fixed batch is handed out whole or not yet. */
function isBatchReady({ fixedTo, handed, next, queue }: Part): boolean {
  return fixedTo === undefined || fixedTo < handed ? queue.length > 0 : next > fixedTo;
}

function fixedBatch({ partition, fixedTo, handed, queue }: Part, max: number): Message[] {
  if (fixedTo !== undefined && fixedTo >= handed) {
    const last = busOffset(partition, fixedTo);
    return queue.filter((message) => message.offset <= last);
  }
  let bytes = 0;
  const end = queue.findIndex((message) => {
    bytes += message.value.length;
    return bytes >= POLL_BYTES_MAX;
  });
  return queue.slice(0, Math.min(max, end < 0 ? queue.length : end + 1));
}

function handOut(part: Part, message: Message): void {
  part.handed = message.offset - busOffset(part.partition, 0) + 1;
  part.queuedBytes -= message.value.length;
}
