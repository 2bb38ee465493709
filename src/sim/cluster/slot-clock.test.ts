import { describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { startSlotClock } from "./slot-clock.ts";

/** A timer that runs when told to, with the clock it belongs to. */
function bench() {
  const clock = new ManualClock();
  let waiting: (() => void) | undefined;
  let slots = 0;
  let askedMs = 0;
  const slotClock = startSlotClock(
    { nextSlot: () => void slots++ },
    {
      slotMs: 400,
      clock,
      schedule: (callback, ms) => {
        askedMs = ms;
        waiting = callback;
        return () => {
          waiting = undefined;
        };
      },
    },
  );
  const fireAfter = (ms: number) => {
    clock.advanceNs(ms * 1_000_000);
    waiting?.();
  };
  return { slotClock, fireAfter, slots: () => slots, askedMs: () => askedMs, isWaiting: () => waiting !== undefined };
}

describe("startSlotClock()", () => {
  test("ends a slot per period, and lateness does not add up", () => {
    const { fireAfter, slots, askedMs } = bench();
    expect([slots(), askedMs()]).toEqual([0, 400]);
    fireAfter(430);
    expect([slots(), askedMs()]).toEqual([1, 370]);
    fireAfter(370);
    expect([slots(), askedMs()]).toEqual([2, 400]);
  });

  test("waits on when the timer came early", () => {
    const { fireAfter, slots, askedMs } = bench();
    fireAfter(390);
    expect([slots(), askedMs()]).toEqual([0, 10]);
  });

  test("makes up a few slots, lets a long stop go and counts what it lost", () => {
    const { fireAfter, slots, askedMs, slotClock } = bench();
    fireAfter(400 + 2 * 400);
    for (let i = 0; i < 2; i++) fireAfter(0);
    expect([slots(), slotClock.slotsLost, askedMs()]).toEqual([3, 0, 400]);
    fireAfter(400 + 100 * 400);
    expect([slots(), slotClock.slotsLost]).toEqual([4, 96]);
    for (let i = 0; i < 4; i++) fireAfter(0);
    expect([slots(), askedMs()]).toEqual([8, 400]);
  });

  test("stops", () => {
    const { slotClock, isWaiting } = bench();
    slotClock.stop();
    expect(isWaiting()).toBe(false);
  });
});
