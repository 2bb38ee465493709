/**
 * What one reader of the live stream still has to get: bounded, and honest about what it lost. Knows nothing of sockets,
 * so that WebSocket and WebTransport drain the same thing.
 *
 * When there is no room, the oldest piece of the least precious kind goes first: metrics are replaced by the next
 * second's anyway, a decision is one of many. Outcomes are money and never dropped: a reader that cannot take them is
 * overrun, has to go, and resumes where it was.
 */
import type { Piece } from "./block.ts";

/** From the least precious to the most. */
export const LIVE_KINDS = ["metrics", "decisions", "outcomes"] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];
const DROPPED_KINDS = ["metrics", "decisions"] as const satisfies readonly LiveKind[];
export type LiveDrops = Readonly<Record<LiveKind, number>>;
export type SubscriptionLimits = { readonly messagesMax: number; readonly bytesMax: number };

type Waiting = { readonly sequence: number; readonly piece: Piece };
type Next = { readonly kind: LiveKind; readonly piece: Piece };

export class Subscription {
  readonly #limits: SubscriptionLimits;
  readonly #queues: Record<LiveKind, Waiting[]> = { metrics: [], decisions: [], outcomes: [] };
  #drops: Record<LiveKind, number> = noDrops();
  #sequence = 0;
  #messages = 0;
  #bytes = 0;
  /** Since the subscription began; never goes back. */
  droppedTotal = 0;
  /** It holds nothing but outcomes and has no room for them. */
  overrun = false;

  constructor(limits: SubscriptionLimits) {
    this.#limits = limits;
  }

  get depth(): number {
    return this.#messages;
  }

  offer(kind: LiveKind, piece: Piece): void {
    this.#queues[kind].push({ sequence: this.#sequence++, piece });
    this.#messages += piece.messages;
    this.#bytes += piece.bytes.length;
    while (!this.overrun && (this.#messages > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax))
      this.#dropOne();
  }

  /** The oldest piece, which stays until it is taken. */
  next(): Next | undefined {
    const kind = this.#oldestKind();
    const waiting = kind && this.#queues[kind][0];
    return kind && waiting && { kind, piece: waiting.piece };
  }

  /** Removes what next() gave. */
  taken({ kind }: Next): void {
    this.#removeFrom(kind);
  }

  /** What was dropped since the last call, or undefined when nothing was. */
  takeDrops(): LiveDrops | undefined {
    if (LIVE_KINDS.every((kind) => this.#drops[kind] === 0)) return undefined;
    const drops = this.#drops;
    this.#drops = noDrops();
    return drops;
  }

  #dropOne(): void {
    const kind = DROPPED_KINDS.find((kind) => this.#queues[kind].length > 0);
    if (kind === undefined) {
      this.overrun = true;
      return;
    }
    const { messages } = this.#removeFrom(kind);
    this.#drops[kind] += messages;
    this.droppedTotal += messages;
  }

  #oldestKind(): LiveKind | undefined {
    let oldest: LiveKind | undefined;
    let sequence = Number.POSITIVE_INFINITY;
    for (const kind of LIVE_KINDS) {
      const head = this.#queues[kind][0];
      if (head === undefined || head.sequence >= sequence) continue;
      oldest = kind;
      sequence = head.sequence;
    }
    return oldest;
  }

  #removeFrom(kind: LiveKind): Piece {
    // Array.shift is linear, but the queue is bounded and JSC moves a few thousand pointers in microseconds.
    const { piece } = this.#queues[kind].shift() as Waiting;
    this.#messages -= piece.messages;
    this.#bytes -= piece.bytes.length;
    return piece;
  }
}

const noDrops = (): Record<LiveKind, number> => ({ metrics: 0, decisions: 0, outcomes: 0 });
