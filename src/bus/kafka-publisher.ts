/**
 * The writing side on Kafka. Messages gather for `lingerMs` and go out in batches, one after another. When Kafka has not
 * taken a batch within SPOOL_AFTER_MS, that batch and all that follows go to the spool on disk, where they count as
 * durable; the spool drains from its head as soon as Kafka takes messages again, and only when it is empty do new ones
 * go out directly: no message overtakes an older one.
 */
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Topic } from "#wire/topics.ts";
import { SPOOLED_OFFSET } from "./bus.ts";
import { BUS_ERROR } from "./errors.ts";
import type { KafkaSender } from "./kafka-sender.ts";
import type { Outgoing, Spool } from "./spool.ts";

/** Messages in memory; one more is refused and counted. */
const QUEUE_MESSAGES_MAX = 100_000;
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_MESSAGES_MAX = 1_000;
/** A batch stays under a broker's default limit of about 1 MiB, unless it is one message. */
const BATCH_BYTES_MAX = 768 * 1024;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const KEY_BYTES_MAX = 1_024;
/** How long a batch may wait for Kafka before the disk takes it. */
const SPOOL_AFTER_MS = 1_000;

type Waiting = Outgoing & {
  readonly resolve: (offset: number) => void;
  readonly reject: (error: SandpiperError) => void;
};
type PublisherOptions = { readonly lingerMs: number; readonly nowMs: () => number; readonly log: Log };

export class KafkaPublisher {
  published = 0;
  refused = 0;
  failed = 0;
  dropped = 0;
  readonly #sender: KafkaSender;
  readonly #spool: Spool;
  readonly #options: PublisherOptions;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #draining = false;
  #closed = false;

  constructor(sender: KafkaSender, spool: Spool, options: PublisherOptions) {
    this.#sender = sender;
    this.#spool = spool;
    this.#options = options;
    if (spool.cutBytes > 0)
      options.log.warn("bus: the end of the spool was torn, and never acknowledged", { bytes: spool.cutBytes });
    if (spool.pending > 0) void this.#drain();
  }

  get spooled(): number {
    return this.#spool.pending;
  }

  publish(topic: Topic, key: string, value: Uint8Array): Promise<number> {
    const refusal = this.#refusal(key, value);
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ topic, key, value, publishedMs: this.#options.nowMs(), resolve, reject });
      this.#queuedBytes += value.length;
      this.#schedule();
    });
  }

  /** Sends what waits, or leaves it on disk for the next start, then refuses what comes. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    while (this.#queue.length > 0) await this.#flush();
    await this.#sender.close();
    this.#spool.close();
  }

  #refusal(key: string, value: Uint8Array): SandpiperError | undefined {
    if (this.#closed) return new SandpiperError(BUS_ERROR.closed, "Cannot publish: an open bus, was closed");
    if (value.length > MESSAGE_BYTES_MAX || Buffer.byteLength(key) > KEY_BYTES_MAX)
      return new SandpiperError(
        BUS_ERROR.messageTooLarge,
        `Cannot publish: a message of at most ${MESSAGE_BYTES_MAX} bytes under a key of ${KEY_BYTES_MAX}, was ${value.length} under ${Buffer.byteLength(key)}`,
      );
    if (this.#queue.length < QUEUE_MESSAGES_MAX && this.#queuedBytes + value.length <= QUEUE_BYTES_MAX) return;
    this.refused++;
    return new SandpiperError(
      BUS_ERROR.queueFull,
      `Cannot publish: at most ${QUEUE_MESSAGES_MAX} messages and ${QUEUE_BYTES_MAX} bytes on their way, was ${this.#queue.length} and ${this.#queuedBytes}`,
      "later",
    );
  }

  #schedule(): void {
    if (this.#closed || this.#flushing || this.#timer || this.#queue.length === 0) return;
    const waitMs = this.#queue.length >= BATCH_MESSAGES_MAX ? 0 : this.#options.lingerMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush().finally(() => {
        this.#flushing = undefined;
        this.#schedule();
      });
    }, waitMs);
  }

  async #flush(): Promise<void> {
    const batch = this.#take();
    if (this.#draining) return this.#keep(batch);
    const sending = this.#sender.send(batch);
    const offsets = await settledWithin(sending, SPOOL_AFTER_MS);
    if (offsets !== undefined) return this.#acknowledge(batch, offsets);
    // Whether Kafka has this batch is open: the sender goes on with it, and it stays at the head of the spool till then.
    const before = this.#spool.pending;
    this.#keep(batch);
    this.#options.log.warn("bus: Kafka does not answer, messages wait on disk", { spooled: this.#spool.pending });
    void this.#drain({ sending, count: this.#spool.pending - before });
  }

  #take(): Waiting[] {
    let [count, bytes] = [0, 0];
    while (count < BATCH_MESSAGES_MAX && count < this.#queue.length) {
      const size = (this.#queue[count] as Waiting).value.length;
      if (count > 0 && bytes + size > BATCH_BYTES_MAX) break;
      bytes += size;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /** Onto the disk; what has no room is dropped, counted and said. */
  #keep(batch: readonly Waiting[]): void {
    let kept = 0;
    let error: SandpiperError | undefined;
    try {
      kept = this.#spool.append(batch);
    } catch (thrown) {
      error = thrown as SandpiperError;
      this.failed += batch.length;
    }
    this.#acknowledge(batch.slice(0, kept), undefined);
    const lost = batch.slice(kept);
    if (lost.length === 0) return;
    if (error === undefined) {
      if (isNewMagnitude(this.dropped, lost.length))
        this.#options.log.error("bus: the spool is full, messages are dropped (bus.spoolMiB)", {
          dropped: this.dropped + lost.length,
          spooled: this.#spool.pending,
        });
      this.dropped += lost.length;
      error = new SandpiperError(
        BUS_ERROR.spoolFull,
        `Cannot publish: room in the spool while Kafka is away, was full with ${this.#spool.pending} messages`,
        "later",
      );
    }
    for (const message of lost) message.reject(error);
  }

  #acknowledge(batch: readonly Waiting[], offsets: readonly number[] | undefined): void {
    this.published += batch.length;
    batch.forEach((message, i) => {
      message.resolve(offsets?.[i] ?? SPOOLED_OFFSET);
    });
  }

  /** Empties the spool into Kafka; `first` is a batch at its head that is being sent already. */
  async #drain(first?: { readonly sending: Promise<unknown>; readonly count: number }): Promise<void> {
    this.#draining = true;
    try {
      if (first !== undefined) {
        await first.sending;
        if (first.count > 0) this.#spool.advance(this.#spool.head(first.count, Number.POSITIVE_INFINITY));
      }
      while (this.#spool.pending > 0) {
        const head = this.#spool.head(BATCH_MESSAGES_MAX, BATCH_BYTES_MAX);
        await this.#sender.send(head.messages);
        if (this.#closed) return;
        this.#spool.advance(head);
      }
      this.#draining = false;
      this.#options.log.info("bus: Kafka has all that waited on disk");
    } catch (thrown) {
      // Closed: the rest is for the next start. A damaged file: what follows it stays on disk too, until someone looks.
      if (!this.#closed) this.#options.log.error("bus: the spool cannot be drained", { why: errorText(thrown) });
    }
  }
}

/** The value, or undefined when it takes longer. The promise may go on, and must be looked after. */
async function settledWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** So that a long outage is said at 1, 2, 4 … messages dropped, not for each. */
const isNewMagnitude = (before: number, more: number) =>
  Math.floor(Math.log2(before + 0.5)) !== Math.floor(Math.log2(before + more + 0.5));
