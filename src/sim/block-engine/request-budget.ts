/** How many requests a second are let through: a bucket that fills at that rate and holds one second's worth. */
import type { Clock } from "#core/clock.ts";

const NS_PER_SECOND = 1e9;

export class RequestBudget {
  #left: number;
  #atNs: number;

  constructor(
    readonly perSecondMax: number,
    readonly clock: Pick<Clock, "monotonicNs">,
  ) {
    this.#left = perSecondMax;
    this.#atNs = clock.monotonicNs();
  }

  /** Whether one more request is let through. */
  take(): boolean {
    const nowNs = this.clock.monotonicNs();
    const filled = ((nowNs - this.#atNs) / NS_PER_SECOND) * this.perSecondMax;
    this.#left = Math.min(this.perSecondMax, this.#left + filled);
    this.#atNs = nowNs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
