/**
 * Writes monitoring/: the alert and recording rules from the alarms of src/slo/alarms.ts, and the Grafana dashboard from
 * the table below. test/monitoring.test.ts holds that both are current.
 */
import { join } from "node:path";
import { prometheusRules } from "#slo/alarms.ts";

type Panel = readonly [title: string, unit: string, ...series: (readonly [expr: string, legend: string])[]];

/** Two in a row, in the order an operator asks. */
const PANELS: readonly Panel[] = [
  ["Profit of the run", "short", ["sandpiper_profit_lamports / 1e9", "SOL"]],
  ["Landed share, 5 min", "percentunit", ["sandpiper:landed:ratio_5m", "landed"]],
  ["Service levels: value / limit", "short", ["sandpiper_slo_value / sandpiper_slo_limit", "{{objective}}"]],
  ["Guard", "percent", ["sandpiper_guard_throttle_percent", "throttle"], ["100 * sandpiper_guard_killed", "killed"]],
  ["Hot path", "s", ["sandpiper_hotpath_seconds", "{{quantile}}"]],
  ["Market lag", "s", ["sandpiper_market_lag_seconds", "lag"]],
  ["Events per second", "short", ["sandpiper:events:rate_1m", "{{agent}}"]],
  [
    "Dropped",
    "short",
    ["sandpiper_ring_dropped_total", "market, {{agent}}"],
    ["sandpiper_publish_dropped_total", "records, {{agent}}"],
  ],
  [
    "Waiting for a core",
    "percentunit",
    ['rate(sandpiper_thread_run_delay_seconds_total{process=~"feed|arbitrage|mev"}[1m])', "{{thread}}"],
  ],
  [
    "Scheduling delay and send path, p99 (sandpiper trace)",
    "s",
    [
      "histogram_quantile(0.99, sum by (thread, le) (rate(sandpiper_scheduling_delay_seconds_bucket[1m])))",
      "turn of {{thread}}",
    ],
    ["histogram_quantile(0.99, sum by (le) (rate(sandpiper_send_to_queue_seconds_bucket[1m])))", "send to queue"],
  ],
  ["Processes up", "short", ["sandpiper_process_up", "{{process}}"]],
  ["Not in the tables yet", "short", ['sum(sandpiper_bus_group_lag_messages{group="clickhouse"})', "messages"]],
];

function grafanaDashboard(): string {
  const panels = PANELS.map(([title, unit, ...series], i) => ({
    id: i + 1,
    title,
    type: "timeseries",
    datasource: { type: "prometheus", uid: "$" + "{datasource}" },
    gridPos: { x: (i % 2) * 12, y: Math.floor(i / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: series.map(([expr, legendFormat], k) => ({ refId: String.fromCharCode(65 + k), expr, legendFormat })),
  }));
  const datasource = { name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" };
  const dashboard = {
    title: "Sandpiper",
    uid: "sandpiper",
    tags: ["sandpiper"],
    schemaVersion: 39,
    refresh: "5s",
    time: { from: "now-30m", to: "now" },
    templating: { list: [datasource] },
    panels,
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Path under monitoring/ to content. */
export const MONITORING_FILES: Readonly<Record<string, string>> = {
  "rules.yml": prometheusRules(),
  "grafana.json": grafanaDashboard(),
};

if (import.meta.main)
  for (const [name, content] of Object.entries(MONITORING_FILES))
    await Bun.write(join(import.meta.dir, "../monitoring", name), content);
