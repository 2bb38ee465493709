/**
 * The sums of the run, asked of the store at most once a second however many ask, and kept when the store is away: a
 * page with old figures and a flag is worth more at night than an error.
 */
import { errorText } from "#core/error.ts";
import type { GatewayData, RunTotals, RunWindow } from "./data.ts";

const REFRESH_MS = 1_000;
/** How long one who asks waits for a slow store before the last known sums are given. */
const WAIT_MS_MAX = 400;

/** A store that has kept one question for so long counts as away, although it has not refused. */
const SILENT_MS_MAX = 3_000;

export type KnownTotals = {
  readonly totals: RunTotals;
  readonly reachable: boolean;
  /** Undefined when the sums were never read. */
  readonly ageMs: number | undefined;
  readonly why: string;
};

const NOTHING: RunTotals = { decisions: 0, attempts: 0, landed: 0, exact: 0, profitLamports: 0n };

export class RunTotalsCache {
  readonly #data: GatewayData;
  readonly #nowMs: () => number;
  #totals = NOTHING;
  #sinceMs: number | undefined;
  #readAtMs: number | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #why = "";
  #pending: Promise<void> | undefined;

  constructor(data: GatewayData, nowMs: () => number) {
    this.#data = data;
    this.#nowMs = nowMs;
  }

  async read(window: RunWindow): Promise<KnownTotals> {
    if (window.sinceMs !== this.#sinceMs) this.#forget(window.sinceMs);
    if (this.#pending === undefined && this.#nowMs() - this.#askedAtMs >= REFRESH_MS) {
      this.#askedAtMs = this.#nowMs();
      this.#pending = this.#ask(window).finally(() => {
        this.#pending = undefined;
      });
    }
    if (this.#pending) await Promise.race([this.#pending, Bun.sleep(WAIT_MS_MAX)]);
    const ageMs = this.#readAtMs === undefined ? undefined : this.#nowMs() - this.#readAtMs;
    const why = this.#why === "" ? this.#silence() : this.#why;
    return { totals: this.#totals, reachable: why === "" && ageMs !== undefined, ageMs, why };
  }

  #silence(): string {
    const silentMs = this.#pending === undefined ? 0 : this.#nowMs() - this.#askedAtMs;
    return silentMs > SILENT_MS_MAX ? `the store has not answered for ${Math.round(silentMs / 1_000)} s` : "";
  }

  /** Another run began: its sums start from nothing. */
  #forget(sinceMs: number): void {
    this.#sinceMs = sinceMs;
    this.#totals = NOTHING;
    this.#readAtMs = undefined;
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    this.#pending = undefined;
  }

  async #ask(window: RunWindow): Promise<void> {
    try {
      const totals = await this.#data.totals(window);
      if (window.sinceMs !== this.#sinceMs) return;
      this.#totals = totals;
      this.#readAtMs = this.#nowMs();
      this.#why = "";
    } catch (thrown) {
      this.#why = errorText(thrown);
    }
  }
}
