import { atLeast, type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const memoryStatistics: Knob = {
  name: "memory-statistics",
  why: "Each second a worker visits every core to fold memory counters, also an owned one",
  reads: "/proc/sys/vm/stat_interval",
  applies: "writes the value: two minutes",
  undoes: "writes the old value",
  risk: "/proc/vmstat may be two minutes old",
  source: "kernel.org: admin-guide/sysctl/vm, stat_interval",
  settings: (box) => [sysctl(box, "vm.stat_interval", "120", { suffices: atLeast(60) })],
};
