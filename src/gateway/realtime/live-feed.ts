/**
 * The live stream: reads the bus as a looker-on (ephemeral groups) and offers what it finds, packed together every few
 * milliseconds, to each subscription. The newest outcomes are kept, so that a reader that was away, or whose gateway was,
 * gets those it missed. Reads on when the bus is away for a while, and says so in its stats.
 */
import type { Bus, Consumer, Message } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Telemetry } from "#gateway/telemetry.ts";
import { decodeEnvelope, encodeBatch } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";
import { Block, packed } from "./block.ts";
import { LIVE_KINDS, type LiveKind, Subscription } from "./subscription.ts";

const TOPIC_KIND = {
  "arbitrage-decisions-proto": "decisions",
  "bundle-outcomes-proto": "outcomes",
  "metrics-proto": "metrics",
} as const satisfies Partial<Record<Topic, LiveKind>>;
const OUTCOMES: Topic = "bundle-outcomes-proto";
const OTHERS: readonly Topic[] = ["arbitrage-decisions-proto", "metrics-proto"];

const POLL_MESSAGES_MAX = 256;
const WAIT_MS = 500;
/** Messages are packed together for so long, or until there are so many. */
const PACK_MS = 20;
const PACK_MESSAGES_MAX = 256;
/** Pause after a full poll: a burst waits on the bus, not in the readers' queues, and one that keeps up loses nothing. */
const BURST_PAUSE_MS = 10;
/** Pause after a failed read; the file may be locked or the disk away. */
const RETRY_MS = 250;
/** What one reader may have waiting: some seconds of a busy market. */
const SUBSCRIPTION_LIMITS = { messagesMax: 8_192, bytesMax: 1024 * 1024 } as const;
/** Outcomes that are kept for readers that come back; the record has all of them. */
const KEPT_OUTCOMES_MAX = 4_096;

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
  readonly clientsPerAddressMax: number;
};

/** What a reader asks for. */
export type Wish = {
  /** Who it is to the network. */
  readonly address: string;
  /** Outcomes that the bus took from then on (Unix ms); of now on when left out. */
  readonly sinceMs: number | undefined;
  /** Largest packet that its transport carries now, in bytes. */
  readonly pieceBytesMax: () => number;
};

