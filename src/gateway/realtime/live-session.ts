/**
 * One reader on one transport, whichever it is: what waits in its subscription goes out as far as the transport takes it.
 * A reader that does not take it fills its own bounded subscription and nothing else; one that stays stuck is let go.
 */
import { packed, packedText } from "./block.ts";
import type { LiveDrops, Subscription } from "./subscription.ts";

export type Sent = "sent" | "full" | "tooLarge" | "gone";

/** The way to one reader. */
export type Carrier = {
  /** May be lost on the way, as may others after it. */
  readonly sendLossy: (bytes: Uint8Array) => Sent;
  /** Arrives, in order. */
  readonly sendSure: (bytes: Uint8Array) => Sent;
  /** Says something when there is nothing to say, so that the reader tells a quiet market from a dead way. */
  readonly beats: boolean;
  readonly close: (code: number, reason: string) => void;
};

/** RFC 6455 section 7.4.1 where it has one; WebTransport sessions close with the same numbers. */
export const LIVE_CLOSE = { goingAway: 1001, policy: 1008, behind: 4408, expired: 4401 } as const;

/** Pieces to one reader per turn: one that catches up must not keep the others waiting. */
const PIECES_PER_TURN_MAX = 64;
/** A reader stuck for so long is gone or asleep: it reconnects when it wakes. */
const STUCK_MS_MAX = 30_000;
const BEAT_MS = 200;
/** A Batch of nothing. */
const BEAT = packed(new Uint8Array(0));

export class LiveSession {
  readonly subscription: Subscription;
  readonly #carrier: Carrier;
  /** Unix ms at which the reader's token ends. */
  readonly #untilMs: number;
  #owed: Uint8Array | undefined;
  #sentAtMs = 0;
  #stuckSinceMs: number | undefined;

  constructor(subscription: Subscription, carrier: Carrier, untilMs: number) {
    this.subscription = subscription;
    this.#carrier = carrier;
    this.#untilMs = untilMs;
  }

  /** The gateway's own word; passed over when there is no room, the next one is newer. */
  tell(text: Uint8Array): void {
    if (this.#carrier.sendSure(text) === "sent") this.#stuckSinceMs = undefined;
  }

  close(code: number, reason: string): void {
    this.#carrier.close(code, reason);
  }

  drain(nowMs: number): void {
    const { subscription } = this;
    if (nowMs >= this.#untilMs) this.close(LIVE_CLOSE.expired, "the access token has expired");
    else if (subscription.overrun) this.close(LIVE_CLOSE.behind, "too slow for the outcomes: resume");
    else if (this.#sendAll(nowMs)) {
      this.#stuckSinceMs = undefined;
      this.#beat(nowMs);
    } else {
      this.#stuckSinceMs ??= nowMs;
      if (nowMs - this.#stuckSinceMs > STUCK_MS_MAX) this.close(LIVE_CLOSE.behind, "nothing was read for too long");
    }
  }

  /** False when the way took no more. */
  #sendAll(nowMs: number): boolean {
    const { subscription } = this;
    const drops = this.#owed === undefined ? subscription.takeDrops() : undefined;
    if (drops)
      this.#owed = packedText(JSON.stringify({ kind: "dropped", drops } satisfies { kind: string; drops: LiveDrops }));
    if (this.#owed !== undefined) {
      if (this.#carrier.sendSure(this.#owed) !== "sent") return false;
      this.#owed = undefined;
    }
    for (let pieces = 0; pieces < PIECES_PER_TURN_MAX; pieces++) {
      const next = subscription.next();
      if (next === undefined) break;
      const { bytes } = next.piece;
      const lossy = next.kind === "outcomes" ? "tooLarge" : this.#carrier.sendLossy(bytes);
      const sent = lossy === "tooLarge" ? this.#carrier.sendSure(bytes) : lossy;
      if (sent !== "sent") return false;
      subscription.taken(next);
      this.#sentAtMs = nowMs;
    }
    return true;
  }

  #beat(nowMs: number): void {
    if (!this.#carrier.beats || nowMs - this.#sentAtMs < BEAT_MS) return;
    this.#carrier.sendLossy(BEAT);
    this.#sentAtMs = nowMs;
  }
}
