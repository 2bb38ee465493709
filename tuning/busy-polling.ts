import { type Knob, NO_OWNED_CORES, sysctl } from "#supervise/tuning/knob.ts";

export const busyPolling: Knob = {
  name: "busy-polling",
  why: "A packet waits for an interrupt, a softirq and a wake-up; a reader that polls the card's queue has it some 10 µs earlier",
  reads: "/proc/sys/net/core/busy_read, busy_poll",
  applies: "writes the value, 50 µs, where a thread owns a core",
  undoes: "writes the old value",
  risk: "A blocked read burns up to 50 µs of CPU: only where there are cores for it",
  source: "kernel.org: networking/napi, busy polling",
  settings: (box) =>
    box.plan.seats.length === 0
      ? NO_OWNED_CORES
      : [sysctl(box, "net.core.busy_read", "50"), sysctl(box, "net.core.busy_poll", "50")],
};
