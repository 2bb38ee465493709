/**
 * What one reader of the live stream still has to get: bounded, and honest about what it lost. Knows nothing of sockets,
 * so that WebSocket and WebTransport can drain the same thing.
 *
 * When there is no room, the oldest message of the least precious kind goes first: metrics are replaced by the next
 * second's anyway, a decision is one of many, an outcome is money.
 */

/** From the least precious to the most. */
export const LIVE_KINDS = ["metrics", "decisions", "outcomes"] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];
export type LiveDrops = Readonly<Record<LiveKind, number>>;
export type SubscriptionLimits = { readonly messagesMax: number; readonly bytesMax: number };

type Waiting = { readonly sequence: number; readonly bytes: Uint8Array };

export class Subscription {
  readonly #limits: SubscriptionLimits;
  readonly #queues: Record<LiveKind, Waiting[]> = { metrics: [], decisions: [], outcomes: [] };
  #drops: Record<LiveKind, number> = noDrops();
  #sequence = 0;
  #messages = 0;
  #bytes = 0;
  /** Since the subscription began; never goes back. */
  droppedTotal = 0;

  constructor(limits: SubscriptionLimits) {
    this.#limits = limits;
  }

  get depth(): number {
    return this.#messages;
  }

  offer(kind: LiveKind, bytes: Uint8Array): void {
    this.#queues[kind].push({ sequence: this.#sequence++, bytes });
    this.#messages++;
    this.#bytes += bytes.length;
    while (this.#messages > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax) this.#dropOne();
  }

  /** The oldest messages in the order they came, at most `messagesMax`. */
  take(messagesMax: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    while (taken.length < messagesMax && this.#messages > 0) taken.push(this.#removeFrom(this.#oldestKind()));
    return taken;
  }

  /** What was dropped since the last call, or undefined when nothing was. */
  takeDrops(): LiveDrops | undefined {
    if (LIVE_KINDS.every((kind) => this.#drops[kind] === 0)) return undefined;
    const drops = this.#drops;
    this.#drops = noDrops();
    return drops;
  }

  #dropOne(): void {
    const kind = LIVE_KINDS.find((kind) => this.#queues[kind].length > 0);
    if (kind === undefined) return;
    this.#removeFrom(kind);
    this.#drops[kind]++;
    this.droppedTotal++;
  }

  #oldestKind(): LiveKind {
    let oldest: LiveKind = "outcomes";
    let sequence = Number.POSITIVE_INFINITY;
    for (const kind of LIVE_KINDS) {
      const head = this.#queues[kind][0];
      if (head === undefined || head.sequence >= sequence) continue;
      oldest = kind;
      sequence = head.sequence;
    }
    return oldest;
  }

  #removeFrom(kind: LiveKind): Uint8Array {
    // Array.shift is linear, but the queue is bounded and JSC moves a few thousand pointers in microseconds.
    const { bytes } = this.#queues[kind].shift() as Waiting;
    this.#messages--;
    this.#bytes -= bytes.length;
    return bytes;
  }
}

const noDrops = (): Record<LiveKind, number> => ({ metrics: 0, decisions: 0, outcomes: 0 });
