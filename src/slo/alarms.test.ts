/** Each alarm sounds on the facts that call for it, says why, and none sounds on a calm run. */
import { describe, expect, test } from "bun:test";
import type { RunReport } from "#core/run-report.ts";
import { ALARMS, type AlarmFacts, soundingAlarms } from "./alarms.ts";
import type { GuardReport, ObjectiveReport } from "./report.ts";

const NOW_MS = 1_790_000_000_000;
const PROCESS = {
  name: "feed",
  pid: 7,
  state: "ready",
  core: "shared",
  restarts: 0,
  startedAtMs: 0,
  heartbeatAgeMs: 0,
  stalls: { count: 0, totalMs: 0, longestMs: 0 },
  lastExit: "",
} as const;
const RUN: RunReport = {
  ...{ version: "1", runId: "r", mode: "sim", startedAtMs: 0, updatedAtMs: NOW_MS - 900, page: "", off: [] },
  processes: [PROCESS],
};
const OBJECTIVE: ObjectiveReport = {
  ...{ name: "hot-path-p99", about: "", unit: "ms", bad: "above", limit: 20, severeLimit: 200 },
  ...{ value: 3, samples: 900, state: "good" },
};
const AGENT: GuardReport["agents"][number] = {
  agent: "arbitrage",
  throttlePct: 0,
  killed: false,
  startsAtKill: 0,
  objectives: [OBJECTIVE],
};
const GUARD: GuardReport = { atMs: NOW_MS - 900, acts: true, agents: [AGENT], actions: [] };
const CALM: AlarmFacts = { run: RUN, guard: GUARD, nowMs: NOW_MS };

const guarded = (differs: Partial<GuardReport["agents"][number]>): AlarmFacts => ({
  ...CALM,
  guard: { ...GUARD, agents: [{ ...AGENT, ...differs }] },
});
const broken = (name: string, state: ObjectiveReport["state"]): AlarmFacts =>
  guarded({ objectives: [{ ...OBJECTIVE, name: name as ObjectiveReport["name"], state, value: 31.239 }] });
const running = (differs: object): AlarmFacts => ({
  ...CALM,
  run: { ...RUN, processes: [{ ...PROCESS, ...differs }] },
});
const action = { atMs: NOW_MS, agent: "arbitrage", kind: "kill", throttlePct: 90, because: "it was slow" } as const;

const SOUNDS: Readonly<Record<string, readonly [AlarmFacts, says: string]>> = {
  ...Object.fromEntries(
    ALARMS.filter(({ expr }) => expr.startsWith("sandpiper_slo_violated")).map(({ name }) => [
      name,
      [broken(name, "violated"), "31.24 ms, at most 20 is asked for"],
    ]),
  ),
  "guard-throttles": [guarded({ throttlePct: 50 }), "50 % are passed over"],
  "guard-killed": [
    { ...CALM, guard: { ...GUARD, agents: [{ ...AGENT, killed: true }], actions: [action] } },
    "it was slow",
  ],
  "guard-dead": [{ ...CALM, guard: { ...GUARD, atMs: NOW_MS - 9_000 } }, "9 s ago"],
  "bus-down": [guarded({ publishLagMs: 12_340 }), "nothing was acknowledged for 12.34 s"],
  "supervisor-silent": [{ ...CALM, run: { ...RUN, updatedAtMs: NOW_MS - 61_000 } }, "61 s old"],
  "process-down": [running({ state: "restarting", lastExit: "signal 9" }), "feed is restarting (signal 9)"],
  "process-restarts": [running({ restarts: 4, lastExit: "exit code 1" }), "started again 4 times (exit code 1)"],
};

describe("soundingAlarms()", () => {
  test("is silent on a calm run", () => {
    expect(soundingAlarms(CALM)).toEqual([]);
  });

  test.each(ALARMS.map(({ name }) => name))("%s sounds, with its words and its page", (name) => {
    const [facts, says] = SOUNDS[name] as readonly [AlarmFacts, string];
    const sounding = soundingAlarms(facts);
    expect(sounding.map((alarm) => alarm.name)).toEqual([name]);
    expect(sounding[0]?.says).toContain(says);
    expect(sounding[0]?.runbook).toBe(`docs/runbook/${name}.md`);
  });

  test("what the guard did names the page of what it was done for", () => {
    const actions = [{ ...action, objective: "false-quotes" as const }];
    const facts = { ...CALM, guard: { ...GUARD, agents: [{ ...AGENT, killed: true }], actions } };
    expect(soundingAlarms(facts)[0]?.causeRunbook).toBe("docs/runbook/false-quotes.md");
    expect(soundingAlarms(broken("send-p99", "severe"))[0]?.causeRunbook).toBeUndefined();
  });

  test("what is down comes before the levels that break because of it", () => {
    const { run } = running({ state: "stalled" });
    const { guard } = broken("market-lag", "severe");
    expect(soundingAlarms({ ...CALM, run, guard }).map(({ name }) => name)).toEqual(["process-down", "market-lag"]);
  });

  test("a severe violation sounds too, and what has too few samples does not", () => {
    expect(soundingAlarms(broken("send-p99", "severe"))).toHaveLength(1);
    expect(soundingAlarms(broken("send-p99", "unknown"))).toHaveLength(0);
  });

  test("puts what cannot wait first, and says what was never there", () => {
    const facts = {
      ...broken("clock-step", "violated"),
      run: { ...RUN, processes: [{ ...PROCESS, state: "stalled" as const }] },
    };
    expect(soundingAlarms(facts).map(({ name }) => name)).toEqual(["process-down", "clock-step"]);
    expect(soundingAlarms({ run: undefined, guard: undefined, nowMs: 0 }).map(({ name }) => name)).toEqual([
      "supervisor-silent",
    ]);
    expect(soundingAlarms({ ...CALM, guard: undefined }).map(({ name }) => name)).toEqual(["guard-dead"]);
  });
});
