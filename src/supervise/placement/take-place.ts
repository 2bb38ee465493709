/**
 * A process takes the place that the plan gave it: cores, priority, memory node, memory that stays. Whatever the kernel
 * refuses is a line for a person and no error: the same trades are made, only less evenly in time.
 *
 * Helper threads of the runtime (JIT, garbage collection, I/O) inherit the core of the thread that starts them and would
 * sit on the hot thread's core for ever, so they are moved to the shared cores: once at the start and again after the
 * warm-up, when the last of them has appeared.
 */
import { readdirSync, readFileSync } from "node:fs";
import { lockTouchedMemory, pinThread, preferMemoryNode, setNice, setThreadCores } from "#ffi/thread.ts";
import { formatCores, parseCores } from "./cores.ts";
import { type PlacementPlan, planPlacement, type SeatName } from "./plan.ts";
import { readTopology } from "./topology.ts";

/** How the supervisor tells a process its place. */
export const PLACE_VARIABLE = "SANDPIPER_PLACE";

/** What a process has to know of the plan. */
export type Place = {
  /** Core of each thread of this process that owns one, by the name of its seat. */
  readonly cores: Readonly<Partial<Record<SeatName, number>>>;
  /** List of the cores for all other threads. */
  readonly shared: string;
  /** Memory node of the owned cores; absent where the machine has only one. */
  readonly node?: number;
};

export type PlaceReport = { readonly got: readonly string[]; readonly refused: readonly string[] };

/** The first that runs among others; priorities above it need no more than this. */
const OWNER_NICE = -10;

/** The place of one process; undefined when nobody owns a core. */
export function placeOf(plan: PlacementPlan, process: string, nodes: number): Place | undefined {
  if (plan.seats.length === 0) return undefined;
  const seats = plan.seats.filter((seat) => seat.process === process);
  const node = nodes > 1 ? seats[0]?.node : undefined;
  return {
    cores: Object.fromEntries(seats.map(({ name, core }) => [name, core])),
    shared: formatCores(plan.shared),
    ...(node === undefined ? {} : { node }),
  };
}

/** For the main thread of a process, before it starts anything: takes the seat of that name, or the shared cores. */
export function takePlace(place: Place, seat: string): PlaceReport {
  const core = (place.cores as Readonly<Record<string, number>>)[seat];
  const got: string[] = [];
  const refused: string[] = [];
  const note = (granted: boolean, what: string, needs: string) =>
    granted ? got.push(what) : refused.push(`${what}: ${needs}`);
  if (core === undefined) {
    note(
      setThreadCores(0, parseCores(place.shared)),
      `cores ${place.shared}`,
      "one of them is not this process's to use",
    );
    return { got, refused };
  }
  note(setThreadCores(0, [core]), `core ${core}`, "a core that this process may use (cpuset, AllowedCPUs=)");
  note(setNice(OWNER_NICE), `priority ${OWNER_NICE}`, "CAP_SYS_NICE or LimitNICE=");
  if (place.node !== undefined)
    note(preferMemoryNode(place.node), `memory of node ${place.node}`, "a node that this process may use");
  if (mayLock()) note(lockTouchedMemory(), "touched memory stays", "mlockall(2) was refused");
  else
    refused.push(
      "touched memory stays: LimitMEMLOCK=infinity or CAP_IPC_LOCK; under a limit later allocations would fail",
    );
  return { got, refused };
}

/** For a further thread of ours, called by itself. */
export function takeThreadPlace(seat: SeatName): void {
  const place = ownPlace(process.env);
  if (place === undefined) return;
  const core = place.cores[seat];
  if (core === undefined) setThreadCores(0, parseCores(place.shared));
  else pinThread(core);
}

/** Moves threads that have inherited an owner's core to the shared ones; answers how many it moved. */
export function placeHelpers(place: Place, seat: string): number {
  const core = (place.cores as Readonly<Record<string, number>>)[seat];
  if (core === undefined) return 0;
  const shared = parseCores(place.shared);
  let moved = 0;
  for (const name of readdirSync("/proc/self/task")) {
    const thread = Number(name);
    // The main thread's id is the process's: it owns the core.
    if (thread === process.pid || coresOf(name) !== `${core}`) continue;
    if (setThreadCores(thread, shared)) moved++;
  }
  return moved;
}

/** For a process that has no supervisor to plan for it: its place on this machine, for its further threads too. */
export function planOwnPlace(name: string): void {
  const topology = readTopology();
  const place = placeOf(planPlacement(topology), name, topology.nodes.length);
  if (place !== undefined) process.env[PLACE_VARIABLE] = JSON.stringify(place);
}

/** The place that this process was given; undefined when there is none. */
export function ownPlace(environment: Readonly<Record<string, string | undefined>>): Place | undefined {
  const text = environment[PLACE_VARIABLE];
  return text === undefined ? undefined : (JSON.parse(text) as Place);
}

/** Under a finite limit MCL_FUTURE makes allocations fail later, in the middle of a trade: then memory is not locked. */
function mayLock(): boolean {
  const limits = readFileSync("/proc/self/limits", "utf8");
  if (/^Max locked memory\s+unlimited/m.test(limits)) return true;
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${capabilities}`) >> CAP_IPC_LOCK) & 1n) === 1n;
}
const CAP_IPC_LOCK = 14n;

function coresOf(thread: string): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/self/task/${thread}/status`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
