/**
 * The live stream as the page sees it: connects, reconnects with back-off, and says how old the newest frame is. The
 * gateway sends its status every second, so silence on an open socket is trouble as well.
 */
import { decodeBatch, type Envelope } from "#wire/envelope.ts";
import type { PageText } from "./status.ts";

type LinkState = "connecting" | "live" | "stale" | "lost";
export type Link = {
  readonly state: LinkState;
  /** Since the newest frame, or since the page was opened. */
  readonly silentMs: number;
  /** Until the next attempt, when lost. */
  readonly retryInMs: number;
};

export type ConnectionEvents = {
  /** A socket opened: now is the time to read what was missed. */
  readonly onOpen: () => void;
  readonly onEnvelopes: (envelopes: readonly Envelope[]) => void;
  readonly onText: (text: PageText) => void;
};

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 3_000;
/** Silence after which the data is called stale, and after which the socket is given up. */
const STALE_MS = 3_000;
const GIVE_UP_MS = 10_000;

export class Connection {
  readonly #url: string;
  readonly #events: ConnectionEvents;
  #socket: WebSocket | undefined;
  #heardAt = performance.now();
  #attempts = 0;
  #everOpen = false;
  #retryAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, events: ConnectionEvents) {
    this.#url = url;
    this.#events = events;
    this.#connect();
    setInterval(() => this.#watch(), 1_000);
    // A laptop that wakes or a network that returns should not wait for the back-off.
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#retryNow());
  }

  link(): Link {
    const now = performance.now();
    const silentMs = now - this.#heardAt;
    const open = this.#socket?.readyState === WebSocket.OPEN;
    const retryInMs = Math.max(0, this.#retryAt - now);
    if (open) return { state: silentMs > STALE_MS ? "stale" : "live", silentMs, retryInMs };
    return { state: this.#everOpen || this.#attempts > 1 ? "lost" : "connecting", silentMs, retryInMs };
  }

  #connect(): void {
    this.#timer = undefined;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempts = 0;
      this.#everOpen = true;
      this.#heardAt = performance.now();
      this.#events.onOpen();
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      if (typeof data === "string") this.#events.onText(JSON.parse(data) as PageText);
      else this.#events.onEnvelopes(decodeBatch(new Uint8Array(data as ArrayBuffer)));
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#later();
    };
  }

  #later(): void {
    this.#socket = undefined;
    if (this.#timer !== undefined) return;
    const calm = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#attempts++);
    // Spread, so that many pages do not come back in one instant.
    const delayMs = calm * (0.75 + Math.random() * 0.5);
    this.#retryAt = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  #retryNow(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #watch(): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN || performance.now() - this.#heardAt < GIVE_UP_MS) return;
    socket.close();
    // A dead peer may never finish the closing handshake.
    socket.onmessage = null;
    socket.onclose = null;
    this.#later();
  }
}
