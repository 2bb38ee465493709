/** The programs of tuning/trace/ that `sandpiper trace` runs: on which threads, and which figure each of their maps is. */
import type { RunReport, ThreadReport } from "#core/run-report.ts";
import type { TraceFigure } from "#core/trace-report.ts";
import { SEATS } from "#supervise/placement/plan.ts";
import receivePath from "#tuning/trace/receive-path.bt" with { type: "text" };
import schedulingDelay from "#tuning/trace/scheduling-delay.bt" with { type: "text" };
import sendPath from "#tuning/trace/send-path.bt" with { type: "text" };

export type TraceProgram = {
  readonly name: string;
  readonly text: string;
  /** Its parameters, from the threads that have a seat: thread ids, or the id of a process. None: nothing to watch. */
  readonly parameters: (seated: readonly ThreadReport[]) => readonly number[];
  /** Figure by its map; beside each stands a map of the same name and _sum. */
  readonly maps: Readonly<Record<string, TraceFigure>>;
  /** Whose histogram a key of the map is. */
  readonly of: (key: string, seated: readonly ThreadReport[]) => string;
};

/** Vectors of include/linux/interrupt.h. */
const SOFTIRQS: Readonly<Record<string, string>> = { 2: "send", 3: "receive" };
/** The process that sends; its main thread's id is its own. */
const sender = (seated: readonly ThreadReport[]) =>
  seated.filter(({ name }) => name === "arbitrage").map(({ id }) => id);

export const TRACE_PROGRAMS: readonly TraceProgram[] = [
  {
    ...{ name: "scheduling-delay", text: schedulingDelay },
    parameters: (seated) => seated.map(({ id }) => id),
    maps: { "@delay_us": "scheduling-delay" },
    of: (key, seated) => seated.find(({ id }) => String(id) === key)?.name ?? key,
  },
  {
    ...{ name: "send-path", text: sendPath, parameters: sender },
    maps: { "@write_to_queue_us": "send-to-queue", "@system_call_us": "send-call", "@softirq_us": "network-softirq" },
    of: (key) => SOFTIRQS[key] ?? key,
  },
  {
    ...{ name: "receive-path", text: receivePath, parameters: sender },
    maps: { "@ready_to_read_us": "receive-to-read" },
    of: (key) => key,
  },
];

/** The threads of a run that own a core where there are enough, in the order in which they would get one. */
export function seatedThreads(run: RunReport | undefined): readonly ThreadReport[] {
  const threads = (run?.processes ?? []).flatMap((process) => process.threads ?? []);
  return SEATS.flatMap((seat) => threads.filter(({ name }) => name === seat));
}
