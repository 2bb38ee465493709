/**
 * Attempts that were turned away, on their way to the ledger. Each is a line of its own up to a rate; beyond it, the ones of a
 * second that are alike share a line that says how many they were, so that a flood fills no disk and hides nothing.
 */
import type { Bus } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { encodeAudit } from "#wire/audit.ts";

export type Attempt = {
  readonly door: "api" | "sign-in" | "live";
  /** As far as it is known. */
  readonly who: string;
  readonly code: string;
  readonly reason: string;
  /** What came, or its hash; never a secret. */
  readonly message: Uint8Array;
};

/** Lines of their own a second. */
const LINES_PER_SECOND = 20;
const TELL_EVERY_MS = 1_000;
const TEXT_LENGTH_MAX = 200;
const MESSAGE_BYTES_MAX = 4_096;
/** Kinds of attempts counted in one second; further ones count as "others". */
const KINDS_MAX = 100;

export type AuditOptions = { readonly bus: Pick<Bus, "publish">; readonly wallNs: () => bigint; readonly log: Log };

export class Audit {
  readonly #options: AuditOptions;
  readonly #telling: ReturnType<typeof setInterval>;
  readonly #more = new Map<string, { readonly attempt: Attempt; count: number }>();
  #linesLeft = LINES_PER_SECOND;
  /** Lines that the bus did not take. */
  lost = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#telling = setInterval(() => this.#tellMore(), TELL_EVERY_MS);
  }

  refused(attempt: Attempt): void {
    if (this.#linesLeft > 0) {
      this.#linesLeft -= 1;
      this.#publish(attempt);
      return;
    }
    const own = `${attempt.door} ${attempt.who} ${attempt.code}`;
    const kind = this.#more.has(own) || this.#more.size < KINDS_MAX ? own : "others";
    const more = this.#more.get(kind);
    if (more === undefined) this.#more.set(kind, { attempt, count: 1 });
    else more.count += 1;
  }

  stop(): void {
    clearInterval(this.#telling);
    this.#tellMore();
  }

  #tellMore(): void {
    for (const { attempt, count } of this.#more.values())
      this.#publish({ ...attempt, reason: `${attempt.reason} (${count} within a second)` });
    this.#more.clear();
    this.#linesLeft = LINES_PER_SECOND;
  }

  #publish({ door, who, code, reason, message }: Attempt): void {
    const { bus, wallNs, log } = this.#options;
    const value = { door, who: cut(who), code, reason: cut(reason), message: message.slice(0, MESSAGE_BYTES_MAX) };
    bus.publish("control-audit-proto", door, encodeAudit(wallNs(), { case: "refused", value })).catch((thrown) => {
      this.lost += 1;
      log.error("a refused attempt is not on record", { door, code, why: errorText(thrown) });
    });
  }
}

const cut = (text: string): string => text.slice(0, TEXT_LENGTH_MAX).toWellFormed();
