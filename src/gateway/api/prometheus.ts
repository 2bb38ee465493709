/**
 * /metrics in Prometheus' text format 0.0.4. The names are a promise to other people's alerts: they are never renamed,
 * only added to.
 */
import type { GroupLag } from "#bus/bus.ts";
import type { ClockQuality } from "#core/clock.ts";
import type { MarketReport, StreamReport } from "#core/market-report.ts";
import type { TraceReport } from "#core/trace-report.ts";
import type { LiveStats } from "#gateway/realtime/live-feed.ts";
import type { Telemetry } from "#gateway/telemetry.ts";
import type { GuardReport, ObjectiveReport } from "#slo/report.ts";
import type { Metrics } from "#wire/envelope.ts";
import { threadFamilies, traceFamilies } from "./kernel-families.ts";
import { counter, gauge, optional, quantile, type Sample, summary } from "./prometheus-format.ts";
import type { Status } from "./schemas.ts";

export type MetricsInput = {
  readonly status: Status;
  readonly telemetry: Telemetry;
  readonly live: LiveStats;
  readonly groupLags: readonly GroupLag[];
  readonly guard: GuardReport | undefined;
  readonly market: MarketReport | undefined;
  readonly trace: TraceReport | undefined;
};

export function prometheusText({ status, telemetry, live, groupLags, guard, market, trace }: MetricsInput): string {
  const agents = [...telemetry.agents()];
  const perAgent = (read: (metrics: Metrics) => number | bigint): Sample[] =>
    agents.map(([agent, metrics]) => ({ labels: { agent }, value: read(metrics) }));
  const seconds = (ms: number | null): Sample[] => (ms === null ? [] : [{ value: ms / 1_000 }]);
  return [
    gauge("info", "Always 1; the labels say what runs.", [
      { labels: { mode: status.mode, version: status.version, run_id: status.run_id }, value: 1 },
    ]),
    gauge(
      "process_up",
      "1 when the process is ready.",
      status.processes.map(({ name, state }) => ({ labels: { process: name }, value: state === "ready" ? 1 : 0 })),
    ),
    counter(
      "process_restarts_total",
      "Restarts of the process in this run.",
      status.processes.map(({ name, restarts }) => ({ labels: { process: name }, value: restarts })),
    ),
    ...stallFamilies(status.processes),
    ...threadFamilies(status.processes),
    ...traceFamilies(trace, status.now_ms),
    counter("decisions_total", "Decisions of this run, sent or not.", [{ value: status.decisions }]),
    counter("attempts_total", "Decisions of this run that were sent.", [{ value: status.attempts }]),
    counter("landed_total", "Bundles of this run that landed.", [{ value: status.landed }]),
    gauge("profit_lamports", "Realised in this run; may be negative.", [{ value: status.profit_lamports }]),
    gauge("exact_ratio", "Share of landed bundles predicted to the unit.", optional(status.exact_share)),
    summary("hotpath_seconds", "Feed's stamp to decision, of the newest second with events.", [
      ...quantile("0.5", status.hotpath.p50_ms),
      ...quantile("0.99", status.hotpath.p99_ms),
    ]),
    gauge("market_slot", "Newest slot seen.", optional(status.market.slot)),
    gauge("market_lag_seconds", "Age of the newest market event.", seconds(status.market.lag_ms)),
    counter(
      "events_total",
      "Market events since the agent started.",
      perAgent((agent) => agent.eventsTotal),
    ),
    counter(
      "swaps_seen_total",
      "Swaps since the agent started.",
      perAgent((agent) => agent.swapsTotal),
    ),
    counter(
      "ring_dropped_total",
      "Market events the agent's ring had no room for, since it started.",
      perAgent((agent) => agent.marketDropped),
    ),
    counter(
      "publish_dropped_total",
      "Records that were not handed over or that the bus refused, since the agent started.",
      perAgent((agent) => agent.publishDropped),
    ),
    gauge(
      "ring_depth_max",
      "Deepest market ring in the newest window.",
      perAgent((agent) => agent.ringDepthMax),
    ),
    gauge(
      "bus_group_lag_messages",
      "Messages on the bus that a group has not committed; the group clickhouse is the recorder.",
      groupLags.map(({ group, topic, messages }) => ({ labels: { group, topic }, value: messages })),
    ),
    ...marketFamilies(market),
    ...guardFamilies(guard),
    gauge("store_up", "1 when the tables answer.", [{ value: status.store.reachable ? 1 : 0 }]),
    gauge("bus_lag_messages", "Messages on the bus that the gateway has not read.", [{ value: live.busLag }]),
    counter("bus_poison_total", "Messages on the bus that were no envelopes.", [{ value: live.poison }]),
    gauge("websocket_clients", "Pages that are fed live.", [{ value: live.clients }]),
    counter("websocket_refused_total", "Pages refused because there were too many.", [{ value: live.refused }]),
    counter("websocket_dropped_total", "Messages dropped for pages that were too slow.", [{ value: live.dropped }]),
  ].join("");
}

