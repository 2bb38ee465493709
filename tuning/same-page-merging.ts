import { type Knob, kernelFile } from "#supervise/tuning/knob.ts";

export const samePageMerging: Knob = {
  name: "same-page-merging",
  why: "A merged page must be copied again at the first write, by the thread that writes",
  reads: "/sys/kernel/mm/ksm/run",
  applies: "writes the value 0: what is merged stays so",
  undoes: "writes the old value",
  risk: "Virtual machines on this host use more memory",
  source: "kernel.org: admin-guide/mm/ksm",
  settings: (box) => [kernelFile(box, "/sys/kernel/mm/ksm/run", "0", { suffices: (value) => value !== "1" })],
};
