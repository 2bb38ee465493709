/**
 * Pauses between tries that never make a storm: each is twice the one before up to a bound, and half of it is chance, so
 * that many clients of one node do not come back together. Only a try that went well starts the pauses anew.
 */
import type { Random } from "#core/random.ts";

export type RetryLimits = { readonly retryMsMin: number; readonly retryMsMax: number };

export class Retry {
  #pauseMs: number;
  #wake: (() => void) | undefined;

  constructor(
    readonly limits: RetryLimits,
    readonly random: Random,
  ) {
    this.#pauseMs = limits.retryMsMin;
  }

  succeeded(): void {
    this.#pauseMs = this.limits.retryMsMin;
  }

  /** How long the next pause is, in ms; `atLeastMs` is what the other side asked for. */
  nextMs(atLeastMs = 0): number {
    const ms = Math.max(atLeastMs, this.#pauseMs * (0.5 + this.random.unit() / 2));
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.limits.retryMsMax);
    return ms;
  }

  async pause(atLeastMs = 0): Promise<void> {
    const ms = this.nextMs(atLeastMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends a pause that is under way. */
  wake(): void {
    this.#wake?.();
  }
}
