/**
 * monitoring/ and the runbook: the files are those that the alarms give, Prometheus' own promtool takes rules and
 * metrics, every alarm sounds on its series and none on a calm run, and every alarm has its page.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeTraceReport } from "#core/trace-report.ts";
import { ALARMS, alertName, METRIC_ALARMS } from "#slo/alarms.ts";
import { MONITORING_FILES } from "../scripts/monitoring.ts";
import { GatewayStage } from "./support/gateway-stage.ts";

const ROOT = join(import.meta.dir, "..");
const NAMES = [...ALARMS, ...METRIC_ALARMS].map(({ name }) => name);

/** Series, as promtool writes them, on which each alarm must sound within two minutes; a sample a second. */
const SOUNDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ALARMS.filter(({ expr }) => expr.startsWith("sandpiper_slo_violated")).map(({ name }) => [
      name,
      `sandpiper_slo_violated{agent="a",objective="${name}"} => 1x120`,
    ]),
  ),
  "guard-throttles": 'sandpiper_guard_throttle_percent{agent="a"} => 50x120',
  "guard-killed": 'sandpiper_guard_killed{agent="a"} => 1x120',
  "bus-down": 'sandpiper_publish_lag_seconds{agent="a"} => 0+1x120',
  "guard-dead": "sandpiper_guard_seen_timestamp_seconds => 0x120",
  "supervisor-silent": 'sandpiper_process_up{process="supervisor"} => 0x120',
  "process-down": 'sandpiper_process_up{process="feed"} => 0x120',
  "process-restarts": 'sandpiper_process_restarts_total{process="feed"} => 0+1x120',
  "market-dropped": 'sandpiper_ring_dropped_total{agent="a"} => 0+3x120',
  "core-taken": 'sandpiper_thread_run_delay_seconds_total{thread="arbitrage",core="3"} => 0+0.02x120',
  "records-dropped": 'sandpiper_publish_dropped_total{agent="a"} => 0+1x120',
  "store-down": "sandpiper_store_up => 0x120",
  "recorder-behind": 'sandpiper_bus_group_lag_messages{group="clickhouse",topic="t"} => 20000x120',
  poison: "sandpiper_bus_poison_total => 0+1x120",
};
const CALM = [
  "sandpiper_info => 1x120",
  'sandpiper_slo_violated{agent="a",objective="hot-path-p99"} => 0x120',
  'sandpiper_guard_throttle_percent{agent="a"} => 0x120',
  'sandpiper_guard_killed{agent="a"} => 0x120',
  'sandpiper_publish_lag_seconds{agent="a"} => 1x120',
  "sandpiper_guard_seen_timestamp_seconds => 0+1x120",
  'sandpiper_process_up{process="supervisor"} => 1x120',
  'sandpiper_process_restarts_total{process="feed"} => 1x120',
  'sandpiper_ring_dropped_total{agent="a"} => 7x120',
  "sandpiper_store_up => 1x120",
  'sandpiper_thread_run_delay_seconds_total{thread="arbitrage",core="3"} => 0+0.001x120',
  'sandpiper_thread_run_delay_seconds_total{thread="feed",core="shared"} => 0+0.5x120',
];

const metricsOf = (text: string) => new Set(text.match(/\bsandpiper_[a-z_0-9]+/g) ?? []);

/** Runs promtool; what it printed, when it did not like something. */
async function promtool(args: readonly string[], input = ""): Promise<string> {
  const child = Bun.spawn(["promtool", ...args], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const words = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  return (await child.exited) === 0 ? "" : words;
}

/** A unit test of promtool's: the series, and at two minutes what the query answers. */
const ruleTest = (series: readonly string[], queries: readonly [expr: string, sounding: number][]) => ({
  interval: "1s",
  input_series: series.map((line) => {
    const [name, values] = line.split(" => ");
    return { series: name, values };
  }),
  promql_expr_test: queries.map(([expr, value]) => ({
    expr,
    eval_time: "119s",
    exp_samples: value === 0 ? [] : [{ labels: "{}", value }],
  })),
});

describe("monitoring/", () => {
  test.each(Object.keys(MONITORING_FILES))("%s is what bun scripts/monitoring.ts makes", (name) => {
    const found = readFileSync(join(ROOT, "monitoring", name), "utf8");
    const made = MONITORING_FILES[name] as string;
    // The formatter has its own opinion on short lists.
    if (name.endsWith(".json")) expect(JSON.parse(found)).toEqual(JSON.parse(made));
    else expect(found).toBe(made);
  });

  test("promtool takes the rules", async () => {
    expect(await promtool(["check", "rules", join(ROOT, "monitoring/rules.yml")])).toBe("");
  });

  test("every alarm sounds on its series, and none on a calm run", async () => {
    expect(Object.keys(SOUNDS).sort()).toEqual([...NAMES].sort());
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-rules-"));
    try {
      const sounding = Object.entries(SOUNDS).map(([name, series]) =>
        ruleTest([series], [[`count(ALERTS{alertname="${alertName(name)}",alertstate="firing"}) > bool 0`, 1]]),
      );
      const calm = ruleTest(CALM, [["count(ALERTS)", 0]]);
      const rules = join(ROOT, "monitoring/rules.yml");
      const file = join(folder, "rules.test.json");
      writeFileSync(
        file,
        JSON.stringify({ rule_files: [rules], evaluation_interval: "1s", tests: [...sounding, calm] }),
      );
      expect(await promtool(["test", "rules", file])).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test("every figure of the rules and the dashboard is one that /metrics has, and promtool takes those", async () => {
    const stage = await GatewayStage.start(Date.now());
    const histogram = { figure: "scheduling-delay", of: "feed", buckets: [[8, 3]], sumUs: 17 } as const;
    const program = { program: "scheduling-delay", state: "watching", why: "", histograms: [histogram] } as const;
    writeTraceReport(stage.paths.traceReport, { atMs: Date.now(), programs: [program] });
    try {
      const text = await (await fetch(`${stage.url}/metrics`)).text();
      expect(await promtool(["check", "metrics"], text)).toBe("");
      expect(text).toContain('sandpiper_scheduling_delay_seconds_bucket{thread="feed",le="0.000008"} 3\n');
      const told = metricsOf(text);
      for (const [name, content] of Object.entries(MONITORING_FILES))
        expect(
          // A histogram that nobody fills has its type and no buckets.
          [...metricsOf(content)].filter((metric) => !told.has(metric.replace(/_bucket$/, ""))),
          name,
        ).toEqual([]);
    } finally {
      await stage.stop();
    }
  }, 60_000);
});

test("every alarm has its page in the runbook, and the index names it", () => {
  const index = readFileSync(join(ROOT, "docs/runbook/README.md"), "utf8");
  for (const name of NAMES) {
    expect(existsSync(join(ROOT, `docs/runbook/${name}.md`)), name).toBe(true);
    expect(index).toContain(`](${name}.md)`);
  }
});
