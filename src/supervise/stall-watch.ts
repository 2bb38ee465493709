/**
 * Finds a process that stands still: its beats, looked at every few ms. What counts is the time in which the watcher
 * itself was awake, look by look, so neither a pause of the whole box nor a step of the clock is taken for a stall.
 *
 * The time to detection is bounded: a beat is seen at the next look, and the stall at the first look after
 * `limitMs` without another, so at most limitMs + 2 looks after it began.
 */

import type { ProcessReport } from "#core/run-report.ts";

/** How often the supervisor looks. */
export const LOOK_EVERY_MS = 15;
/** What a look may add to the silence: if the watcher comes later, it is the watcher who was away. */
const LOOK_MS_MAX = 2 * LOOK_EVERY_MS;

/** ms are as the watcher's looks add them up. */
export const NO_STALLS: ProcessReport["stalls"] = { count: 0, totalMs: 0, longestMs: 0 };

export type Look = { readonly kind: "stalled" } | { readonly kind: "goesOn"; readonly lengthMs: number };

export class StallWatch {
  /** Since the last beat that was seen. */
  silentMs = 0;
  figures = NO_STALLS;
  readonly #limitMs: number;
  #beats = -1;
  #lookedAtMs: number | undefined;
  #stalled = false;

  /** A process that has not beaten for `limitMs` is stalled. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** A new life of the process: its silence begins now. The figures go on. */
  restart(nowMs: number): void {
    this.silentMs = 0;
    this.#stalled = false;
    this.#lookedAtMs = nowMs;
  }

  /** One look. `serves`: its stalls count; a process that starts or stops has other things to do than beat. */
  look(beats: number, serves: boolean, nowMs: number): Look | undefined {
    const passedMs = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = nowMs;
    if (beats !== this.#beats) {
      this.#beats = beats;
      return this.#goOn();
    }
    this.silentMs += Math.min(Math.max(passedMs, 0), LOOK_MS_MAX);
    if (this.#stalled || !serves || this.silentMs < this.#limitMs) return undefined;
    this.#stalled = true;
    this.figures = { ...this.figures, count: this.figures.count + 1 };
    return { kind: "stalled" };
  }

  #goOn(): Look | undefined {
    const lengthMs = this.silentMs;
    this.silentMs = 0;
    if (!this.#stalled) return undefined;
    this.#stalled = false;
    const { count, totalMs, longestMs } = this.figures;
    this.figures = { count, totalMs: totalMs + lengthMs, longestMs: Math.max(longestMs, lengthMs) };
    return { kind: "goesOn", lengthMs };
  }
}
