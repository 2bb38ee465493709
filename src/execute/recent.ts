/** What the last outcomes say about the auctions now: the model's features about them come from here. */
import type { SentBundle, Settlement } from "./bundle.ts";

const OUTCOMES_KEPT = 64;

export class RecentOutcomes {
  readonly #states: string[] = [];
  /** Tips that won: our own that landed, and rivals' that beat us. */
  readonly #winningTips: number[] = [];

  add(bundle: Pick<SentBundle, "tipLamports">, settlement: Settlement): void {
    push(this.#states, settlement.state);
    if (settlement.state === "landed") push(this.#winningTips, Number(bundle.tipLamports));
    else if (settlement.rivalTipLamports > 0n) push(this.#winningTips, Number(settlement.rivalTipLamports));
  }

  /** 0 when nothing has won yet. */
  get tipMedianLamports(): number {
    const sorted = [...this.#winningTips].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  /** One half before the first outcome: nothing is known. */
  get landedShare(): number {
    return this.#states.length === 0 ? 0.5 : this.#share("landed");
  }

  get outbidShare(): number {
    return this.#states.length === 0 ? 0 : this.#share("outbid");
  }

  #share(state: string): number {
    return this.#states.filter((one) => one === state).length / this.#states.length;
  }
}

function push<T>(kept: T[], item: T): void {
  kept.push(item);
  if (kept.length > OUTCOMES_KEPT) kept.shift();
}