type Reader = { readonly wish: Wish; readonly sinceMs: number };
type Pending = { readonly envelopes: Uint8Array[]; resumeMs: number };
type Kept = { readonly bytes: Uint8Array; readonly publishedMs: number };

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #readers = new Map<Subscription, Reader>();
  readonly #consumers: readonly Consumer[];
  readonly #pending: Record<LiveKind, Pending> = { metrics: nothing(), decisions: nothing(), outcomes: nothing() };
  readonly #running: Promise<unknown>;
  #kept: Kept[] = [];
  #packing: ReturnType<typeof setTimeout> | undefined;
  #readAtMs: number;
  #refused = 0;
  #poison = 0;
  #droppedByGone = 0;
  #stopped = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    const join = (topics: readonly Topic[], start: "recent" | "next") =>
      options.bus.consumer({ group: `gateway-live-${start}`, topics, start, ephemeral: true });
    this.#consumers = [join([OUTCOMES], "recent"), join(OTHERS, "next")];
    this.#readAtMs = options.nowMs();
    this.#running = Promise.all(this.#consumers.map((consumer) => this.#run(consumer)));
  }

  /** A new reader, or undefined when there are too many, of all or of its address. */
  subscribe(wish: Wish): Subscription | undefined {
    const ofAddress = [...this.#readers.values()].filter((reader) => reader.wish.address === wish.address).length;
    if (this.#readers.size >= this.#options.clientsMax || ofAddress >= this.#options.clientsPerAddressMax) {
      this.#refused++;
      return undefined;
    }
    // Nobody gets what was taken before it came, and nobody gets it twice.
    this.#pack();
    const subscription = new Subscription(SUBSCRIPTION_LIMITS);
    const sinceMs = wish.sinceMs ?? this.#options.nowMs();
    this.#readers.set(subscription, { wish, sinceMs });
    // So that it can resume from here, should it lose its way before the first outcome.
    subscription.offer("outcomes", { messages: 0, bytes: packed(encodeBatch([], { resumeMs: sinceMs })) });
    const missed = this.#kept.filter(({ publishedMs }) => publishedMs >= sinceMs);
    for (let from = 0; from < missed.length; from += PACK_MESSAGES_MAX) {
      const part = missed.slice(from, from + PACK_MESSAGES_MAX);
      const resumeMs = Math.max(...part.map(({ publishedMs }) => publishedMs));
      offer(
        subscription,
        wish,
        new Block(
          "outcomes",
          part.map(({ bytes }) => bytes),
          resumeMs,
        ),
      );
    }
    return subscription;
  }

  unsubscribe(subscription: Subscription): void {
    if (this.#readers.delete(subscription)) this.#droppedByGone += subscription.droppedTotal;
  }

  /** Unix ms of the last time the bus could be read. */
  readAtMs(): number {
    return this.#readAtMs;
  }

  stats(): LiveStats {
    let dropped = this.#droppedByGone;
    for (const subscription of this.#readers.keys()) dropped += subscription.droppedTotal;
    return {
      clients: this.#readers.size,
      refused: this.#refused,
      dropped,
      poison: this.#poison,
      busLag: this.#lag(),
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#packing);
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    await this.#running;
  }

  async #run(consumer: Consumer): Promise<void> {
    let failing = false;
    while (!this.#stopped) {
      try {
        await consumer.wait(WAIT_MS);
        const messages = await consumer.poll(POLL_MESSAGES_MAX);
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

  #accept({ topic, value, publishedMs }: Message): void {
    const kind: LiveKind | undefined = TOPIC_KIND[topic as keyof typeof TOPIC_KIND];
    if (kind === undefined) return;
    try {
      // Decoded even when nobody looks: pages must never get bytes that they would choke on.
      const { payload } = decodeEnvelope(value);
      if (payload.case === "metrics") this.#options.telemetry.accept(payload.value);
    } catch {
      this.#poison++;
      return;
    }
    const pending = this.#pending[kind];
    if (kind === "outcomes") {
      this.#kept.push({ bytes: value, publishedMs });
      if (this.#kept.length >= KEPT_OUTCOMES_MAX * 2) this.#kept = this.#kept.slice(-KEPT_OUTCOMES_MAX);
      pending.resumeMs = Math.max(pending.resumeMs, publishedMs);
      // A gateway that starts reads back first: those are for readers that come back, not news.
      if (![...this.#readers.values()].some(({ sinceMs }) => publishedMs >= sinceMs)) return;
    }
    if (this.#readers.size === 0) return;
    pending.envelopes.push(value);
    if (pending.envelopes.length >= PACK_MESSAGES_MAX) this.#pack();
    else this.#packing ??= setTimeout(() => this.#pack(), PACK_MS);
  }

  #pack(): void {
    clearTimeout(this.#packing);
    this.#packing = undefined;
    for (const kind of LIVE_KINDS) {
      const { envelopes, resumeMs } = this.#pending[kind];
      if (envelopes.length === 0) continue;
      this.#pending[kind] = nothing();
      const block = new Block(kind, envelopes, kind === "outcomes" ? resumeMs : 0);
      for (const [subscription, { wish }] of this.#readers) offer(subscription, wish, block);
    }
  }

  #lag(): number {
    try {
      return this.#consumers.reduce((sum, consumer) => sum + consumer.lag(), 0);
    } catch {
      return 0;
    }
  }
}

const nothing = (): Pending => ({ envelopes: [], resumeMs: 0 });

/** Outcomes go by the reliable way, which takes any size. */
function offer(subscription: Subscription, wish: Wish, block: Block): void {
  const bytesMax = block.kind === "outcomes" ? Number.POSITIVE_INFINITY : wish.pieceBytesMax();
  for (const piece of block.pieces(bytesMax)) subscription.offer(block.kind, piece);
}
