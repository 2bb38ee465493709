/** All readers of both transports: drained in turn, told the status once a second. */
import type { Status } from "#gateway/api/schemas.ts";
import { packedText } from "./block.ts";
import type { LiveFeed } from "./live-feed.ts";
import { LIVE_CLOSE, type LiveSession } from "./live-session.ts";

const TURN_MS = 20;
const STATUS_EVERY_MS = 1_000;

export type LiveSessionsOptions = {
  readonly feed: LiveFeed;
  readonly status: () => Promise<Status>;
  readonly nowMs: () => number;
};

export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #sessions = new Set<LiveSession>();
  readonly #timers: readonly ReturnType<typeof setInterval>[];

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#timers = [
      setInterval(() => this.#turn(), TURN_MS),
      setInterval(() => void this.#tellStatus(this.#sessions), STATUS_EVERY_MS),
    ];
  }

  add(session: LiveSession): void {
    this.#sessions.add(session);
    void this.#tellStatus([session]);
  }

  remove(session: LiveSession): void {
    this.#sessions.delete(session);
    this.#options.feed.unsubscribe(session.subscription);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const session of this.#sessions) session.close(LIVE_CLOSE.goingAway, "the gateway stops");
  }

  #turn(): void {
    const nowMs = this.#options.nowMs();
    for (const session of this.#sessions) session.drain(nowMs);
  }

  async #tellStatus(sessions: Iterable<LiveSession>): Promise<void> {
    if (this.#sessions.size === 0) return;
    const text = packedText(JSON.stringify({ kind: "status", status: await this.#options.status() }));
    for (const session of sessions) if (this.#sessions.has(session)) session.tell(text);
  }
}
