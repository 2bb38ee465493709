/**
 * What the agent reports once a second, gathered from the hot thread's counters and histogram and from what the io thread
 * saw: sends, landings, money. All windows are bounded lists or rings; nothing grows with time.
 */
import { lamportsToSol } from "#core/units.ts";
import { COUNTER, type CounterName } from "#decide/counters.ts";
import type { RungStatistics } from "#decide/tips/tip-bandit.ts";
import type { MetricsFields } from "#wire/envelope.ts";
import type { Settlement } from "./bundle.ts";
import type { AgentIdentity } from "./records.ts";
import { PoolVerdicts, type SimulatedHops } from "./simulate/pool-verdicts.ts";
import type { Simulation } from "./simulate/simulator.ts";

/** What the guard reads too, in shared memory, as far as this room needs to know it. */
export type Telemetry = {
  readonly figures: {
    add(figure: AddedFigure, by: number): void;
    set(figure: SetFigure, value: number): void;
  };
  readonly sends: { record(ns: number): void };
  readonly hotPathWindows: LatencyWindows;
  readonly sendWindows: LatencyWindows;
};
type SetFigure = "writtenNs" | "chainReadNs" | "publishedNs" | "falseQuotesPct" | "falseQuotesSamples";
type AddedFigure = "settled" | "landed" | "lostTrades" | "gainedLamports" | "lostLamports";
type LatencyWindows = { takeWindow(): { readonly maxNs: number; quantile(q: number): number } };

export type MetricsParts = {
  readonly identity: AgentIdentity;
  /** Of the newest decision, before the first that of the start. */
  readonly modelHash: () => string;
  readonly counters: Float64Array;
  readonly tipStatistics: () => readonly RungStatistics[];
  readonly telemetry: Telemetry;
  /** What the guard says of this moment. */
  readonly sloViolated: () => boolean;
  readonly publishDropped: () => number;
};

const SECONDS_KEPT = 3_600;
const LANDED_WINDOW_SECONDS = 60;

type Second = { settled: number; landed: number; realisedLamports: bigint };

export class AgentMetrics {
  /** The last hour, one entry a second, the present one last. */
  readonly #seconds: Second[] = [{ settled: 0, landed: 0, realisedLamports: 0n }];
  readonly #verdicts = new PoolVerdicts();
  readonly #before = new Map<CounterName, number>();

  constructor(private readonly parts: MetricsParts) {}

  /** Until the route acknowledged it, or was given up: its latency is at least that, and leaving it out would flatter the rest. */
  sendTook(latencyNs: number): void {
    this.parts.telemetry.sends.record(latencyNs);
  }

  simulated(hops: SimulatedHops, simulation: Simulation, monotonicNs: number): void {
    this.#verdicts.note(hops, simulation, monotonicNs);
  }

  settled(settlement: Settlement): void {
    const now = this.#seconds.at(-1);
    if (now === undefined) return;
    now.settled++;
    if (settlement.state === "landed") now.landed++;
    now.realisedLamports += settlement.realisedNetLamports;
    this.#tellGuard(settlement);
  }

  /** The report on the window since the last call, and the start of the next. */
  take(atNs: bigint, monotonicNs: number, windowMs: number): MetricsFields {
    const { identity, counters, telemetry, publishDropped, sloViolated, modelHash } = this.parts;
    const hot = telemetry.hotPathWindows.takeWindow();
    const worst = this.#verdicts.worst(monotonicNs);
    telemetry.figures.set("falseQuotesPct", worst.pct);
    telemetry.figures.set("falseQuotesSamples", worst.samples);
    telemetry.figures.set("writtenNs", monotonicNs);
    const minute = this.#seconds.slice(-LANDED_WINDOW_SECONDS);
    const settled = minute.reduce((sum, second) => sum + second.settled, 0);
    const landed = minute.reduce((sum, second) => sum + second.landed, 0);
    const pnl = this.#seconds.reduce((sum, second) => sum + second.realisedLamports, 0n);
    const total = (name: CounterName) => counters[COUNTER[name]] as number;
    const rungs = this.parts.tipStatistics();
    const newestNs = total("newestFeedNs");
    const fields: MetricsFields = {
      hotpathP50: hot.quantile(0.5) / 1e6,
      hotpathP99: hot.quantile(0.99) / 1e6,
      sendP99: telemetry.sendWindows.takeWindow().quantile(0.99) / 1e6,
      landedPct: settled === 0 ? 0 : (100 * landed) / settled,
      pnl1h: lamportsToSol(pnl),
      sloViolation: sloViolated(),
      agent: identity.agent,
      mode: identity.mode,
      atNs,
      windowMs,
      events: this.#since("records"),
      swaps: this.#since("swaps"),
      decisions: this.#since("decisions"),
      sends: this.#since("sends"),
      landed: BigInt(this.#seconds.at(-1)?.landed ?? 0),
      marketDropped: BigInt(total("marketDropped")),
      publishDropped: BigInt(total("decisionsDropped") + publishDropped()),
      hotpathP50Ns: BigInt(Math.round(hot.quantile(0.5))),
      hotpathP99Ns: BigInt(Math.round(hot.quantile(0.99))),
      hotpathP999Ns: BigInt(Math.round(hot.quantile(0.999))),
      hotpathMaxNs: BigInt(Math.round(hot.maxNs)),
      slot: BigInt(total("slot")),
      marketLagMs: BigInt(newestNs === 0 ? 0 : Math.max(0, Math.round((monotonicNs - newestNs) / 1e6))),
      pnl1hLamports: pnl,
      eventsTotal: BigInt(total("records")),
      swapsTotal: BigInt(total("swaps")),
      modelHash: modelHash(),
      ringDepthMax: total("ringDepthMax"),
      tipLadder: rungs.map(({ tipLamports }) => BigInt(tipLamports)),
      tipPlayed: rungs.map(({ played }) => BigInt(played)),
      tipLanded: rungs.map(({ landed }) => BigInt(landed)),
      tipPayoff: rungs.map(({ payoffMean }) => payoffMean),
    };
    counters[COUNTER.ringDepthMax] = 0;
    this.#seconds.push({ settled: 0, landed: 0, realisedLamports: 0n });
    if (this.#seconds.length > SECONDS_KEPT) this.#seconds.shift();
    return fields;
  }

  /** A bundle that failed on chain lost its fee: it counts as landed with a loss. */
  #tellGuard({ state, realisedNetLamports }: Settlement): void {
    const { figures } = this.parts.telemetry;
    const net = Number(realisedNetLamports);
    figures.add("settled", 1);
    if (state === "landed" || state === "failed") figures.add("landed", 1);
    if (net < 0) figures.add("lostTrades", 1);
    figures.add(net < 0 ? "lostLamports" : "gainedLamports", Math.abs(net));
  }

  #since(name: CounterName): bigint {
    const now = this.parts.counters[COUNTER[name]] as number;
    const before = this.#before.get(name) ?? 0;
    this.#before.set(name, now);
    return BigInt(now - before);
  }
}
