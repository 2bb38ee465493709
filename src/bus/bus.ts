/**
 * The one interface of the message bus. Engines: embedded (SQLite, one box) and Kafka; open.ts
 * chooses by configuration.
 * Delivery is at least once and in order per key; consumers of one group share a topic's offsets, so every agent that
 * must see every command uses a group of its own.
 */
import type { Topic } from "#wire/topics.ts";

export type Message = {
  readonly topic: Topic;
  readonly key: string;
  readonly value: Uint8Array;
  /** Grows within a topic (on Kafka: within a partition, so per key), and is unique in it. */
  readonly offset: number;
  readonly publishedMs: number;
};

/** How far before the end a group that starts "recent" begins. */
export const RECENT_MESSAGES = 4_096;

/** What publish() answers for a message that is durable but has no offset yet. */
export const SPOOLED_OFFSET = -1;

export type ConsumerOptions = {
  readonly group: string;
  readonly topics: readonly Topic[];
  /**
   * Where a group without a committed offset starts: at the first message kept, a little before the end (RECENT_MESSAGES
   * of each topic or partition), or at the next one published.
   */
  readonly start: "first" | "recent" | "next";
  /**
   * For readers that only look on (a live page): the group is not remembered, commit() does nothing, and retention does
   * not wait for it.
   */
  readonly ephemeral?: boolean;
};

export interface Consumer {
  /** Resolves when it is settled where this consumer starts: what is published from then on, it will see. */
  ready(): Promise<void>;
  /** The next messages after the last poll, oldest first, at most `max`; empty when there are none now. */
  poll(max: number): Promise<readonly Message[]>;
  /**
   * Like poll, but the bounds of the batch are durable before it is handed out: until commit(), a consumer of this group
   * gets exactly these messages again, however often the process dies. For consumers of one topic; offsets grow within
   * the batch.
   */
  pollFixed(max: number): Promise<readonly Message[]>;
  /** True as soon as a poll may find something, false when `timeoutMs` passed without. Sleeps in between. */
  wait(timeoutMs: number): Promise<boolean>;
  /** Remembers that everything polled so far is done with. */
  commit(): Promise<void>;
  /** Messages kept that this group has not committed. */
  lag(): number;
  close(): Promise<void>;
}

/** Counted since this process opened the bus. */
type BusStats = {
  readonly published: number;
  /** Messages refused because the queue was full. */
  readonly refused: number;
  /** Messages rejected because the disk or a lock failed. */
  readonly failed: number;
  /** Delivered messages that retention removed. */
  readonly trimmed: number;
  /** Messages that retention removed before every group had read them. */
  readonly trimmedUnread: number;
  /** Messages that wait on this producer's disk for Kafka to come back; 0 in the embedded engine. */
  readonly spooled: number;
  /** Messages rejected because that wait was over its limit on disk (bus.spoolMiB); 0 in the embedded engine. */
  readonly dropped: number;
};

/** How far a remembered group is behind in one topic, whichever process reads for it. */
export type GroupLag = {
  readonly group: string;
  readonly topic: Topic;
  /** Messages kept that the group has not committed. */
  readonly messages: number;
};

export interface Bus {
  /**
   * Whether a message may stand at two offsets: a producer that was killed or cut off while a batch was in doubt says it
   * again. Else an offset is one message for ever, and a message one offset.
   */
  readonly mayRepeat: boolean;
  /** Resolves with the offset when the message is durable (SPOOLED_OFFSET: on this producer's disk, Kafka gets it
   * later, in order); rejects with a SandpiperError when it is not. */
  publish(topic: Topic, key: string, value: Uint8Array): Promise<number>;
  consumer(options: ConsumerOptions): Consumer;
  stats(): BusStats;
  /** Every remembered group in each of its topics. */
  groupLags(): readonly GroupLag[];
  /** Waits for what was published, then lets go of the files. */
  close(): Promise<void>;
}
