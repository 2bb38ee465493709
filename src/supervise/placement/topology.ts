/**
 * What cores this machine has, as /sys says it: which are two threads of one core (SMT), which memory node each is near,
 * which are isolated from the scheduler, and which node the network card hangs on. Reads only; what a container or an old
 * kernel does not show is absent here, never guessed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCores } from "./cores.ts";

export type Core = {
  readonly id: number;
  /** All threads of the physical core, this one included, ascending. */
  readonly siblings: readonly number[];
  /** Memory node it is near. */
  readonly node: number;
  /** Kept free of other tasks by the kernel (isolcpus). */
  readonly isolated: boolean;
  /** Without a timer tick while one task runs (nohz_full). */
  readonly tickless: boolean;
};

type Nic = {
  readonly name: string;
  /** Memory node of the card; undefined where the kernel does not say. */
  readonly node: number | undefined;
};

export type Topology = {
  /** Cores that are online and that this process may use. */
  readonly cores: readonly Core[];
  /** Memory nodes. */
  readonly nodes: readonly number[];
  /** Cards that are devices: not loopback, not virtual. */
  readonly nics: readonly Nic[];
};

/** `root` stands before /sys and /proc: "" for this machine, a folder in tests. */
export function readTopology(root = ""): Topology {
  const sys = (path: string) => readText(join(`${root}/`, "sys/devices/system", path));
  const isolated = new Set(parseCores(sys("cpu/isolated")));
  const tickless = new Set(parseCores(sys("cpu/nohz_full")));
  const nodes = parseCores(sys("node/online"));
  const nodeOf = new Map<number, number>();
  for (const node of nodes) for (const core of parseCores(sys(`node/node${node}/cpulist`))) nodeOf.set(core, node);
  const online = parseCores(sys("cpu/online"));
  const allowed = new Set(allowedCores(root, online));
  const cores = online
    .filter((id) => allowed.has(id))
    .map((id) => {
      const siblings = parseCores(sys(`cpu/cpu${id}/topology/thread_siblings_list`));
      return {
        id,
        siblings: siblings.length === 0 ? [id] : siblings,
        node: nodeOf.get(id) ?? 0,
        isolated: isolated.has(id),
        tickless: tickless.has(id),
      };
    });
  return { cores, nodes: nodes.length === 0 ? [0] : nodes, nics: readNics(root) };
}

/** A cgroup's cpuset is the limit of a container; without one every online core may be asked for. */
function allowedCores(root: string, online: readonly number[]): readonly number[] {
  const cpuset = parseCores(readText(join(`${root}/`, "sys/fs/cgroup/cpuset.cpus.effective")));
  return cpuset.length > 0 ? cpuset : online;
}

function readNics(root: string): Nic[] {
  const folder = join(`${root}/`, "sys/class/net");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "device")))
    .sort()
    .map((name) => {
      const text = readText(join(folder, name, "device", "numa_node")).trim();
      return { name, node: /^\d+$/.test(text) ? Number(text) : undefined };
    });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
