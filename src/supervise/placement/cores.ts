/** Lists of cores as the kernel writes them: "0-3,8" (cpuset(7), "List format"). */

/** Above any machine; a longer list is a wrong file, not a large machine. */
const CORES_MAX = 4_096;

/** The numbers of a list, ascending; what is not one is left out. */
export function parseCores(list: string): number[] {
  const cores = new Set<number>();
  for (const part of list.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(match[2] === undefined ? first : Number(match[2]), CORES_MAX - 1);
    for (let core = first; core <= last; core++) cores.add(core);
  }
  return [...cores].sort((a, b) => a - b);
}

/** The shortest list of these cores; "" for none. */
export function formatCores(cores: readonly number[]): string {
  const sorted = [...new Set(cores)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let last = i;
    while (sorted[last + 1] === (sorted[last] as number) + 1) last++;
    parts.push(last === i ? `${sorted[i]}` : `${sorted[i]}-${sorted[last]}`);
    i = last + 1;
  }
  return parts.join(",");
}

/** The mask of these cores as /proc/irq and workqueues take it: hexadecimal, 32 cores a group, commas between. */
export function coreMask(cores: readonly number[]): string {
  let mask = 0n;
  for (const core of cores) mask |= 1n << BigInt(core);
  const groups: string[] = [];
  for (let rest = mask; rest > 0n; rest >>= 32n) groups.unshift((rest & 0xffff_ffffn).toString(16));
  return groups.length === 0 ? "0" : groups.map((group, i) => (i === 0 ? group : group.padStart(8, "0"))).join(",");
}
