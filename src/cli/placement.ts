/**
 * `sandpiper placement`: what cores this machine has, which thread gets which, and, while a run is on, where its threads
 * really are: their cores and priority as /proc says it, and what each process could not get.
 */
import { readdirSync, readFileSync } from "node:fs";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { readRunReport } from "#core/run-report.ts";
import { formatCores } from "#supervise/placement/cores.ts";
import { type PlacementPlan, planPlacement, SEATS } from "#supervise/placement/plan.ts";
import { readTopology, type Topology } from "#supervise/placement/topology.ts";

export async function runPlacement(args: readonly string[]): Promise<number> {
  const { config } = readConfig(args, process.env);
  const topology = readTopology();
  process.stdout.write(placementText(topology, planPlacement(topology)));
  const run = readRunReport(runPaths(config.dataDir).runReport);
  for (const { name, pid } of run?.processes ?? []) process.stdout.write(threadsText(name, pid));
  return EXIT_CODE.ok;
}

function placementText({ cores, nodes, nics }: Topology, plan: PlacementPlan): string {
  const physical = new Set(cores.map(({ siblings }) => siblings.join())).size;
  const isolated = formatCores(cores.filter((core) => core.isolated).map(({ id }) => id));
  const cards = nics.map(({ name, node }) => `${name} ${node === undefined ? "(node unknown)" : `on node ${node}`}`);
  const seats = SEATS.map((name) => {
    const seat = plan.seats.find((one) => one.name === name);
    return `  ${name.padEnd(14)} ${seat === undefined ? "shares" : `core ${seat.core}, node ${seat.node}${seat.isolated ? ", isolated" : ""}`}`;
  });
  return [
    `cores ${formatCores(cores.map(({ id }) => id))}: ${physical} physical, ${nodes.length} memory node${nodes.length === 1 ? "" : "s"}, isolated ${isolated || "none"}, cards ${cards.join(", ") || "none"}`,
    ...seats,
    `  everything else on ${formatCores(plan.shared)}${plan.idle.length === 0 ? "" : `; left empty: ${formatCores(plan.idle)}`}`,
    ...plan.notes.map((note) => `  note: ${note}`),
    "",
  ].join("\n");
}

/** A line per process with its main thread, and one for each other set of cores that threads of it run on. */
function threadsText(name: string, pid: number): string {
  try {
    const byCores = new Map<string, number>();
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
      const cores = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "?";
      byCores.set(cores, (byCores.get(cores) ?? 0) + 1);
    }
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const main = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
    const locked = /^VmLck:\s*(\d+)/m.exec(status)?.[1] ?? "0";
    const threads = [...byCores].map(([cores, count]) => `${count} on ${cores}`).join(", ");
    return `${name.padEnd(12)} pid ${pid}, main thread on ${main}, threads ${threads}, locked ${Math.round(Number(locked) / 1_024)} MiB\n`;
  } catch {
    return `${name.padEnd(12)} not running\n`;
  }
}
