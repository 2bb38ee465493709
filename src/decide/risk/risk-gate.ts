/** The risk limits as the hot thread keeps them: what the books say (risk-words.ts), and how many sends a minute. */
import type { ReasonName } from "#decide/reasons.ts";
import type { RiskWords } from "./risk-words.ts";

const NS_PER_MINUTE = 60e9;

export class RiskGate {
  /** Sends that are left of the budget, which fills over a minute. */
  #left: number;
  #filledNs = 0;

  constructor(
    private readonly words: RiskWords,
    private readonly sendsPerMinuteMax: number,
  ) {
    this.#left = sendsPerMinuteMax;
  }

  /** Why an attempt over the first `count` of these pools must not be made now; undefined when it may. */
  refusal(pools: Int32Array, count: number, openAttempts: number, nowNs: number): ReasonName | undefined {
    const { words } = this;
    if (words.halted) return "risk_halted";
    if (openAttempts >= words.attemptsMax) return "too_many_in_flight";
    for (let i = 0; i < count; i++) if (words.isPoolBlocked(pools[i] as number)) return "risk_pool";
    const filled = Math.max(0, nowNs - this.#filledNs) / NS_PER_MINUTE;
    this.#left = Math.min(this.sendsPerMinuteMax, this.#left + filled * this.sendsPerMinuteMax);
    this.#filledNs = nowNs;
    return this.#left < 1 ? "sends_per_minute" : undefined;
  }

  /** An attempt is made. */
  sent(): void {
    this.#left--;
  }
}
