/**
 * What the guard says to one trading agent, in a region that needs nothing but the memory of the box: neither bus nor
 * store nor gateway. The agent looks at it in every turn of its loop.
 *
 *   byte 0   f64 beatNs        CLOCK_MONOTONIC of the guard's last look at the agent; 0: there was never a guard
 *        8   f64 throttlePct   share of opportunities to pass over, 0..100
 *       16   f64 killed        1: send nothing until an operator has lifted it
 *       24   f64 violated      1: a service level is violated at this moment; only told, it orders nothing
 *
 * Each word says its thing alone, so a reader that meets one old and one new word is right about both. The region
 * outlives guard and agent: a kill stays one over any restart.
 */

/** Size of the region. */
export const GUARD_LINE_BYTES = 32;
/** While a new line has not been spoken on, its agent waits: what was in force before a restart is not known yet. */
const WAITING: GuardLimits = { throttlePct: 100, killed: false, guardSilent: false };
/** A guard that was not heard for so long is dead: its agent goes to reducing by itself. */
export const GUARD_SILENT_NS_MAX = 5e9;
/** What an agent passes over while its guard is dead. */
export const REDUCING_THROTTLE_PCT = 75;

export type GuardOrder = { readonly throttlePct: number; readonly killed: boolean };

/** The guard's end. */
export class GuardLine {
  readonly #words: Float64Array;

  constructor(region: ArrayBufferLike) {
    this.#words = new Float64Array(region, 0, 4);
  }

  /** Whether a guard has ever spoken on this line. */
  get heard(): boolean {
    return this.#words[0] !== 0;
  }

  /** What was last ordered, by this guard or the one before it. */
  order(): GuardOrder {
    return { throttlePct: this.#words[1] as number, killed: this.#words[2] !== 0 };
  }

  say(order: GuardOrder, violated: boolean, atNs: number): void {
    this.#words[1] = order.throttlePct;
    this.#words[2] = order.killed ? 1 : 0;
    this.#words[3] = violated ? 1 : 0;
    this.#words[0] = atNs;
  }
}

/** What an agent has to keep to; `guardSilent` says that it is the agent's own caution. */
export type GuardLimits = GuardOrder & { readonly guardSilent: boolean };

/** The agent's end. */
export class GuardLineReader {
  readonly #words: Float64Array;
  #limits: GuardLimits = { throttlePct: 0, killed: false, guardSilent: false };

  constructor(
    region: ArrayBufferLike,
    /** CLOCK_MONOTONIC: a guard gets as long to begin as to go on. */
    private readonly sinceNs: number,
  ) {
    this.#words = new Float64Array(region, 0, 4);
  }

  get violated(): boolean {
    return this.#words[3] !== 0;
  }

  /** The same object as long as nothing changed. */
  limits(nowNs: number): GuardLimits {
    const beatNs = this.#words[0] as number;
    const heardNs = Math.max(beatNs, this.sinceNs);
    const guardSilent = nowNs - heardNs > GUARD_SILENT_NS_MAX;
    if (beatNs === 0 && !guardSilent) return WAITING;
    const ordered = this.#words[1] as number;
    const throttlePct = guardSilent ? Math.max(ordered, REDUCING_THROTTLE_PCT) : ordered;
    const killed = this.#words[2] !== 0;
    const before = this.#limits;
    if (before.throttlePct !== throttlePct || before.killed !== killed || before.guardSilent !== guardSilent)
      this.#limits = { throttlePct, killed, guardSilent };
    return this.#limits;
  }
}