/** The supervisor's looks at the heartbeats: a hot process has stalled after 60 ms, any other after a second. */
function stallFamilies(processes: Status["processes"]): string[] {
  const each = (read: (process: Status["processes"][number]) => number): Sample[] =>
    processes.map((process) => ({ labels: { process: process.name }, value: read(process) }));
  return [
    counter(
      "process_stalls_total",
      "Times the process stood still while it should have served, in this run.",
      each(({ stalls }) => stalls),
    ),
    counter(
      "process_stalled_seconds_total",
      "How long it stood still, together.",
      each(({ stalled_ms }) => stalled_ms / 1_000),
    ),
    gauge(
      "process_stall_seconds_max",
      "The longest time that it stood still in this run.",
      each(({ stall_ms_max }) => stall_ms_max / 1_000),
    ),
  ];
}

/** The feed's report on its streams, and what it had trouble with. */
function marketFamilies(market: MarketReport | undefined): string[] {
  const streams = (read: (stream: StreamReport) => number | null): Sample[] =>
    (market?.streams ?? []).flatMap((stream) => {
      const value = read(stream);
      return value === null ? [] : [{ labels: { stream: stream.name }, value }];
    });
  return [
    gauge("pools", "Pools that the feed follows.", market ? [{ value: market.pools }] : []),
    gauge(
      "market_stream_slots_behind",
      "Slots that the stream is behind the furthest one.",
      streams(({ slotsBehind }) => slotsBehind),
    ),
    gauge(
      "market_stream_silent_seconds",
      "Since the stream last said anything.",
      streams(({ silentMs }) => (silentMs === null ? null : silentMs / 1_000)),
    ),
    counter(
      "market_stream_first_total",
      "Transactions and slots that the stream was first with.",
      streams(({ first }) => first),
    ),
    counter(
      "market_stream_connections_total",
      "Connections of the stream that the server took.",
      streams(({ connections }) => connections),
    ),
    counter(
      "market_stream_lost_total",
      "Connections of the stream that could not go on where the one before broke.",
      streams(({ notResumed }) => notResumed),
    ),
    counter(
      "market_trouble_total",
      "By kind: gaps, dead slots, stale snapshots, refusals of the node, what was dropped or could not be read.",
      Object.entries(market?.counters ?? {}).map(([kind, value]) => ({ labels: { kind }, value })),
    ),
  ];
}

/** The guard's report of each agent and of each of its service levels. */
function guardFamilies(guard: GuardReport | undefined): string[] {
  const agents = guard?.agents ?? [];
  const levels = (read: (objective: ObjectiveReport) => number): Sample[] =>
    agents.flatMap(({ agent, objectives }) =>
      objectives.map((objective) => ({ labels: { agent, objective: objective.name }, value: read(objective) })),
    );
  return [
    gauge("guard_seen_timestamp_seconds", "When the guard last looked.", guard ? [{ value: guard.atMs / 1_000 }] : []),
    ...clockFamilies(guard?.clock),
    gauge(
      "guard_throttle_percent",
      "What the guard has the agent pass over.",
      agents.map(({ agent, throttlePct }) => ({ labels: { agent }, value: throttlePct })),
    ),
    gauge(
      "guard_killed",
      "1 when the guard has killed the agent.",
      agents.map(({ agent, killed }) => ({ labels: { agent }, value: killed ? 1 : 0 })),
    ),
    gauge(
      "publish_lag_seconds",
      "Since the bus last acknowledged something of the agent's.",
      agents.flatMap(({ agent, publishLagMs }) =>
        publishLagMs === undefined ? [] : [{ labels: { agent }, value: publishLagMs / 1_000 }],
      ),
    ),
    gauge(
      "slo_value",
      "The service level's present value, in its own unit.",
      levels(({ value }) => value),
    ),
    gauge(
      "slo_limit",
      "Its limit, in the same unit.",
      levels(({ limit }) => limit),
    ),
    gauge(
      "slo_violated",
      "1 when it is broken, 2 when severely.",
      levels(({ state }) => VIOLATION[state]),
    ),
  ];
}

/** The wall clock, as the kernel believes it to be. */
function clockFamilies(clock: ClockQuality | undefined): string[] {
  const of = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }]);
  const seconds = (ms: number | undefined) => of(ms === undefined ? undefined : ms / 1_000);
  const kept = clock === undefined ? undefined : Number(clock.isSynchronised);
  return [
    gauge("clock_synchronised", "1 when somebody keeps the wall clock (adjtimex).", of(kept)),
    gauge("clock_offset_seconds", "What is still to be corrected of it.", seconds(clock?.offsetMs)),
    gauge("clock_error_estimated_seconds", "Its estimated error.", seconds(clock?.estimatedErrorMs)),
    gauge("clock_error_max_seconds", "Its largest possible error.", seconds(clock?.errorMsMax)),
  ];
}

const VIOLATION = { good: 0, unknown: 0, violated: 1, severe: 2 } as const;
