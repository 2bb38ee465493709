import { existsSync } from "node:fs";
import { formatCores } from "#supervise/placement/cores.ts";
import { type Knob, NO_OWNED_CORES, ownedCores, ownFile, readText } from "#supervise/tuning/knob.ts";

const DROP_IN = "/etc/default/grub.d/60-sandpiper.cfg";
const HEADER = "# Written by `sandpiper tune apply`, taken away by `sandpiper tune undo`.\n";

const wantedWords = (owned: string, others: string): string[] => [
  `isolcpus=managed_irq,domain,${owned}`,
  `nohz_full=${owned}`,
  `rcu_nocbs=${owned}`,
  "rcu_nocb_poll",
  `irqaffinity=${others}`,
  "intel_idle.max_cstate=1",
  "processor.max_cstate=1",
  "nosoftlockup",
];

export const kernelCommandLine: Knob = {
  name: "kernel-command-line",
  why: "The scheduler, RCU callbacks and the timer tick put work on a core that a thread of ours owns, and a core in a deep sleep takes tens of microseconds to come back",
  reads: "/proc/cmdline, and the words that a boot would add",
  applies: "writes a drop-in for GRUB; `update-grub` and a reboot are left to a person",
  undoes: "takes the drop-in away; `update-grub` and a reboot end it",
  risk: "Isolated cores are lost to everything else; without idle states the machine takes more power and may clock lower",
  source:
    "kernel.org: admin-guide/kernel-parameters (isolcpus, nohz_full, rcu_nocbs, intel_idle.max_cstate), timers/no_hz",
  settings: (box) => {
    const cores = formatCores(ownedCores(box));
    if (cores === "") return NO_OWNED_CORES;
    const words = wantedWords(cores, formatCores(box.plan.shared));
    const dropIn = ownFile(box, DROP_IN, `${HEADER}GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ${words.join(" ")}"\n`);
    const running = {
      id: "/proc/cmdline",
      wanted: words.join(" "),
      lasts: "boot" as const,
      read: () => {
        const line = readText(`${box.root}/proc/cmdline`);
        return line
          ?.trim()
          .split(/\s+/)
          .filter((word) => words.includes(word))
          .join(" ");
      },
    };
    return existsSync(`${box.root}/etc/default/grub.d`) ? [running, dropIn] : [running];
  },
};
