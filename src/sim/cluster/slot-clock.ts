/**
 * Ends a slot every `slotMs`, by the monotonic clock, so that late timers do not add up. When the process was held up for
 * longer than a few slots, the missed time is let go instead of being made up in a burst, and counted.
 */
import type { Clock } from "#core/clock.ts";
import type { Cluster } from "./cluster.ts";

/** Slots that are made up for one after the other when a timer comes late. */
const SLOTS_LATE_MAX = 4;
const NS_PER_MS = 1_000_000;

/** Calls back once after this many ms; answers how to cancel. */
export type Schedule = (callback: () => void, ms: number) => () => void;

export type SlotClock = { stop(): void; readonly slotsLost: number };

const systemSchedule: Schedule = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

export function startSlotClock(
  cluster: Pick<Cluster, "nextSlot">,
  options: { readonly slotMs: number; readonly clock: Clock; readonly schedule?: Schedule },
): SlotClock {
  const { clock, schedule = systemSchedule } = options;
  const slotNs = options.slotMs * NS_PER_MS;
  let slotsLost = 0;
  let dueNs = clock.monotonicNs() + slotNs;
  let cancel = (): void => {};
  const wait = (): void => {
    cancel = schedule(tick, Math.max(0, (dueNs - clock.monotonicNs()) / NS_PER_MS));
  };
  const tick = (): void => {
    const lateSlots = Math.floor((clock.monotonicNs() - dueNs) / slotNs);
    if (lateSlots < 0) {
      // The timer came early.
      wait();
      return;
    }
    const lost = Math.max(0, lateSlots - SLOTS_LATE_MAX);
    slotsLost += lost;
    dueNs += slotNs * (lost + 1);
    // Scheduled first: a listener that throws must not stop the clock.
    wait();
    cluster.nextSlot();
  };
  wait();
  return {
    stop: () => cancel(),
    get slotsLost() {
      return slotsLost;
    },
  };
}
