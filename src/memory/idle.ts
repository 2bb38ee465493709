/**
 * What a thread does when its ring has nothing for it, or no room: one object per thread, called once per turn with how
 * much the turn did. A thread that parks on a doorbell (#ffi/doorbell.ts) needs none of these.
 */

/** Call it once per turn. */
export type Idle = (done: number) => void;

/** Turns that spin before the first nap. */
const SPINS = 64;
const NAP_FIRST_MS = 0.05;
const NAP_LONGEST_MS = 1;

/** For a thread that owns its core: never gives it back, but leaves it to a sibling hardware thread between two looks. */
export const spinIdle: Idle = (done) => {
  if (done === 0) Atomics.pause();
};

/** For a thread that shares: spins a moment, then naps twice as long each time, up to a millisecond. */
export function backoffIdle(): Idle {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let turns = 0;
  let napMs = NAP_FIRST_MS;
  return (done) => {
    if (done > 0) {
      turns = 0;
      napMs = NAP_FIRST_MS;
      return;
    }
    if (++turns <= SPINS) return;
    Atomics.wait(never, 0, 0, napMs);
    napMs = Math.min(napMs * 2, NAP_LONGEST_MS);
  };
}
