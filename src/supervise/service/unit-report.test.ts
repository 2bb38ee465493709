import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "#core/config.ts";
import { runPaths } from "#core/paths.ts";
import { PROCESS_NAMES, type ProcessName, readRunReport } from "#core/run-report.ts";
import { Heartbeat } from "#memory/heartbeat.ts";
import { makeRegions, removeRegions } from "#supervise/first-start.ts";
import { isUnit, UnitReport } from "./unit-report.ts";

const START_MS = 1_000_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    removeRegions(runPaths(folder));
    rmSync(folder, { recursive: true });
  }
});

function layout() {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-units-"));
  folders.push(folder);
  const { config } = loadConfig({ environment: {}, flags: ["--dataDir", folder] });
  const paths = runPaths(folder);
  const table = makeRegions(paths);
  const heartbeat = (name: ProcessName) => new Heartbeat(table, PROCESS_NAMES.indexOf(name));
  const open = (nowMs = START_MS) => new UnitReport(config, paths, nowMs);
  const seen = (name: ProcessName) => readRunReport(paths.runReport)?.processes.find((one) => one.name === name);
  return { heartbeat, open, seen, path: paths.runReport, report: () => readRunReport(paths.runReport) };
}

test("UnitReport shows what each process says of itself, and one that never began as starting", () => {
  const { heartbeat, open, seen } = layout();
  heartbeat("mev").begin(101);
  heartbeat("mev").setState("ready");
  open().look(START_MS);
  expect(seen("mev")).toMatchObject({ pid: 101, state: "ready", restarts: 0 });
  expect(seen("guard")).toMatchObject({ pid: 0, state: "starting", heartbeatAgeMs: -1 });
  expect(seen("supervisor")).toBeUndefined();
});

test("UnitReport shows a process as stalled when it beats no more, and counts its next lives", () => {
  const { heartbeat, open, seen } = layout();
  const mev = heartbeat("mev");
  mev.begin(101);
  mev.setState("ready");
  const report = open();
  report.look(START_MS);
  report.look(START_MS + 3_001);
  expect(seen("mev")).toMatchObject({ state: "stalled", heartbeatAgeMs: 3_001 });
  mev.begin(102);
  mev.beat();
  report.look(START_MS + 4_000);
  expect(seen("mev")).toMatchObject({ pid: 102, state: "starting", restarts: 1, startedAtMs: START_MS + 4_000 });
});

test("UnitReport goes on with the run that was prepared, and begins one after a supervisor's", () => {
  const { open, report, path } = layout();
  open().look(START_MS);
  const first = report();
  open(START_MS + 60_000).look(START_MS + 60_000);
  expect(report()).toMatchObject({ runId: first?.runId, startedAtMs: START_MS, updatedAtMs: START_MS + 60_000 });
  const [one] = first?.processes ?? [];
  writeFileSync(path, JSON.stringify({ ...first, runId: "supervised", processes: [{ ...one, name: "supervisor" }] }));
  open(START_MS + 90_000).look(START_MS + 90_000);
  expect(report()?.runId).not.toBe("supervised");
  expect(report()?.startedAtMs).toBe(START_MS + 90_000);
});

test.each([
  [{ NOTIFY_SOCKET: "/run/systemd/notify" }, true],
  [{ NOTIFY_SOCKET: "/run/systemd/notify", SANDPIPER_RUN_ID: "r" }, false],
  [{}, false],
])(
  "isUnit() tells a unit of its own from a supervised process and from one started by hand: %p",
  (environment, unit) => {
    expect(isUnit(environment)).toBe(unit);
  },
);
