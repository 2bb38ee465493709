import { type Knob, NO_OWNED_CORES, sysctl } from "#supervise/tuning/knob.ts";

export const timerMigration: Knob = {
  name: "timer-migration",
  why: "Timers of idle cores move to busy ones, and the busiest is the hot thread's",
  reads: "/proc/sys/kernel/timer_migration",
  applies: "writes the value where a thread owns a core",
  undoes: "writes the old value",
  risk: "Idle cores wake for their own timers and sleep less deeply",
  source: "kernel.org: timers/no_hz",
  settings: (box) => (box.plan.seats.length === 0 ? NO_OWNED_CORES : [sysctl(box, "kernel.timer_migration", "0")]),
};
