import { type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const numaBalancing: Knob = {
  name: "numa-balancing",
  why: "The kernel takes pages away for a moment to see who touches them: faults on a hot thread, for a placement that the plan has already made",
  reads: "/proc/sys/kernel/numa_balancing",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "Programs that nobody placed may read from the far node",
  source: "kernel.org: admin-guide/sysctl/kernel, numa_balancing",
  settings: (box) => [sysctl(box, "kernel.numa_balancing", "0")],
};
