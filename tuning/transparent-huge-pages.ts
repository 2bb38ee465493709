import { type Knob, kernelFile } from "#supervise/tuning/knob.ts";

export const transparentHugePages: Knob = {
  name: "transparent-huge-pages",
  why: "With `always`, a page fault may stop to compact memory, and khugepaged moves pages under a running thread",
  reads: "/sys/kernel/mm/transparent_hugepage",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "A program that relied on `always` has more TLB misses; ClickHouse asks by madvise where it gains",
  source: "kernel.org: admin-guide/mm/transhuge",
  settings: (box) => [
    kernelFile(box, "/sys/kernel/mm/transparent_hugepage/enabled", "madvise", {
      suffices: (value) => value === "madvise" || value === "never",
    }),
    kernelFile(box, "/sys/kernel/mm/transparent_hugepage/defrag", "madvise", {
      suffices: (value) => ["madvise", "defer", "never"].includes(value),
    }),
    kernelFile(box, "/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "0"),
  ],
};
