import { type Knob, kernelFile, readText } from "#supervise/tuning/knob.ts";

const FOLDER = "/sys/devices/system/clocksource/clocksource0";

export const clocksource: Knob = {
  name: "clocksource",
  why: "Reading the clock takes 20 ns from the processor's counter and a microsecond from any other source",
  reads: "/sys/devices/system/clocksource/clocksource0/current_clocksource",
  applies: "writes tsc where the kernel offers it",
  undoes: "writes the old value",
  risk: "A kernel that left tsc by itself found it unsteady: read its log before",
  source: "kernel.org: timers/timekeeping; virt/kvm/x86/timekeeping",
  settings: (box) => {
    const offered = readText(`${box.root}${FOLDER}/available_clocksource`)?.trim().split(/\s+/) ?? [];
    if (!offered.includes("tsc")) return `this machine offers ${offered.join(", ") || "no choice"}, not tsc`;
    return [kernelFile(box, `${FOLDER}/current_clocksource`, "tsc")];
  },
};
