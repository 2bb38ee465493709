/** What the kernel says of the run, in /metrics: what it counts of threads without being asked, and what its probes measure. */
import { TRACE_FIGURES, type TraceFigure, type TraceHistogram, type TraceReport } from "#core/trace-report.ts";
import { counter, gauge, type HistogramSample, histogram, type Sample } from "./prometheus-format.ts";
import type { Status } from "./schemas.ts";

type Thread = Status["processes"][number]["threads"][number];

/** sandpiper trace writes each second; a report this old has no writer. */
const TRACE_MS_MAX = 5_000;
/** Upper ends of the buckets: powers of two from 1 µs to 1.05 s, as the probes count. */
const BUCKET_ENDS_US = Array.from({ length: 21 }, (_, i) => 2 ** i);

const FIGURES: Readonly<Record<TraceFigure, { readonly name: string; readonly label: string; readonly help: string }>> =
  {
    "scheduling-delay": {
      ...{ name: "scheduling_delay_seconds", label: "thread" },
      help: "From the wake-up of the thread to its turn on a core.",
    },
    "send-to-queue": {
      ...{ name: "send_to_queue_seconds", label: "" },
      help: "From the arbitrage agent's write of a datagram to the queue of the network device.",
    },
    "send-call": {
      ...{ name: "send_call_seconds", label: "" },
      help: "How long the system call took that wrote it.",
    },
    "network-softirq": {
      ...{ name: "network_softirq_seconds", label: "kind" },
      help: "How long the kernel's network softirqs took, on all cores.",
    },
    "receive-to-read": {
      ...{ name: "receive_to_read_seconds", label: "" },
      help: "From the kernel's delivery to a socket of the arbitrage agent until it was read.",
    },
  };

/** The mean delay of a turn is rate(thread_run_delay_seconds_total) / rate(thread_turns_total). */
export function threadFamilies(processes: Status["processes"]): string[] {
  const each = (read: (thread: Thread) => number): Sample[] =>
    processes.flatMap(({ name: process, threads }) =>
      threads.map((thread) => ({
        labels: { process, thread: thread.name, core: thread.core },
        value: read(thread),
      })),
    );
  return [
    counter(
      "thread_run_delay_seconds_total",
      "How long the thread could have run and waited for a core, since it began.",
      each(({ waited_ms }) => waited_ms / 1_000),
    ),
    counter(
      "thread_run_seconds_total",
      "How long it ran.",
      each(({ ran_ms }) => ran_ms / 1_000),
    ),
    counter(
      "thread_turns_total",
      "Times it was given a core.",
      each(({ turns }) => turns),
    ),
  ];
}

/** Histograms only of programs that watch now: those of a trace that ended would look like a calm present. */
export function traceFamilies(trace: TraceReport | undefined, nowMs: number): string[] {
  const isFresh = trace !== undefined && nowMs - trace.atMs <= TRACE_MS_MAX;
  const programs = (trace?.programs ?? []).map(({ program, state, histograms }) => ({
    ...{ program, histograms },
    running: isFresh && state === "watching",
  }));
  const watched = programs.flatMap(({ running, histograms }) => (running ? histograms : []));
  return [
    gauge(
      "trace_running",
      "1 while the program of sandpiper trace watches; 0 when it ended or the kernel refused it.",
      programs.map(({ program, running }) => ({ labels: { program }, value: running ? 1 : 0 })),
    ),
    gauge(
      "trace_seen_timestamp_seconds",
      "When sandpiper trace last reported.",
      trace ? [{ value: trace.atMs / 1e3 }] : [],
    ),
    ...TRACE_FIGURES.map((figure) => {
      const { name, label, help } = FIGURES[figure];
      const those = watched.filter((one) => one.figure === figure);
      return histogram(name, `${help} Measured while sandpiper trace runs.`, those.map(sampleWith(label)));
    }),
  ];
}

const sampleWith =
  (label: string) =>
  ({ of, buckets, sumUs }: TraceHistogram): HistogramSample => {
    const upTo = (endUs: number) => buckets.reduce((sum, [belowUs, count]) => sum + (belowUs <= endUs ? count : 0), 0);
    return {
      labels: label === "" ? {} : { [label]: of },
      buckets: BUCKET_ENDS_US.map((endUs) => [String(endUs / 1e6), upTo(endUs)]),
      count: upTo(Number.POSITIVE_INFINITY),
      sum: sumUs / 1e6,
    };
  };
