/**
 * The clock of the machine. Bun.nanoseconds() is quick but starts at 0 in each process, so its distance to
 * CLOCK_MONOTONIC is measured once, at the start: stamps of all processes of one boot then compare, to within the
 * fraction of a microsecond that the measurement takes.
 */
import { ptr } from "bun:ffi";
import type { Clock, ClockQuality } from "#core/clock.ts";
import { readClockQuality } from "./clock-quality.ts";
import { libc } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const BASE_SAMPLES = 32;
/** How long a reading of the wall clock's quality is good: the kernel's own figures move once a second. */
const QUALITY_NS = 1e9;

/** Seconds and nanoseconds, as clock_gettime writes them; the module keeps them alive for the pointer's sake. */
const timespec = new BigInt64Array(new ArrayBuffer(16));
const timespecAddress = ptr(timespec);

export function createSystemClock(): Clock {
  const baseNs = measureBaseNs();
  let quality: ClockQuality | undefined;
  let readNs = Number.NEGATIVE_INFINITY;
  return {
    monotonicNs: () => baseNs + Bun.nanoseconds(),
    wallNs: () => readClock(CLOCK_REALTIME),
    wallQuality: () => {
      const nowNs = Bun.nanoseconds();
      if (nowNs - readNs < QUALITY_NS) return quality;
      readNs = nowNs;
      quality = readClockQuality();
      return quality;
    },
  };
}

/** CLOCK_MONOTONIC minus Bun.nanoseconds(): of several samples, the one taken in the shortest time. */
function measureBaseNs(): number {
  let baseNs = 0;
  let shortestNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < BASE_SAMPLES; i++) {
    const before = Bun.nanoseconds();
    const monotonicNs = Number(readClock(CLOCK_MONOTONIC));
    const after = Bun.nanoseconds();
    if (after - before >= shortestNs) continue;
    shortestNs = after - before;
    baseNs = monotonicNs - (before + after) / 2;
  }
  return baseNs;
}

function readClock(clock: number): bigint {
  libc.clock_gettime(clock, timespecAddress);
  return (timespec[0] as bigint) * 1_000_000_000n + (timespec[1] as bigint);
}
