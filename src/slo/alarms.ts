/**
 * Every alarm, as data: when it sounds on this box, when it sounds in Prometheus, how urgent it is. `sandpiper doctor`,
 * the API and the page read it from the box's own files; monitoring/rules.yml is made from it. Each has its page,
 * docs/runbook/<name>.md.
 */
import type { ProcessReport, RunReport } from "#core/run-report.ts";
import type { ObjectiveName } from "./objectives.ts";
import type { GuardReport } from "./report.ts";

/** What can be known with everything else down: the two reports on disk, and the clock. */
export type AlarmFacts = {
  readonly run: RunReport | undefined;
  readonly guard: GuardReport | undefined;
  readonly nowMs: number;
};

export type Alarm = {
  /** Names its page in the runbook. */
  readonly name: string;
  /** page: somebody gets up; ticket: it can wait for the morning. */
  readonly severity: "page" | "ticket";
  /** One line for people. */
  readonly summary: string;
  /** What is wrong on this box now, in words; undefined while nothing is. */
  readonly says: (facts: AlarmFacts) => string | undefined;
  /** The alarm whose page tells of the cause, where this one is only what was done about it. */
  readonly cause?: (facts: AlarmFacts) => string | undefined;
  /** The same in PromQL over /metrics, and for how long it must hold. */
  readonly expr: string;
  readonly forSeconds: number;
};

export type SoundingAlarm = Pick<Alarm, "name" | "severity" | "summary"> & {
  readonly says: string;
  /** The page that tells what to do. */
  readonly runbook: string;
  /** The page of the cause, to be read first; undefined where the alarm is the cause. */
  readonly causeRunbook: string | undefined;
};

/** Both reports are written every second; one this old has no writer any more. */
const REPORT_MS_MAX = 5_000;
/** A process that was started again this often within one run is not a chance event. */
const RESTARTS_MAX = 3;

/** Agents publish every second; a bus that acknowledges nothing for so long is not merely slow. */
const PUBLISH_LAG_SECONDS_MAX = 10;

const runbookOf = (name: string): string => `docs/runbook/${name}.md`;

/** The alarm of a service level; the guard is already acting on it. */
function level(name: ObjectiveName, severity: Alarm["severity"], summary: string): Alarm {
  return {
    ...{ name, severity, summary },
    says: ({ guard }) => {
      for (const { agent, objectives } of guard?.agents ?? []) {
        const found = objectives.find((objective) => objective.name === name);
        if (found?.state !== "violated" && found?.state !== "severe") continue;
        const asked = found.bad === "above" ? "at most" : "at least";
        return `${agent}: ${round(found.value)} ${found.unit}, ${asked} ${round(found.limit)} is asked for`;
      }
      return undefined;
    },
    expr: `sandpiper_slo_violated{objective="${name}"} > 0`,
    forSeconds: 10,
  };
}

const round = (value: number): string => Number(value.toPrecision(4)).toLocaleString("en");
const guarded = (facts: AlarmFacts) => facts.guard?.agents ?? [];
const processes = (facts: AlarmFacts): readonly ProcessReport[] => facts.run?.processes ?? [];
const named = (list: readonly ProcessReport[], say: (process: ProcessReport) => string) =>
  list.length === 0 ? undefined : list.map((process) => say(process)).join("; ");

