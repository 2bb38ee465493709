import { type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const lockupWatchdog: Knob = {
  name: "lockup-watchdog",
  why: "The watchdog interrupts every core regularly by a performance counter that the profiler wants, too",
  reads: "/proc/sys/kernel/nmi_watchdog",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "A hard lock-up of the kernel is not noticed by itself",
  source: "kernel.org: admin-guide/lockup-watchdogs",
  settings: (box) => [sysctl(box, "kernel.nmi_watchdog", "0")],
};
