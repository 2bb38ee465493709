/**
 * The live stream for a page: WebTransport first, WebSocket when that does not work or falls silent, and back again when
 * it does; reconnects with back-off, and resumes so that no outcome is missing. Around each change of the way a message may
 * come twice: records have ids. Everything is decoded in a worker.
 *
 *   new LiveClient({ origin: location.origin, token: () => undefined }, { onOpen, onEnvelopes, onText })
 */
import type { Envelope } from "#wire/envelope.ts";
import type { Decoded, WorkerOptions } from "./decode-worker.ts";
import { openWebSocket, openWebTransport, type Way } from "./transports.ts";

type LinkState = "connecting" | "live" | "stale" | "lost";
export type Link = {
  readonly state: LinkState;
  /** The way it goes now; undefined while there is none. */
  readonly way: Way["name"] | undefined;
  /** Since the newest frame, or since the page was opened. */
  readonly silentMs: number;
  /** Until the next attempt, when lost. */
  readonly retryInMs: number;
  /** Decisions that were more than `decisionsMax`. */
  readonly passedOver: number;
};

export type LiveOptions = {
  /** Of the gateway: http(s)://host[:port]. */
  readonly origin: string;
  /** The access token now, or undefined to read without one; asked before each attempt. */
  readonly token: () => string | undefined;
  /** Most decisions that are handed over at once, some 16 times a second; all of them when left out. Nothing else is ever passed over. */
  readonly decisionsMax?: number;
};

export type LiveEvents<Text> = {
  /** A way opened: now is the time to read what was missed. */
  readonly onOpen: () => void;
  readonly onEnvelopes: (envelopes: readonly Envelope[]) => void;
  /** JSON that the gateway says beside the record. */
  readonly onText: (text: Text) => void;
};

const WORKER_PATH = "/live-worker.js";
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 3_000;
/** Silence after which the data is called stale, and after which a WebSocket is given up. */
const STALE_MS = 3_000;
const GIVE_UP_MS = 10_000;
/** Over WebTransport the gateway says something every 200 ms: silence means that UDP no longer passes. */
const SILENT_UDP_MS = 1_000;
const WATCH_MS = 200;
/** How long WebTransport is left alone after it failed; doubles each time. */
const WEBTRANSPORT_AGAIN_MS_MIN = 5_000;
const WEBTRANSPORT_AGAIN_MS_MAX = 60_000;

export class LiveClient<Text> {
  readonly #options: LiveOptions;
  readonly #events: LiveEvents<Text>;
  readonly #worker = new Worker(WORKER_PATH, { type: "module" });
  #way: Way | undefined;
  #opening = false;
  #passedOver = 0;
  #heardAt = performance.now();
  #sinceMs: number | undefined;
  #failures = 0;
  #everOpen = false;
  #retryAt = 0;
  #webTransportAt = 0;
  #webTransportPauseMs = WEBTRANSPORT_AGAIN_MS_MIN;

  constructor(options: LiveOptions, events: LiveEvents<Text>) {
    this.#options = options;
    this.#events = events;
    if (typeof WebTransport === "undefined") this.#webTransportAt = Number.POSITIVE_INFINITY;
    const workerOptions: WorkerOptions = { decisionsMax: options.decisionsMax ?? Number.POSITIVE_INFINITY };
    this.#worker.postMessage(workerOptions);
    this.#worker.onmessage = ({ data }: MessageEvent<Decoded>) => this.#accept(data);
    void this.#connect();
    setInterval(() => this.#watch(), WATCH_MS);
    // A laptop that wakes or a network that returns should not wait for the back-off.
    const now = () => {
      this.#retryAt = 0;
    };
    addEventListener("online", now);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
  }

  link(): Link {
    const now = performance.now();
    const silentMs = now - this.#heardAt;
    const retryInMs = Math.max(0, this.#retryAt - now);
    const rest = { way: this.#way?.name, silentMs, retryInMs, passedOver: this.#passedOver };
    if (this.#way) return { state: silentMs > STALE_MS ? "stale" : "live", ...rest };
    return { state: this.#everOpen || this.#failures > 0 ? "lost" : "connecting", ...rest };
  }

  async #connect(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    try {
      if (performance.now() >= this.#webTransportAt && (await this.#openWebTransport())) return;
      if (this.#way) return;
      this.#use(await openWebSocket(this.#address(), this.#wayEvents("WebSocket")));
    } catch {
      this.#later();
    } finally {
      this.#opening = false;
    }
  }

  async #openWebTransport(): Promise<boolean> {
    try {
      const way = await openWebTransport(this.#address(), this.#wayEvents("WebTransport"));
      this.#way?.close();
      this.#use(way);
      return true;
    } catch {
      this.#leaveWebTransport();
      return false;
    }
  }

  #use(way: Way): void {
    this.#way = way;
    this.#failures = 0;
    this.#everOpen = true;
    this.#heardAt = performance.now();
    this.#events.onOpen();
  }

  #address() {
    return { origin: this.#options.origin, token: this.#options.token(), sinceMs: this.#sinceMs };
  }

  #wayEvents(name: Way["name"]) {
    return {
      onFrame: (frame: Uint8Array<ArrayBuffer>) => {
        if (this.#way?.name === name) this.#heardAt = performance.now();
        this.#worker.postMessage(frame, [frame.buffer]);
      },
      // A way that is lost before its first frame is resumed from when it was asked for.
      onClock: (nowMs: number) => {
        this.#sinceMs ??= nowMs;
      },
      onClose: () => {
        if (this.#way?.name === name) this.#later();
      },
    };
  }

  #accept({ items, resumeMs, texts, passedOver }: Decoded): void {
    this.#passedOver += passedOver;
    if (resumeMs > (this.#sinceMs ?? 0)) this.#sinceMs = resumeMs;
    if (items.length > 0) this.#events.onEnvelopes(items);
    for (const text of texts) this.#events.onText(JSON.parse(text) as Text);
  }

  #later(): void {
    this.#way = undefined;
    const calm = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++);
    // Spread, so that many pages do not come back in one instant.
    this.#retryAt = performance.now() + calm * (0.75 + Math.random() * 0.5);
  }

  #leaveWebTransport(): void {
    if (this.#webTransportAt === Number.POSITIVE_INFINITY) return;
    this.#webTransportAt = performance.now() + this.#webTransportPauseMs;
    this.#webTransportPauseMs = Math.min(WEBTRANSPORT_AGAIN_MS_MAX, this.#webTransportPauseMs * 2);
  }

  #watch(): void {
    const now = performance.now();
    const silentMs = now - this.#heardAt;
    const name = this.#way?.name;
    if (name === undefined) {
      if (now >= this.#retryAt) void this.#connect();
    } else if (name === "WebTransport" && silentMs > SILENT_UDP_MS) {
      this.#leaveWebTransport();
      this.#fall();
      void this.#connect();
    } else if (name === "WebSocket" && silentMs > GIVE_UP_MS) this.#fall();
    else if (name === "WebSocket" && now >= this.#webTransportAt) void this.#connect();
    else if (name === "WebTransport" && silentMs < WATCH_MS) this.#webTransportPauseMs = WEBTRANSPORT_AGAIN_MS_MIN;
  }

  #fall(): void {
    const way = this.#way;
    this.#later();
    way?.close();
  }
}
