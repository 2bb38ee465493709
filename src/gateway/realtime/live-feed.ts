/**
 * The live stream: reads the bus as a looker-on (an ephemeral group, from now on) and hands every envelope, still
 * encoded, to each subscription. Reads on when the bus is away for a while, and says so in its stats.
 */
import type { Bus, Consumer, Message } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Telemetry } from "#gateway/telemetry.ts";
import { decodeEnvelope } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";
import { type LiveKind, Subscription } from "./subscription.ts";

const TOPIC_KIND = {
  "arbitrage-decisions-proto": "decisions",
  "bundle-outcomes-proto": "outcomes",
  "metrics-proto": "metrics",
} as const satisfies Partial<Record<Topic, LiveKind>>;
const LIVE_TOPICS = Object.keys(TOPIC_KIND) as (keyof typeof TOPIC_KIND)[];

const POLL_MESSAGES_MAX = 256;
const WAIT_MS = 500;
/** Pause after a full poll: a burst waits on the bus, not in the readers' queues, and one that keeps up loses nothing. */
const BURST_PAUSE_MS = 10;
/** Pause after a failed read; the file may be locked or the disk away. */
const RETRY_MS = 250;
/** What one reader may have waiting: some seconds of a busy market. */
const SUBSCRIPTION_LIMITS = { messagesMax: 2_048, bytesMax: 4 * 1024 * 1024 } as const;

export type LiveStats = {
  readonly clients: number;
  /** Subscriptions refused because there were too many. */
  readonly refused: number;
  /** Messages dropped for readers that were too slow. */
  readonly dropped: number;
  /** Messages that were no envelopes. */
  readonly poison: number;
  readonly busLag: number;
};

export type LiveFeedOptions = {
  readonly bus: Bus;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly clientsMax: number;
};

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #subscriptions = new Set<Subscription>();
  #consumer: Consumer;
  #readAtMs: number;
  #refused = 0;
  #poison = 0;
  #droppedByGone = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#consumer = this.#join();
    this.#readAtMs = options.nowMs();
    this.#running = this.#run();
  }

  /** A new reader from now on, or undefined when there are too many. */
  subscribe(): Subscription | undefined {
    if (this.#subscriptions.size >= this.#options.clientsMax) {
      this.#refused++;
      return undefined;
    }
    const subscription = new Subscription(SUBSCRIPTION_LIMITS);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  unsubscribe(subscription: Subscription): void {
    if (this.#subscriptions.delete(subscription)) this.#droppedByGone += subscription.droppedTotal;
  }

  /** Unix ms of the last time the bus could be read. */
  readAtMs(): number {
    return this.#readAtMs;
  }

  stats(): LiveStats {
    let dropped = this.#droppedByGone;
    for (const subscription of this.#subscriptions) dropped += subscription.droppedTotal;
    return {
      clients: this.#subscriptions.size,
      refused: this.#refused,
      dropped,
      poison: this.#poison,
      busLag: this.#lag(),
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer.close();
    await this.#running;
  }

  #join(): Consumer {
    return this.#options.bus.consumer({ group: "gateway-live", topics: LIVE_TOPICS, start: "next", ephemeral: true });
  }

  async #run(): Promise<void> {
    let failing = false;
    while (!this.#stopped) {
      try {
        await this.#consumer.wait(WAIT_MS);
        const messages = await this.#consumer.poll(POLL_MESSAGES_MAX);
        for (const message of messages) this.#accept(message);
        this.#readAtMs = this.#options.nowMs();
        failing = false;
        if (messages.length === POLL_MESSAGES_MAX) await Bun.sleep(BURST_PAUSE_MS);
      } catch (thrown) {
        if (!failing) this.#options.log.warn("cannot read the bus", { why: errorText(thrown) });
        failing = true;
        await Bun.sleep(RETRY_MS);
      }
    }
  }

  #accept(message: Message): void {
    const kind: LiveKind | undefined = TOPIC_KIND[message.topic as keyof typeof TOPIC_KIND];
    if (kind === undefined) return;
    try {
      // Decoded even when nobody looks: pages must never get bytes that they would choke on.
      const { payload } = decodeEnvelope(message.value);
      if (payload.case === "metrics") this.#options.telemetry.accept(payload.value);
    } catch {
      this.#poison++;
      return;
    }
    for (const subscription of this.#subscriptions) subscription.offer(kind, message.value);
  }

  #lag(): number {
    try {
      return this.#consumer.lag();
    } catch {
      return 0;
    }
  }
}
