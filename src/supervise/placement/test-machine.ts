/** Machines that we do not have, as folders with the files of /proc and /sys that topology and knobs read. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatCores } from "./cores.ts";

export type TestMachine = {
  readonly physicalCores: number;
  /** Threads of each core; thread t of core c is number c + t · physicalCores, as Intel's firmware counts. */
  readonly threadsPerCore: 1 | 2;
  /** Memory nodes; cores are dealt out in blocks. */
  readonly nodes: number;
  readonly isolated?: string;
  readonly nicNode?: number;
};

/** Answers the folder that stands for "/". The caller removes it. */
export function makeMachine({
  physicalCores,
  threadsPerCore,
  nodes,
  isolated = "",
  nicNode = -1,
}: TestMachine): string {
  const root = mkdtempSync(join(tmpdir(), "sandpiper-machine-"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, `${text}\n`);
  };
  const system = "/sys/devices/system";
  const all = Array.from({ length: physicalCores * threadsPerCore }, (_, id) => id);
  const nodeOf = (id: number) => Math.floor(((id % physicalCores) * nodes) / physicalCores);
  write(`${system}/cpu/online`, formatCores(all));
  write(`${system}/cpu/isolated`, isolated);
  write(`${system}/cpu/nohz_full`, isolated);
  write(`${system}/node/online`, formatCores(Array.from({ length: nodes }, (_, node) => node)));
  for (let node = 0; node < nodes; node++)
    write(`${system}/node/node${node}/cpulist`, formatCores(all.filter((id) => nodeOf(id) === node)));
  for (const id of all) {
    const siblings = all.filter((other) => other % physicalCores === id % physicalCores);
    write(`${system}/cpu/cpu${id}/topology/thread_siblings_list`, formatCores(siblings));
    write(`${system}/cpu/cpu${id}/cpufreq/scaling_governor`, "powersave");
    for (const [state, latencyUs] of [0, 2, 133].entries()) {
      write(`${system}/cpu/cpu${id}/cpuidle/state${state}/latency`, `${latencyUs}`);
      write(`${system}/cpu/cpu${id}/cpuidle/state${state}/disable`, "0");
    }
  }
  write("/sys/class/net/lo/queues/rx-0/rps_cpus", "0");
  write("/sys/class/net/eth0/device/numa_node", `${nicNode}`);
  write("/sys/class/net/eth0/queues/rx-0/rps_cpus", "0000,00000000");
  write("/sys/devices/virtual/workqueue/cpumask", "ffffffff");
  write("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never");
  write("/sys/kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise [madvise] never");
  write("/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "1");
  write("/sys/kernel/mm/ksm/run", "1");
  write(`${system}/clocksource/clocksource0/available_clocksource`, "hpet tsc acpi_pm ");
  write(`${system}/clocksource/clocksource0/current_clocksource`, "hpet");
  write("/proc/irq/default_smp_affinity", "ffffffff");
  write("/proc/irq/24/smp_affinity_list", formatCores(all));
  write("/proc/irq/25/smp_affinity_list", "0");
  write("/proc/cmdline", "quiet ro");
  write("/proc/mounts", "tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0");
  write("/proc/self/limits", "Max locked memory         8388608              8388608              bytes");
  write("/proc/sys/kernel/random/boot_id", "first-boot");
  const sysctls = {
    "kernel/numa_balancing": 1,
    "kernel/timer_migration": 1,
    "kernel/nmi_watchdog": 1,
    "vm/swappiness": 60,
    "vm/stat_interval": 1,
    "vm/compaction_proactiveness": 20,
    "vm/zone_reclaim_mode": 0,
    "net/core/rmem_max": 212_992,
    "net/core/wmem_max": 212_992,
    "net/core/netdev_max_backlog": 1_000,
    "net/core/busy_read": 0,
    "net/core/busy_poll": 0,
    "net/ipv4/tcp_slow_start_after_idle": 1,
    "net/ipv4/tcp_autocorking": 1,
  };
  for (const [path, value] of Object.entries(sysctls)) write(`/proc/sys/${path}`, `${value}`);
  mkdirSync(join(root, "etc/default/grub.d"), { recursive: true });
  return root;
}
