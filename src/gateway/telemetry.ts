/**
 * The newest metrics message of each agent, as it went by on the bus. Sums of a run come from the record; this is only
 * what is true right now.
 */
import type { Metrics } from "#wire/envelope.ts";

/** Agents are few and named by us; a stranger's flood of names must not grow this table. */
const AGENTS_MAX = 32;
/** Metrics come once a second: after this many they no longer say what is true now. */
const FRESH_MS_MAX = 5_000;

type Heard = { readonly metrics: Metrics; readonly heardAtMs: number };
export type HotPath = { readonly p50Ms: number; readonly p99Ms: number };

export class Telemetry {
  readonly #nowMs: () => number;
  readonly #newest = new Map<string, Heard>();
  readonly #hotPath = new Map<string, HotPath>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  accept(metrics: Metrics): void {
    const { agent } = metrics;
    if (!this.#newest.has(agent) && this.#newest.size >= AGENTS_MAX) return;
    this.#newest.set(agent, { metrics, heardAtMs: this.#nowMs() });
    // A second without events has no quantiles: the last ones measured stay.
    if (metrics.hotpathP99Ns > 0n)
      this.#hotPath.set(agent, {
        p50Ms: Number(metrics.hotpathP50Ns) / 1e6,
        p99Ms: Number(metrics.hotpathP99Ns) / 1e6,
      });
  }

  /** Everything heard, by agent. */
  agents(): ReadonlyMap<string, Metrics> {
    return new Map([...this.#newest].map(([agent, { metrics }]) => [agent, metrics]));
  }

  /** When each agent was heard last, Unix ms. */
  heardAtMs(agent: string): number {
    return this.#newest.get(agent)?.heardAtMs ?? 0;
  }

  /** Quantiles of the arbitrage agent's hot thread; of the agent that decides, not of one that only counts. */
  hotPath(): HotPath | undefined {
    for (const [agent, hotPath] of this.#hotPath) if (agent.startsWith("arbitrage")) return hotPath;
    return undefined;
  }

  /** The newest slot any agent has seen, and the smallest lag that a fresh message told. */
  market(): { readonly slot: bigint | undefined; readonly lagMs: number | undefined } {
    let slot: bigint | undefined;
    let lagMs: number | undefined;
    for (const { metrics, heardAtMs } of this.#newest.values()) {
      if (this.#nowMs() - heardAtMs > FRESH_MS_MAX) continue;
      if (slot === undefined || metrics.slot > slot) slot = metrics.slot;
      const lag = Number(metrics.marketLagMs);
      if (lagMs === undefined || lag < lagMs) lagMs = lag;
    }
    return { slot, lagMs };
  }
}
