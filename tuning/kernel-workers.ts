import { coreMask } from "#supervise/placement/cores.ts";
import { type Knob, kernelFile, NO_OWNED_CORES, withoutZeros } from "#supervise/tuning/knob.ts";

export const kernelWorkers: Knob = {
  name: "kernel-workers",
  why: "Unbound kernel workers (writeback, crypto) run on any core, also an owned one",
  reads: "/sys/devices/virtual/workqueue/cpumask",
  applies: "writes the mask of the cores that nobody owns",
  undoes: "writes the old value",
  risk: "Kernel work has fewer cores",
  source: "kernel.org: core-api/workqueue, affinity scopes",
  settings: (box) =>
    box.plan.seats.length === 0
      ? NO_OWNED_CORES
      : [kernelFile(box, "/sys/devices/virtual/workqueue/cpumask", coreMask(box.plan.shared), { parse: withoutZeros })],
};
