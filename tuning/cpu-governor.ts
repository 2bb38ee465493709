import { existsSync } from "node:fs";
import { type Knob, kernelFile, listNames } from "#supervise/tuning/knob.ts";

const CPUS = "/sys/devices/system/cpu";

export const cpuGovernor: Knob = {
  name: "cpu-governor",
  why: "A core that was clocked down takes milliseconds to come up again, and the first decisions after a silence are the slowest",
  reads: "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
  applies: "writes the value for each core",
  undoes: "writes the old value of each core",
  risk: "More power and heat; on a small cooler a lower top clock",
  source: "kernel.org: admin-guide/pm/cpufreq",
  settings: (box) => {
    const cores = listNames(`${box.root}${CPUS}`, /^cpu\d+$/).filter((name) =>
      existsSync(`${box.root}${CPUS}/${name}/cpufreq`),
    );
    if (cores.length === 0)
      return "the kernel has no say over the clock here (a virtual machine, or no cpufreq driver)";
    return cores.map((name) => kernelFile(box, `${CPUS}/${name}/cpufreq/scaling_governor`, "performance"));
  },
};
