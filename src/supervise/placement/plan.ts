/**
 * Which thread gets which core. A plan is a pure function of the topology, so it can be printed, tested on machines we do
 * not have, and made anew by anybody who wants to know.
 *
 * Rules, in this order:
 * 1. On fewer than CORES_TO_PIN_MIN physical cores nobody owns one: a pinned busy thread beside everything else makes
 *    both slower.
 * 2. Three physical cores stay for everybody else (kernel, ClickHouse, gateway, JIT and GC threads); core 0 is always
 *    among them, because the kernel keeps its own work there.
 * 3. Isolated cores are taken first, then those of the network card's node, then the highest.
 * 4. Whole physical cores: the other thread of an owned core stays empty, or it would halve the one that owns it.
 * 5. All owners sit on one memory node if they fit, since the rings between them lie in one.
 */
import type { ProcessName } from "#core/run-report.ts";
import type { Core, Topology } from "./topology.ts";

/** Threads that gain from a core of their own, the one that gains most first. */
export const SEATS = ["arbitrage", "feed", "arbitrage-io", "mev"] as const;
export type SeatName = (typeof SEATS)[number];

/** With fewer physical cores than this all threads share. */
export const CORES_TO_PIN_MIN = 4;
const CORES_KEPT_FOR_OTHERS = 3;

type Seat = {
  readonly name: SeatName;
  /** The process that the thread belongs to. */
  readonly process: ProcessName;
  readonly core: number;
  readonly node: number;
  readonly isolated: boolean;
};

export type PlacementPlan = {
  /** Threads with a core of their own. */
  readonly seats: readonly Seat[];
  /** Where every other thread runs. */
  readonly shared: readonly number[];
  /** Threads of owned cores that stay empty. */
  readonly idle: readonly number[];
  /** What could be better, and what it would take. */
  readonly notes: readonly string[];
};

export function planPlacement(topology: Topology): PlacementPlan {
  const { cores } = topology;
  const physical = physicalCores(cores);
  const all = cores.map(({ id }) => id);
  if (physical.length < CORES_TO_PIN_MIN)
    return {
      seats: [],
      shared: all,
      idle: [],
      notes: [
        `${physical.length} physical cores: all threads share. From ${CORES_TO_PIN_MIN} on the hot thread owns one, and each further one takes ${SEATS.slice(1).join(", ")} in turn`,
      ],
    };
  const nicNode = topology.nics.find(({ node }) => node !== undefined)?.node;
  const room = Math.min(SEATS.length, physical.length - CORES_KEPT_FOR_OTHERS);
  const owners = preferOneNode(
    physical.filter(({ siblings }) => !siblings.includes(0)),
    nicNode,
    room,
  );
  const seats = owners.map((core, i) => seatOf(SEATS[i] as SeatName, core));
  const owned = new Set(owners.flatMap(({ siblings }) => siblings));
  const taken = new Set(seats.map(({ core }) => core));
  return {
    seats,
    shared: cores.filter(({ id, isolated }) => !owned.has(id) && !isolated).map(({ id }) => id),
    idle: [...owned].filter((id) => !taken.has(id)).sort((a, b) => a - b),
    notes: notesOf(topology, seats, nicNode),
  };
}

/** One core, its lowest thread, for each physical core. */
function physicalCores(cores: readonly Core[]): Core[] {
  return cores.filter(
    ({ id, siblings }) => id === Math.min(...siblings.filter((one) => cores.some((c) => c.id === one))),
  );
}

function preferOneNode(candidates: readonly Core[], nicNode: number | undefined, room: number): Core[] {
  const sorted = candidates.toSorted((a, b) => rank(a, nicNode) - rank(b, nicNode) || b.id - a.id);
  const first = sorted[0];
  if (first === undefined) return [];
  const near = sorted.filter(({ node, isolated }) => node === first.node && isolated === first.isolated);
  const far = sorted.filter((core) => !near.includes(core));
  return [...near, ...far].slice(0, room);
}

/** Lower is better. */
const rank = (core: Core, nicNode: number | undefined): number =>
  (core.isolated ? 0 : 2) + (nicNode === undefined || core.node === nicNode ? 0 : 1);

function seatOf(name: SeatName, { id, node, isolated }: Core): Seat {
  return { name, process: name === "arbitrage-io" ? "arbitrage" : name, core: id, node, isolated };
}

function notesOf({ cores, nics, nodes }: Topology, seats: readonly Seat[], nicNode: number | undefined): string[] {
  const notes: string[] = [];
  const waiting = SEATS.slice(seats.length);
  if (waiting.length > 0) notes.push(`no core for ${waiting.join(", ")}: each would need one more physical core`);
  const exposed = seats.filter(({ isolated }) => !isolated);
  if (exposed.length > 0)
    notes.push(
      `cores ${exposed.map(({ core }) => core).join(", ")} are not isolated, so the kernel may put other work there: sandpiper tune, knob kernel-command-line`,
    );
  if (nodes.length > 1 && nics.length > 0 && nicNode === undefined)
    notes.push("the kernel does not say which memory node the network card hangs on: the node was chosen without it");
  if (new Set(seats.map(({ node }) => node)).size > 1)
    notes.push("the owners are spread over memory nodes: one node has too few cores free");
  if (seats.some(({ core }) => cores.find(({ id }) => id === core)?.tickless === false))
    notes.push("owned cores still take timer ticks (nohz_full): sandpiper tune, knob kernel-command-line");
  return notes;
}