/** Causes before what follows from them, since the first that sounds is the first that somebody reads. */
export const ALARMS: readonly Alarm[] = [
  {
    name: "supervisor-silent",
    severity: "page",
    summary: "The supervisor does not report: nothing restarts what fails.",
    says: ({ run, nowMs }) => {
      if (run === undefined) return "there is no run in this data folder";
      const ageMs = nowMs - run.updatedAtMs;
      return ageMs > REPORT_MS_MAX ? `its report is ${Math.round(ageMs / 1_000)} s old` : undefined;
    },
    expr: 'absent(sandpiper_info) or sandpiper_process_up{process="supervisor"} == 0',
    forSeconds: 10,
  },
  {
    name: "process-down",
    severity: "page",
    summary: "A process that should run does not.",
    says: (facts) =>
      named(
        processes(facts).filter(({ state }) => state !== "ready"),
        ({ name, state, lastExit }) => `${name} is ${state}${lastExit === "" ? "" : ` (${lastExit})`}`,
      ),
    expr: "sandpiper_process_up == 0",
    forSeconds: 15,
  },
  {
    name: "guard-dead",
    severity: "page",
    summary: "No guard is watching: agents pass over most of their opportunities until one is back.",
    says: ({ guard, run, nowMs }) => {
      if (run === undefined) return undefined;
      if (guard === undefined) return "it has never reported";
      const ageMs = nowMs - guard.atMs;
      return ageMs > REPORT_MS_MAX ? `it last looked ${Math.round(ageMs / 1_000)} s ago` : undefined;
    },
    expr: "time() - sandpiper_guard_seen_timestamp_seconds > 5",
    forSeconds: 5,
  },
  {
    name: "bus-down",
    severity: "page",
    summary: "The bus takes nothing: trades go on and their records wait; page and tables show the past.",
    says: (facts) => {
      const waiting = guarded(facts).find(({ publishLagMs = 0 }) => publishLagMs > PUBLISH_LAG_SECONDS_MAX * 1_000);
      return (
        waiting && `${waiting.agent}: nothing was acknowledged for ${round((waiting.publishLagMs ?? 0) / 1_000)} s`
      );
    },
    expr: `sandpiper_publish_lag_seconds > ${PUBLISH_LAG_SECONDS_MAX}`,
    forSeconds: 5,
  },
  level("market-lag", "page", "The market is not heard: nothing can be decided."),
  level("chain-lag", "page", "The cluster does not answer: nothing can be signed, and nobody learns what landed."),
  level("hot-path-p99", "page", "Decisions are slow: the market has moved on by the time they are made."),
  level("send-p99", "page", "The route acknowledges late or never: bundles reach their leader after its slot."),
  level("false-quotes", "page", "The chain disproves our quotes: the market that we hear is not the one that trades."),
  level("lost-trades", "page", "Landed bundles lose money."),
  level("loss-per-hour", "page", "The hour's loss limit is reached."),
  level("landed-share", "page", "Too few of the sent bundles land."),
  level("clock-step", "ticket", "The wall clock jumped: stamps on record and command windows are wrong around it."),
  level("clock-error", "ticket", "The wall clock is known to be wrong: stamps on record do not compare with others'."),
  level("budget-burn", "ticket", "Slow decisions use up the month's budget too fast."),
  {
    name: "guard-killed",
    severity: "page",
    summary: "The guard has killed an agent: it sends nothing until an operator starts it again.",
    says: (facts) => {
      const agent = guarded(facts).find(({ killed }) => killed);
      const action = facts.guard?.actions.find(({ kind }) => kind === "kill");
      return agent && `${agent.agent} was killed: ${action?.because ?? "in an earlier run"}`;
    },
    cause: ({ guard }) => guard?.actions.find(({ kind }) => kind === "kill")?.objective,
    expr: "sandpiper_guard_killed == 1",
    forSeconds: 0,
  },
  {
    name: "guard-throttles",
    severity: "page",
    summary: "The guard has an agent pass over a part of its opportunities.",
    says: (facts) => {
      const agent = guarded(facts).find(({ throttlePct, killed }) => throttlePct > 0 && !killed);
      return (
        agent && `${agent.agent}: ${agent.throttlePct} % are passed over; ${facts.guard?.actions[0]?.because ?? ""}`
      );
    },
    cause: ({ guard }) => guard?.actions.find(({ objective }) => objective !== undefined)?.objective,
    expr: "sandpiper_guard_throttle_percent > 0 unless sandpiper_guard_killed == 1",
    forSeconds: 0,
  },
  {
    name: "process-restarts",
    severity: "ticket",
    summary: "A process keeps being started again.",
    says: (facts) =>
      named(
        processes(facts).filter(({ restarts }) => restarts > RESTARTS_MAX),
        ({ name, restarts, lastExit }) => `${name} was started again ${restarts} times (${lastExit})`,
      ),
    expr: `increase(sandpiper_process_restarts_total[1h]) > ${RESTARTS_MAX}`,
    forSeconds: 0,
  },
];

