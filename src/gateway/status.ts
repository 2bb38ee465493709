/** The state of the run on one page: the supervisor's report, the record's sums and the newest metrics put together. */
import type { GroupLag } from "#bus/bus.ts";
import type { Config } from "#core/config.ts";
import type { MarketReport } from "#core/market-report.ts";
import type { RunReport } from "#core/run-report.ts";
import type { TraceReport } from "#core/trace-report.ts";
import { VERSION } from "#core/version.ts";
import { soundingAlarms } from "#slo/alarms.ts";
import type { GuardReport } from "#slo/report.ts";
import { RECORDER_GROUP } from "#store/topic-recorder.ts";
import type { Health, Status } from "./api/schemas.ts";
import type { RunWindow } from "./data.ts";
import type { ReportView } from "./report-view.ts";
import type { KnownTotals, RunTotalsCache } from "./run-totals.ts";
import type { Telemetry } from "./telemetry.ts";

/** The supervisor writes its report every second; one this old was left behind by a dead supervisor. */
const REPORT_FRESH_MS_MAX = 10_000;
/** The bus is polled at least this often; a longer silence of the poll itself is a fault. */
const FEED_FRESH_MS_MAX = 5_000;

export type StatusSources = {
  readonly config: Config;
  readonly runId: string;
  readonly view: ReportView<RunReport>;
  readonly totals: RunTotalsCache;
  readonly telemetry: Telemetry;
  /** The guard's report; undefined when there is none. */
  readonly guard: () => GuardReport | undefined;
  /** How the feed hears the market; undefined when it never said. */
  readonly marketReport: () => MarketReport | undefined;
  /** What `sandpiper trace` measures; undefined when it never ran. */
  readonly traceReport: () => TraceReport | undefined;
  /** Unix ms of the last time the bus could be read. */
  readonly busReadAtMs: () => number;
  /** Empty while the bus cannot be read. */
  readonly groupLags: () => readonly GroupLag[];
  readonly nowMs: () => number;
  /** Start of this process: the start of the run when there is no supervisor. */
  readonly startedAtMs: number;
};

export function runWindow(sources: StatusSources): RunWindow {
  const report = sources.view.report();
  const mode = report?.mode ?? sources.config.mode;
  return { sinceMs: report?.startedAtMs ?? sources.startedAtMs, by: mode === "replay" ? "inserted_at" : "at" };
}

export async function readStatus(sources: StatusSources): Promise<Status> {
  const known = await sources.totals.read(runWindow(sources));
  const report = sources.view.report();
  const { totals } = known;
  const hotPath = sources.telemetry.hotPath();
  const market = sources.telemetry.market();
  return {
    ...runPart(sources, report),
    landed: totals.landed,
    attempts: totals.attempts,
    decisions: totals.decisions,
    profit_lamports: totals.profitLamports.toString(),
    exact_share: totals.landed > 0 ? totals.exact / totals.landed : null,
    hotpath: { p50_ms: hotPath?.p50Ms ?? null, p99_ms: hotPath?.p99Ms ?? null },
    market: { slot: market.slot?.toString() ?? null, lag_ms: market.lagMs ?? null },
    guard: guardPart(sources),
    alarms: soundingAlarms({ run: report, guard: sources.guard(), nowMs: sources.nowMs() }).map(
      ({ name, severity, summary, says }) => ({ name, severity, summary, says }),
    ),
    store: {
      reachable: known.reachable,
      totals_age_ms: known.ageMs ?? null,
      why: known.why,
      behind: behindOf(sources.groupLags()),
    },
  };
}

function guardPart(sources: StatusSources): Status["guard"] {
  const report = sources.guard();
  if (report === undefined) return null;
  const broken = report.agents.flatMap(({ objectives }) =>
    objectives.filter(({ state }) => state !== "good" && state !== "unknown"),
  );
  return {
    acts: report.acts,
    age_ms: Math.max(0, sources.nowMs() - report.atMs),
    throttle_pct: Math.max(0, ...report.agents.map(({ throttlePct }) => throttlePct)),
    killed: report.agents.some(({ killed }) => killed),
    violated: [...new Set(broken.map(({ name }) => name))],
  };
}

const behindOf = (lags: readonly GroupLag[]): number =>
  lags.filter(({ group }) => group === RECORDER_GROUP).reduce((sum, { messages }) => sum + messages, 0);

function runPart(sources: StatusSources, report: RunReport | undefined) {
  const nowMs = sources.nowMs();
  return {
    mode: report?.mode ?? sources.config.mode,
    version: report?.version ?? VERSION,
    run_id: report?.runId ?? sources.runId,
    started_at: report ? new Date(report.startedAtMs).toISOString() : null,
    now_ms: nowMs,
    report_age_ms: report ? Math.max(0, nowMs - report.updatedAtMs) : null,
    processes: (report?.processes ?? []).map((process) => ({
      name: process.name,
      pid: process.pid,
      state: process.state,
      core: process.core,
      restarts: process.restarts,
      last_exit: process.lastExit,
      stalls: process.stalls.count,
      stalled_ms: process.stalls.totalMs,
      stall_ms_max: process.stalls.longestMs,
      threads: (process.threads ?? []).map(({ name, core, ranMs, waitedMs, turns }) => ({
        ...{ name, core, ran_ms: ranMs, waited_ms: waitedMs, turns },
      })),
    })),
    off: (report?.off ?? []).map(({ part, why }) => ({ part, why })),
  };
}

/** Healthy when everything that should run does, and the record and the bus can be read. */
export async function readHealth(sources: StatusSources): Promise<Health> {
  const known = await sources.totals.read(runWindow(sources));
  const report = sources.view.report();
  const reasons = [
    ...storeReasons(known),
    ...(sources.nowMs() - sources.busReadAtMs() > FEED_FRESH_MS_MAX ? ["the bus cannot be read"] : []),
    ...reportReasons(report, sources.nowMs()),
  ];
  return { ok: reasons.length === 0, reasons };
}

function storeReasons(known: KnownTotals): string[] {
  if (known.reachable) return [];
  return [known.why === "" ? "the store has not answered yet" : known.why];
}

function reportReasons(report: RunReport | undefined, nowMs: number): string[] {
  if (!report) return ["no supervisor has reported"];
  const ageMs = nowMs - report.updatedAtMs;
  if (ageMs > REPORT_FRESH_MS_MAX) return [`the supervisor last reported ${Math.round(ageMs / 1_000)} s ago`];
  return report.processes
    .filter(({ state }) => state !== "ready")
    .map(({ name, state, lastExit }) => `${name} is ${state}${lastExit === "" ? "" : ` (${lastExit})`}`);
}
