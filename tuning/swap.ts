import { type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const swap: Knob = {
  name: "swap",
  why: "A page of a waiting thread that went to disk comes back in milliseconds",
  reads: "/proc/sys/vm/swappiness",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "Under memory pressure the kernel drops file pages first, so ClickHouse reads from disk more often",
  source: "kernel.org: admin-guide/sysctl/vm, swappiness",
  settings: (box) => [sysctl(box, "vm.swappiness", "1", { suffices: (value) => Number(value) <= 1 })],
};
