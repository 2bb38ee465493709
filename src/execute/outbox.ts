/**
 * The way from the io thread to the bus. Two kinds of mail: what may be lost when the bus falls behind (skipped
 * decisions, metrics; counted), and what must arrive (sent decisions, outcomes), which is tried again and whose sender
 * is told when it is durable.
 */
import type { Topic } from "#wire/topics.ts";
import type { KeyedRecord } from "./records.ts";

/** The bus, as far as this room needs to know it. */
export type Publish = (topic: Topic, key: string, value: Uint8Array) => Promise<unknown>;

/** Records on their way that may be lost; the next one is. */
const LOSABLE_MAX = 4_096;
const RETRY_MS = 500;
/** Ten minutes of trying: a full disk that an operator empties. Then the journal keeps it for the next life. */
const RETRIES_MAX = 1_200;

export class Outbox {
  /** Losable records that were not published. */
  dropped = 0;
  /** Records that must arrive and are not durable yet. */
  owed = 0;
  #losable = 0;

  constructor(
    private readonly publish: Publish,
    private readonly sleep: (ms: number) => Promise<unknown>,
  ) {}

  offer(topic: Topic, { key, bytes }: KeyedRecord): void {
    if (this.#losable >= LOSABLE_MAX) {
      this.dropped++;
      return;
    }
    this.#losable++;
    this.publish(topic, key, bytes)
      .catch(() => this.dropped++)
      .finally(() => this.#losable--);
  }

  /** Calls `durable` once the record is; `owed` goes down after that call, so that both are seen together. */
  async must(topic: Topic, { key, bytes }: KeyedRecord, durable: () => void): Promise<void> {
    this.owed++;
    for (let tries = 0; tries < RETRIES_MAX; tries++) {
      try {
        await this.publish(topic, key, bytes);
        durable();
        break;
      } catch {
        await this.sleep(RETRY_MS);
      }
    }
    this.owed--;
  }
}
