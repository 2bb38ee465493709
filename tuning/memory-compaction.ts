import { type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const memoryCompaction: Knob = {
  name: "memory-compaction",
  why: "The kernel moves pages ahead of need, or searches the near node to the bottom before it takes a far page: pauses on whoever faults",
  reads: "/proc/sys/vm/compaction_proactiveness, zone_reclaim_mode",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "Large allocations may have to compact when they come",
  source: "kernel.org: admin-guide/sysctl/vm",
  settings: (box) => [sysctl(box, "vm.compaction_proactiveness", "0"), sysctl(box, "vm.zone_reclaim_mode", "0")],
};
