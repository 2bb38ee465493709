/**
 * Time as a dependency. Code that needs time takes a Clock; only entry points make the system's. Latencies use the
 * monotonic clock, which all processes of one boot share; records use the wall clock.
 */

export interface Clock {
  /** CLOCK_MONOTONIC in nanoseconds: the same in every process of this boot, exact as a double for 104 days of uptime. */
  monotonicNs(): number;
  /** Unix time in nanoseconds. */
  wallNs(): bigint;
  /** How far wallNs() may be off, as of the last second or so; undefined where nobody can say. */
  wallQuality(): ClockQuality | undefined;
}

/** What the kernel believes of the wall clock. */
export type ClockQuality = {
  /** Whether anybody keeps it; the figures mean nothing where nobody does. */
  readonly isSynchronised: boolean;
  /** Still to be corrected; its sign is the kernel's. */
  readonly offsetMs: number;
  readonly estimatedErrorMs: number;
  readonly errorMsMax: number;
};

/** A clock that moves only when told to, for tests and replay. */
export class ManualClock implements Clock {
  #monotonicNs: number;
  #wallNs: bigint;
  constructor(wallNs = 0n, monotonicNs = 0) {
    this.#wallNs = wallNs;
    this.#monotonicNs = monotonicNs;
  }
  monotonicNs(): number {
    return this.#monotonicNs;
  }
  wallNs(): bigint {
    return this.#wallNs;
  }
  wallQuality(): undefined {
    return undefined;
  }
  advanceNs(ns: number): void {
    this.#monotonicNs += ns;
    this.#wallNs += BigInt(ns);
  }
  setWallNs(ns: bigint): void {
    this.#wallNs = ns;
  }
}
