/**
 * The guard's eyes and hand on one trading agent: each second the agent's telemetry region becomes a second of the
 * windows, the windows become verdicts, and what the state machine orders is written on the agent's guard line.
 * It needs the memory of the box and a clock, nothing else.
 */
import type { Clock } from "#core/clock.ts";
import { GuardLine, type GuardOrder } from "#memory/guard-line.ts";
import { TelemetryReader } from "#memory/telemetry.ts";
import { Guard, type GuardAction } from "./guard.ts";
import { judge, type Objective, type Verdict } from "./objectives.ts";
import { Windows } from "./windows.ts";

/** An agent whose io thread has written nothing for so long is restarting or gone; its lag is not the market's. */
const AGENT_SILENT_NS_MAX = 5e9;

export type WatchParts = {
  readonly agent: string;
  readonly objectives: readonly Objective[];
  /** TELEMETRY_BYTES, written by the agent. */
  readonly telemetry: ArrayBufferLike;
  /** GUARD_LINE_BYTES, read by the agent. */
  readonly line: ArrayBufferLike;
  readonly clock: Clock;
  /** What was in force when the box went down; asked only when the line is new. */
  readonly before?: GuardOrder | undefined;
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

  constructor(private readonly parts: WatchParts) {
    this.#reader = new TelemetryReader(parts.telemetry);
    this.#line = new GuardLine(parts.line);
    this.#guard = new Guard(this.#line.heard ? this.#line.order() : parts.before);
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

  /** What is in force on the agent. */
  order() {
    return this.#line.order();
  }

  /** An operator has started the agent again. */
  lift(): void {
    this.#guard.lift();
    this.#windows.mark();
  }

  /** Looks once; call it every second. Answers what was done, if anything. */
  second(): GuardAction | undefined {
    const { clock, objectives, acts } = this.parts;
    const nowNs = clock.monotonicNs();
    const window = this.#reader.takeWindow();
    const heard = nowNs - window.writtenNs < AGENT_SILENT_NS_MAX && window.newestFeedNs > 0;
    const offsetNs = wallMinusMonotonicNs(clock);
    this.#windows.push({
      ...window,
      marketLagMs: heard ? Math.max(0, nowNs - window.newestFeedNs) / 1e6 : undefined,
      clockStepMs: Math.abs(offsetNs - this.#wallMinusMonotonicNs) / 1e6,
    });
    this.#wallMinusMonotonicNs = offsetNs;
    this.#verdicts = judge(objectives, this.#windows);
    const action = acts ? this.#guard.second(this.#verdicts) : undefined;
    if (action !== undefined) this.#windows.mark();
    const violated = this.#verdicts.some(({ state }) => state === "violated" || state === "severe");
    this.#line.say(this.#guard.order(), violated, nowNs);
    return action;
  }
}

/** Exact to 0.2 µs as a double, which is what Unix ns fit into. */
const wallMinusMonotonicNs = (clock: Clock): number => Number(clock.wallNs() - BigInt(Math.round(clock.monotonicNs())));