/** A thread that owns its core waits for it only while something else runs there. */
const OWNED_CORE_WAIT_MAX = 0.01;

/** Alarms of what takes a history, or that only the bus, the tables or another machine can tell of: Prometheus alone sounds them. */
export const METRIC_ALARMS: readonly Omit<Alarm, "says">[] = [
  {
    name: "market-dropped",
    severity: "ticket",
    summary: "An agent does not keep up with the market: its ring had no room.",
    expr: "increase(sandpiper_ring_dropped_total[5m]) > 0",
    forSeconds: 0,
  },
  {
    name: "core-taken",
    severity: "ticket",
    summary: "A thread that owns a core waits for it: something else runs there.",
    expr: `rate(sandpiper_thread_run_delay_seconds_total{core!="shared"}[1m]) > ${OWNED_CORE_WAIT_MAX}`,
    forSeconds: 30,
  },
  {
    name: "records-dropped",
    severity: "page",
    summary: "Decisions or outcomes were not put on record.",
    expr: "increase(sandpiper_publish_dropped_total[5m]) > 0",
    forSeconds: 0,
  },
  {
    name: "store-down",
    severity: "page",
    summary: "The tables do not answer; the bus keeps everything meanwhile.",
    expr: "sandpiper_store_up == 0",
    forSeconds: 30,
  },
  {
    name: "recorder-behind",
    severity: "ticket",
    summary: "The recorder does not keep up with the bus.",
    expr: 'sum(sandpiper_bus_group_lag_messages{group="clickhouse"}) > 10000',
    forSeconds: 60,
  },
  {
    name: "poison",
    severity: "ticket",
    summary: "Messages on the bus could not be read; they are in the dead-letter table.",
    expr: "increase(sandpiper_bus_poison_total[5m]) > 0",
    forSeconds: 0,
  },
];

/** The alarms that sound now, the urgent ones first. */
export function soundingAlarms(facts: AlarmFacts): readonly SoundingAlarm[] {
  const sounding = ALARMS.flatMap(({ name, severity, summary, says, cause }): SoundingAlarm[] => {
    const words = says(facts);
    if (words === undefined) return [];
    const from = cause?.(facts);
    const causeRunbook = from === undefined ? undefined : runbookOf(from);
    return [{ name, severity, summary, says: words, runbook: runbookOf(name), causeRunbook }];
  });
  return [
    ...sounding.filter(({ severity }) => severity === "page"),
    ...sounding.filter(({ severity }) => severity === "ticket"),
  ];
}

/** The recording and alert rules of Prometheus: the text of monitoring/rules.yml. */
export function prometheusRules(): string {
  const alerts = [...ALARMS, ...METRIC_ALARMS].map(
    ({ name, severity, summary, expr, forSeconds }) =>
      `      - alert: ${alertName(name)}\n        expr: ${quoted(expr)}\n        for: ${forSeconds}s\n` +
      `        labels: { severity: ${severity} }\n        annotations:\n          summary: ${quoted(summary)}\n` +
      `          runbook: ${runbookOf(name)}\n`,
  );
  return `# Made by \`bun scripts/monitoring.ts\` from src/slo/alarms.ts. Do not edit.
groups:
  - name: sandpiper-records
    interval: 15s
    rules:
      - record: sandpiper:landed:ratio_5m
        expr: "increase(sandpiper_landed_total[5m]) / (increase(sandpiper_attempts_total[5m]) > 0)"
      - record: sandpiper:profit_lamports:rate_1h
        expr: "delta(sandpiper_profit_lamports[1h])"
      - record: sandpiper:events:rate_1m
        expr: "sum by (agent) (rate(sandpiper_events_total[1m]))"
  - name: sandpiper-alarms
    interval: 1s
    rules:
${alerts.join("")}`;
}

/** A YAML string, in the quotes that need no escape. */
const quoted = (text: string): string => (text.includes('"') ? `'${text}'` : `"${text}"`);
/** The alarm's name in Prometheus. */
export const alertName = (name: string): string =>
  name.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
