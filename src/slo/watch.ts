/**
 * The guard's eyes and hand on one trading agent: each second the agent's telemetry region becomes a second of the
 * windows, the windows become verdicts, and what the state machine orders is written on the agent's guard line.
 * It needs the memory of the box and a clock, nothing else.
 */
import type { Clock, ClockQuality } from "#core/clock.ts";
import { GuardLine, type GuardOrder } from "#memory/guard-line.ts";
import { TelemetryReader } from "#memory/telemetry.ts";
import { Guard, type GuardAction } from "./guard.ts";
import { judge, type Objective, type Verdict } from "./objectives.ts";
import { Windows } from "./windows.ts";

/** An agent whose io thread has written nothing for so long is restarting or gone; its lag is not the market's. */
const AGENT_SILENT_NS_MAX = 5e9;
const CLOCK_SAMPLES = 8;

/** Of an earlier guard: its order, and how often the agent had been started by an operator at the last kill. */
export type GuardBefore = GuardOrder & { readonly startsAtKill: number };

export type WatchParts = {
  readonly agent: string;
  readonly objectives: readonly Objective[];
  /** TELEMETRY_BYTES, written by the agent. */
  readonly telemetry: ArrayBufferLike;
  /** GUARD_LINE_BYTES, read by the agent. */
  readonly line: ArrayBufferLike;
  readonly clock: Clock;
  /** The kernel's word on the wall clock; undefined where it gives none. */
  readonly clockQuality: () => ClockQuality | undefined;
  /** What was in force when the box went down. */
  readonly before?: GuardBefore | undefined;
  /** false: verdicts are made and told, nothing is ordered. */
  readonly acts: boolean;
};

export class Watch {
  readonly #reader: TelemetryReader;
  readonly #line: GuardLine;
  readonly #guard: Guard;
  readonly #windows: Windows;
  #wallMinusMonotonicNs: number;
  #verdicts: readonly Verdict[] = [];
  #startsAtKill: number;
  #quality: ClockQuality | undefined;
  #publishLagMs: number | undefined;

  constructor(private readonly parts: WatchParts) {
    this.#reader = new TelemetryReader(parts.telemetry);
    this.#line = new GuardLine(parts.line);
    this.#guard = new Guard(this.#line.heard ? this.#line.order() : parts.before);
    this.#startsAtKill = parts.before?.startsAtKill ?? 0;
    const hotPath = parts.objectives.find(({ name }) => name === "hot-path-p99");
    this.#windows = new Windows((hotPath?.limit ?? Number.POSITIVE_INFINITY) * 1e6);
    this.#wallMinusMonotonicNs = wallMinusMonotonicNs(parts.clock);
  }

  get agent(): string {
    return this.parts.agent;
  }

  get verdicts(): readonly Verdict[] {
    return this.#verdicts;
  }

  /** Since the bus last acknowledged something of the agent's; undefined before the first time and while it is away. */
  get publishLagMs(): number | undefined {
    return this.#publishLagMs;
  }

  get clockQuality(): ClockQuality | undefined {
    return this.#quality;
  }

  /** What is in force on the agent, as the next guard has to know it. */
  order(): GuardBefore {
    return { ...this.#line.order(), startsAtKill: this.#startsAtKill };
  }

  /** Looks once; call it every second. Answers what was done, if anything. */
  second(): GuardAction | undefined {
    const { clock, clockQuality, objectives, acts } = this.parts;
    const nowNs = clock.monotonicNs();
    const window = this.#reader.takeWindow();
    const speaks = nowNs - window.writtenNs < AGENT_SILENT_NS_MAX;
    const ageMs = (ns: number) => (speaks && ns > 0 ? Math.max(0, nowNs - ns) / 1e6 : undefined);
    this.#quality = clockQuality();
    this.#publishLagMs = ageMs(window.publishedNs);
    const offsetNs = wallMinusMonotonicNs(clock);
    this.#windows.push({
      ...window,
      marketLagMs: ageMs(window.newestFeedNs),
      chainLagMs: ageMs(window.chainReadNs),
      clockStepMs: Math.abs(offsetNs - this.#wallMinusMonotonicNs) / 1e6,
      clockErrorMs: errorMsOf(this.#quality),
    });
    this.#wallMinusMonotonicNs = offsetNs;
    this.#verdicts = judge(objectives, this.#windows);
    const action = acts ? this.#act(window.starts) : undefined;
    if (action !== undefined) this.#windows.mark();
    const violated = this.#verdicts.some(({ state }) => state === "violated" || state === "severe");
    this.#line.say(this.#guard.order(), violated, nowNs);
    return action;
  }

  #act(starts: number): GuardAction | undefined {
    if (this.#guard.order().killed) return starts > this.#startsAtKill ? this.#guard.lift() : undefined;
    const action = this.#guard.second(this.#verdicts);
    if (action?.kind === "kill") this.#startsAtKill = starts;
    return action;
  }
}

const errorMsOf = (quality: ClockQuality | undefined): number | undefined =>
  quality?.isSynchronised ? Math.abs(quality.offsetMs) + quality.estimatedErrorMs : undefined;

/**
 * The distance of the two clocks: of several samples, the one read in the shortest time, so that a process that was put
 * aside between two reads does not look like a clock that was set. Exact to 0.2 µs as a double, which is what Unix ns fit
 * into.
 */
function wallMinusMonotonicNs(clock: Clock): number {
  let distanceNs = 0;
  let shortestNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CLOCK_SAMPLES; i++) {
    const before = clock.monotonicNs();
    const wall = clock.wallNs();
    const tookNs = clock.monotonicNs() - before;
    if (tookNs >= shortestNs) continue;
    shortestNs = tookNs;
    distanceNs = Number(wall - BigInt(Math.round(before + tookNs / 2)));
  }
  return distanceNs;
}
