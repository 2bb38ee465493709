import { coreMask, formatCores, parseCores } from "#supervise/placement/cores.ts";
import { type Knob, kernelFile, listNames, NO_OWNED_CORES, ownedCores, withoutZeros } from "#supervise/tuning/knob.ts";

export const irqAffinity: Knob = {
  name: "irq-affinity",
  why: "An interrupt on an owned core takes it away for microseconds and throws its cache out",
  reads: "/proc/irq/*/smp_affinity_list",
  applies: "writes the cores that nobody owns; interrupts that the kernel manages refuse and are told",
  undoes: "writes the old cores of each interrupt",
  risk: "The cores that are left take all interrupts. irqbalance would move them back: stop it, or set IRQBALANCE_BANNED_CPULIST",
  source: "kernel.org: core-api/irq/irq-affinity",
  settings: (box) => {
    const owned = ownedCores(box);
    if (owned.length === 0) return NO_OWNED_CORES;
    const away = (value: string) => !parseCores(value).some((core) => owned.includes(core));
    const { shared } = box.plan;
    return [
      kernelFile(box, "/proc/irq/default_smp_affinity", coreMask(shared), { parse: withoutZeros }),
      ...listNames(`${box.root}/proc/irq`, /^\d+$/).map((irq) =>
        kernelFile(box, `/proc/irq/${irq}/smp_affinity_list`, formatCores(shared), { suffices: away }),
      ),
    ];
  },
};
