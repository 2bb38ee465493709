/**
 * The live stream over WebSocket. Server to page only:
 *
 *   binary frame   protobuf Batch (proto/realtime.proto), at most 256 envelopes, oldest first
 *   text frame     JSON {"kind":"status","status":{…}}             what /api/status answers, once a second
 *                  JSON {"kind":"dropped","drops":{"metrics":n,…}}  this page was too slow: so many messages are missing
 *
 * A page that does not read fills its own bounded subscription and nothing else; one that stays stuck is closed.
 */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Status } from "#gateway/api/schemas.ts";
import { encodeBatch } from "#wire/envelope.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { LiveDrops, Subscription } from "./subscription.ts";

const FRAME_EVERY_MS = 50;
const STATUS_EVERY_MS = 1_000;
const FRAME_MESSAGES_MAX = 256;
/** Frames to one page per tick: a page that catches up must not keep the others waiting. */
const FRAMES_PER_TICK_MAX = 16;
/** Bytes the socket may hold before the subscription is left to fill. */
const BUFFERED_BYTES_MAX = 256 * 1024;
/** A page stuck for so long is gone or asleep: it reconnects when it wakes. */
const STUCK_MS_MAX = 30_000;
/** Pages have nothing to say yet. */
const INCOMING_BYTES_MAX = 1_024;

/** RFC 6455 section 7.4.1. */
const CLOSE = { goingAway: 1001, policy: 1008 } as const;

export type LiveText =
  | { readonly kind: "status"; readonly status: Status }
  | { readonly kind: "dropped"; readonly drops: LiveDrops };
export type LiveSocketData = { readonly subscription: Subscription; stuckSinceMs: number | undefined };
type LiveSocket = ServerWebSocket<LiveSocketData>;

export type SocketTransportOptions = {
  readonly feed: LiveFeed;
  readonly status: () => Promise<Status>;
  readonly nowMs: () => number;
};

export class SocketTransport {
  readonly #options: SocketTransportOptions;
  readonly #sockets = new Set<LiveSocket>();
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  readonly handler: WebSocketHandler<LiveSocketData>;

  constructor(options: SocketTransportOptions) {
    this.#options = options;
    this.handler = {
      maxPayloadLength: INCOMING_BYTES_MAX,
      idleTimeout: 60,
      sendPings: true,
      open: (socket) => {
        this.#sockets.add(socket);
        void this.#greet(socket);
      },
      message: (socket) => socket.close(CLOSE.policy, "this stream only speaks"),
      close: (socket) => {
        this.#sockets.delete(socket);
        options.feed.unsubscribe(socket.data.subscription);
      },
    };
    this.#timers = [
      setInterval(() => this.#tick(), FRAME_EVERY_MS),
      setInterval(() => void this.#tellStatus(), STATUS_EVERY_MS),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.close(CLOSE.goingAway, "the gateway stops");
  }

  #tick(): void {
    for (const socket of this.#sockets) this.#drain(socket);
  }

  #drain(socket: LiveSocket): void {
    const { data } = socket;
    if (socket.getBufferedAmount() > BUFFERED_BYTES_MAX) {
      data.stuckSinceMs ??= this.#options.nowMs();
      if (this.#options.nowMs() - data.stuckSinceMs > STUCK_MS_MAX) socket.terminate();
      return;
    }
    data.stuckSinceMs = undefined;
    const drops = data.subscription.takeDrops();
    if (drops) sendText(socket, { kind: "dropped", drops });
    for (let frames = 0; frames < FRAMES_PER_TICK_MAX && data.subscription.depth > 0; frames++) {
      socket.send(encodeBatch(data.subscription.take(FRAME_MESSAGES_MAX)));
      if (socket.getBufferedAmount() > BUFFERED_BYTES_MAX) return;
    }
  }

  async #greet(socket: LiveSocket): Promise<void> {
    const status = await this.#options.status();
    if (this.#sockets.has(socket)) sendText(socket, { kind: "status", status });
  }

  async #tellStatus(): Promise<void> {
    if (this.#sockets.size === 0) return;
    const status = await this.#options.status();
    for (const socket of this.#sockets)
      if (socket.getBufferedAmount() <= BUFFERED_BYTES_MAX) sendText(socket, { kind: "status", status });
  }
}

const sendText = (socket: LiveSocket, text: LiveText) => socket.send(JSON.stringify(text));
