/**
 * The writing side of the embedded bus: messages gather for `lingerMs`, then go to disk in one commit, in the order they
 * came. A promise resolves only after the commit returned; when a commit fails, all its messages are rejected and none
 * of them is in the file.
 */
import { SandpiperError } from "#core/error.ts";
import type { Topic } from "#wire/topics.ts";
import { type EmbeddedFile, writeTransaction } from "./embedded-file.ts";
import { BUS_ERROR } from "./errors.ts";

/** Messages that wait for their commit; one more is refused and counted. */
const QUEUE_MESSAGES_MAX = 100_000;
/** The same limit in bytes of keys and values. */
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
/** Most messages of one commit: bounds how long it holds the lock and the event loop. */
const COMMIT_MESSAGES_MAX = 2_000;
/** Largest message. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

type Waiting = {
  readonly topic: Topic;
  readonly key: string;
  readonly value: Uint8Array;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: SandpiperError) => void;
};

export type PublisherOptions = {
  readonly lingerMs: number;
  readonly nowMs: () => number;
  /** Runs after each commit, on the publisher's turn. */
  readonly afterCommit: () => Promise<void>;
};

export class EmbeddedPublisher {
  published = 0;
  refused = 0;
  failed = 0;
  readonly #file: EmbeddedFile;
  readonly #options: PublisherOptions;
  readonly #insert;
  readonly #readHead;
  readonly #writeHead;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #flushing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(file: EmbeddedFile, options: PublisherOptions) {
    this.#file = file;
    this.#options = options;
    const { database } = file;
    this.#insert = database.query<unknown, [number, number, string, Uint8Array, number]>(
      "INSERT INTO message (topic, offset, key, value, published_ms) VALUES (?, ?, ?, ?, ?)",
    );
    this.#readHead = database.query<{ head: number }, [number]>("SELECT head FROM topic WHERE number = ?");
    this.#writeHead = database.query<unknown, [number, number, number, number]>(
      "UPDATE topic SET head = ?, bytes = bytes + ?, messages = messages + ? WHERE number = ?",
    );
  }

  publish(topic: Topic, key: string, value: Uint8Array): Promise<number> {
    const refusal = this.#refusal(value);
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ topic, key, value, resolve, reject });
      this.#queuedBytes += value.length;
      this.#schedule();
    });
  }

  /** Writes what waits, then refuses what comes. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    while (this.#queue.length > 0) await this.#flush();
  }

  #refusal(value: Uint8Array): SandpiperError | undefined {
    if (this.#closed) return new SandpiperError(BUS_ERROR.closed, "Cannot publish: an open bus, was closed");
    if (value.length > MESSAGE_BYTES_MAX)
      return new SandpiperError(
        BUS_ERROR.messageTooLarge,
        `Cannot publish: a message of at most ${MESSAGE_BYTES_MAX} bytes, was ${value.length}`,
      );
    if (this.#queue.length < QUEUE_MESSAGES_MAX && this.#queuedBytes + value.length <= QUEUE_BYTES_MAX) return;
    this.refused++;
    return new SandpiperError(
      BUS_ERROR.queueFull,
      `Cannot publish: at most ${QUEUE_MESSAGES_MAX} messages and ${QUEUE_BYTES_MAX} bytes not yet on disk, was ${this.#queue.length} and ${this.#queuedBytes}`,
      "later",
    );
  }

  /** One commit at a time; between two of them the event loop has its turn. */
  #schedule(): void {
    if (this.#closed || this.#flushing || this.#timer || this.#queue.length === 0) return;
    const waitMs = this.#queue.length >= COMMIT_MESSAGES_MAX ? 0 : this.#options.lingerMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush().finally(() => {
        this.#flushing = undefined;
        this.#schedule();
      });
    }, waitMs);
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, COMMIT_MESSAGES_MAX);
    for (const message of batch) this.#queuedBytes -= message.value.length;
    try {
      const offsets = await writeTransaction(this.#file, () => this.#write(batch));
      this.published += batch.length;
      batch.forEach((message, i) => {
        message.resolve(offsets[i] as number);
      });
    } catch (thrown) {
      this.failed += batch.length;
      for (const message of batch) message.reject(thrown as SandpiperError);
    }
    await this.#options.afterCommit();
  }

  #write(batch: readonly Waiting[]): number[] {
    const nowMs = this.#options.nowMs();
    const tails = new Map<number, { head: number; bytes: number; messages: number }>();
    const offsets = batch.map(({ topic, key, value }) => {
      const number = this.#file.topicNumber(topic);
      let tail = tails.get(number);
      if (!tail) {
        tail = { head: this.#readHead.get(number)?.head as number, bytes: 0, messages: 0 };
        tails.set(number, tail);
      }
      tail.head++;
      tail.bytes += value.length;
      tail.messages++;
      this.#insert.run(number, tail.head, key, value, nowMs);
      return tail.head;
    });
    for (const [number, tail] of tails) this.#writeHead.run(tail.head, tail.bytes, tail.messages, number);
    return offsets;
  }
}
