/**
 * Jito's tip stream: a WebSocket that says the percentiles of landed tips as they change, in the words of the tip floor.
 * Where there is none, or it falls silent, `fresh` is false and the floor is asked for instead; it connects again with
 * waits that double up to RECONNECT_MS_MAX.
 */
import type { Clock } from "#core/clock.ts";
import { field, list } from "#execute/rpc.ts";

/** Older than this, what was said last is no floor. */
const FRESH_NS = 10e9;
const RECONNECT_MS_MIN = 1_000;
const RECONNECT_MS_MAX = 60_000;
/** A message is some hundred bytes. */
const TEXT_MAX = 64 * 1024;

export class TipStream {
  /** 75th percentile of the landed tips; 0 before the first message. */
  tipFloorLamports = 0;
  messages = 0;
  #heardNs = Number.NEGATIVE_INFINITY;
  #socket: WebSocket | undefined;
  #timer: Timer | undefined;
  #waitMs = RECONNECT_MS_MIN;
  #closed = false;

  /** `url`: http(s), up to and without "/api/v1". */
  constructor(
    private readonly url: string,
    private readonly clock: Pick<Clock, "monotonicNs">,
  ) {
    this.#connect();
  }

  get fresh(): boolean {
    return this.clock.monotonicNs() - this.#heardNs < FRESH_NS;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const address = `${this.url.replace(/^http/, "ws")}/api/v1/bundles/tip_stream`;
    if (!URL.canParse(address)) return;
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(data);
    // A refusal is followed by a close.
    socket.onerror = () => {};
    socket.onclose = () => {
      if (this.#closed) return;
      this.#timer = setTimeout(() => this.#connect(), this.#waitMs);
      this.#timer.unref();
      this.#waitMs = Math.min(RECONNECT_MS_MAX, 2 * this.#waitMs);
    };
  }

  #hear(data: unknown): void {
    if (typeof data !== "string" || data.length > TEXT_MAX) return;
    const sol = field(list(parsed(data))[0], "landed_tips_75th_percentile");
    if (typeof sol !== "number" || !(sol >= 0 && sol < 1e9)) return;
    this.tipFloorLamports = Math.round(sol * 1e9);
    this.#heardNs = this.clock.monotonicNs();
    this.messages++;
    this.#waitMs = RECONNECT_MS_MIN;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
