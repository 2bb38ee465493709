/**
 * The one interface of the message bus. Engines: embedded (SQLite, one box) and Kafka (a later room of this folder).
 * Delivery is at least once and in order per key; consumers of one group share a topic's offsets, so every agent that
 * must see every command uses a group of its own.
 */
import type { Topic } from "#wire/topics.ts";

export type Message = {
  readonly topic: Topic;
  readonly key: string;
  readonly value: Uint8Array;
  /** Grows within a topic. */
  readonly offset: number;
  readonly publishedMs: number;
};

export type ConsumerOptions = {
  readonly group: string;
  readonly topics: readonly Topic[];
  /** Where a group without a committed offset starts: at the first message kept, or at the next one published. */
  readonly start: "first" | "next";
};

export interface Consumer {
  /** The next messages after the last poll, oldest first, at most `max`; empty when there are none now. */
  poll(max: number): Promise<readonly Message[]>;
  /** Remembers that everything polled so far is done with. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

export interface Bus {
  /** Resolves with the offset when the message is durable; rejects with a SandpiperError when it is not. */
  publish(topic: Topic, key: string, value: Uint8Array): Promise<number>;
  consumer(options: ConsumerOptions): Consumer;
  /** Waits for what was published, then lets go of the files. */
  close(): Promise<void>;
}
