import { describe, expect, test } from "bun:test";
import type { TraceProgramReport, TraceReport } from "#core/trace-report.ts";
import { threadFamilies, traceFamilies } from "./kernel-families.ts";

const NOW_MS = 1_790_000_000_000;
const watching: TraceProgramReport = {
  ...{ program: "scheduling-delay", state: "watching", why: "" },
  histograms: [
    {
      ...{ figure: "scheduling-delay", of: "arbitrage", sumUs: 3_000_150 },
      buckets: [
        [8, 20],
        [16, 5],
        [4_194_304, 1],
      ],
    },
  ],
};
const trace = (...programs: readonly TraceProgramReport[]): TraceReport => ({ atMs: NOW_MS - 900, programs });
const linesOf = (families: readonly string[], name: string) =>
  families
    .join("")
    .split("\n")
    .filter((line) => line.startsWith(`sandpiper_${name}`));

describe("traceFamilies()", () => {
  test("counts each bucket with all below it, and what is beyond the last end in +Inf alone", () => {
    const lines = linesOf(traceFamilies(trace(watching), NOW_MS), "scheduling_delay_seconds");
    const at = (le: string) => lines.find((line) => line.includes(`le="${le}"`))?.split(" ")[1];
    expect(lines).toHaveLength(21 + 3);
    expect([at("0.000004"), at("0.000008"), at("0.000016"), at("1.048576"), at("+Inf")]).toEqual([
      ...["0", "20", "25", "25", "26"],
    ]);
    expect(lines.slice(-2)).toEqual([
      'sandpiper_scheduling_delay_seconds_sum{thread="arbitrage"} 3.00015',
      'sandpiper_scheduling_delay_seconds_count{thread="arbitrage"} 26',
    ]);
  });

  test("of one without labels names none but le", () => {
    const histograms = [{ figure: "send-call", of: "", buckets: [[64, 2]], sumUs: 90 }] as const;
    const families = traceFamilies(trace({ ...watching, program: "send-path", histograms }), NOW_MS);
    expect(linesOf(families, "send_call_seconds").at(6)).toBe('sandpiper_send_call_seconds_bucket{le="0.000064"} 2');
    expect(linesOf(families, "send_call_seconds").at(-1)).toBe("sandpiper_send_call_seconds_count 2");
  });

  const silent: readonly [string, TraceReport][] = [
    ["ended", trace({ ...watching, state: "ended" })],
    ["was refused", trace({ ...watching, state: "refused", why: "run it as root" })],
    ["has not reported for long", { ...trace(watching), atMs: NOW_MS - 6_000 }],
  ];
  test.each(silent)("shows no histogram of a trace that %s, and that it does not run", (_, report) => {
    const families = traceFamilies(report, NOW_MS);
    expect(linesOf(families, "scheduling_delay_seconds")).toEqual([]);
    expect(linesOf(families, "trace_running")).toEqual(['sandpiper_trace_running{program="scheduling-delay"} 0']);
    expect(linesOf(families, "trace_seen_timestamp_seconds")).toHaveLength(1);
  });

  test("says nothing where nobody ever traced", () => {
    expect(linesOf(traceFamilies(undefined, NOW_MS), "")).toEqual([]);
  });
});

test("threadFamilies() counts waits, runs and turns of each thread, by the core it owns", () => {
  const thread = { name: "arbitrage-io", core: "3", ran_ms: 2_000, waited_ms: 31.5, turns: 812 };
  const process = { name: "arbitrage", pid: 7, state: "ready", core: "2", restarts: 0, last_exit: "" };
  const families = threadFamilies([{ ...process, stalls: 0, stalled_ms: 0, stall_ms_max: 0, threads: [thread] }]);
  const labels = '{process="arbitrage",thread="arbitrage-io",core="3"}';
  expect(linesOf(families, "thread")).toEqual([
    `sandpiper_thread_run_delay_seconds_total${labels} 0.0315`,
    `sandpiper_thread_run_seconds_total${labels} 2`,
    `sandpiper_thread_turns_total${labels} 812`,
  ]);
});
