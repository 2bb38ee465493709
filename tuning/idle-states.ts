import { type Knob, kernelFile, listNames, NO_OWNED_CORES, ownedCores, readText } from "#supervise/tuning/knob.ts";

const LEAVE_US_MAX = 10;

export const idleStates: Knob = {
  name: "idle-states",
  why: "Waking from a deep idle state takes up to hundreds of microseconds, which a doorbell's reader then waits",
  reads: "/sys/devices/system/cpu/cpu*/cpuidle/state*/disable, of states that take longer than 10 µs to leave",
  applies: "writes the value on owned cores",
  undoes: "writes the old value",
  risk: "The owned cores take more power and the others may clock lower",
  source: "kernel.org: admin-guide/pm/cpuidle",
  settings: (box) => {
    const owned = ownedCores(box);
    if (owned.length === 0) return NO_OWNED_CORES;
    const deep = owned.flatMap((core) => {
      const folder = `/sys/devices/system/cpu/cpu${core}/cpuidle`;
      return listNames(box.root + folder, /^state\d+$/)
        .filter((state) => Number(readText(`${box.root}${folder}/${state}/latency`)) > LEAVE_US_MAX)
        .map((state) => kernelFile(box, `${folder}/${state}/disable`, "1"));
    });
    return deep.length === 0
      ? "the kernel has no deep idle states here (a virtual machine, or the command line)"
      : deep;
  },
};
