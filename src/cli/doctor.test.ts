/** What doctor and top say: of a folder without a run, of a run that is well, and of one that is not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { loadConfig } from "#core/config.ts";
import { runPaths } from "#core/paths.ts";
import { type RunReport, readRunReport } from "#core/run-report.ts";
import { hotPathHistogram, TELEMETRY_BYTES, TelemetryDesk, TelemetryReader } from "#memory/telemetry.ts";
import { readGuardReport } from "#slo/report.ts";
import { doctorText, runFindings, tpuFindings } from "./doctor.ts";
import { topText } from "./top.ts";

const NOW_MS = 1_790_000_000_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-doctor-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

/** Writes the two reports of a run, as supervisor and guard do. */
function writeRun(name: string, throttlePct: number, processes: RunReport["processes"] = [PROCESS]) {
  const { config } = loadConfig({ environment: {}, flags: ["--dataDir", join(folder, name)] });
  const paths = runPaths(config.dataDir);
  const run = { version: "1", runId: "r", mode: "sim", startedAtMs: NOW_MS - 3_723_000, updatedAtMs: NOW_MS };
  writeFileAtomic(paths.runReport, JSON.stringify({ ...run, page: "", off: [], processes }));
  const level = { name: "hot-path-p99", about: "", unit: "ms", bad: "above", limit: 20, severeLimit: 200, value: 31.2 };
  const state = throttlePct > 0 ? "violated" : "good";
  const objectives = [{ ...level, samples: 900, state }];
  const agents = [{ agent: "arbitrage", throttlePct, killed: false, objectives }];
  writeFileAtomic(paths.guardReport, JSON.stringify({ atMs: NOW_MS, acts: true, agents, actions: [] }));
  return { config, run: readRunReport(paths.runReport), guard: readGuardReport(paths.guardReport) };
}

describe("runFindings()", () => {
  test("says that there is no run", () => {
    const { config } = loadConfig({ environment: {}, flags: ["--dataDir", join(folder, "nothing")] });
    expect(doctorText(runFindings(config, NOW_MS))).toContain("there is no run in this data folder");
  });

  test("has nothing to say of a run that is well", () => {
    expect(doctorText(runFindings(writeRun("well", 0).config, NOW_MS))).toBe(
      "  ok     run  mode sim, 1 processes, every service level kept\n\nNothing is wrong.\n",
    );
  });

  test("names each alarm with its figures and its page", () => {
    const { config } = writeRun("ill", 50, [{ ...PROCESS, state: "restarting", lastExit: "signal 9" }]);
    const text = doctorText(runFindings(config, NOW_MS));
    for (const part of ["31.2 ms, at most 20 is asked for", "50 % are passed over", "feed is restarting (signal 9)"])
      expect(text).toContain(part);
    for (const page of ["hot-path-p99", "guard-throttles", "process-down"])
      expect(text).toContain(`→ docs/runbook/${page}.md`);
    expect(text).toEndWith("3 things are wrong.\n");
  });
});

describe("topText()", () => {
  test("shows the agent's second, the levels and the processes", () => {
    const region = new ArrayBuffer(TELEMETRY_BYTES);
    const reader = new TelemetryReader(region);
    const { figures, sends } = new TelemetryDesk(region);
    for (let i = 0; i < 40; i++) hotPathHistogram(region).record(500_000);
    sends.record(4e6);
    figures.add("settled", 4);
    figures.add("landed", 3);
    figures.add("gainedLamports", 2_500_000);
    figures.add("lostLamports", 500_000);
    figures.set("newestFeedNs", 7e9);
    const window = reader.takeWindow();
    const { run, guard } = writeRun("top", 50);
    const text = topText({ run, guard, window, seconds: 2, nowMs: NOW_MS, nowMonotonicNs: 7.25e9 });
    for (const part of [
      "up 1:02:03",
      "20/s",
      "ended 4   landed 3   net 0.002000000 SOL",
      "newest event 250.000 ms ago",
    ])
      expect(text).toContain(part);
    expect(text).toContain("hot-path-p99     31.2 ms        ≤ 20 ms        violated");
    expect(text).toContain("arbitrage passes over 50 %");
  });

  test("says what is absent", () => {
    const frame = { run: undefined, guard: undefined, window: undefined, seconds: 1, nowMs: NOW_MS, nowMonotonicNs: 0 };
    expect(topText(frame)).toContain("no run in this data folder");
    expect(topText(frame)).toContain("arbitrage has not run yet");
  });
});

test("tpuFindings() says why the native engine that was asked for does not send", () => {
  const configOf = (...flags: string[]) => loadConfig({ environment: {}, flags }).config;
  expect(tpuFindings(configOf(), () => "not built")).toEqual([]);
  const native = configOf("--execute.tpuEngine", "native", "--execute.tpuController", "bbr");
  expect(tpuFindings(native, () => undefined)).toMatchObject([{ state: "ok", says: "native engine, controller bbr" }]);
  const todo = "bun scripts/build-native.ts";
  expect(tpuFindings(native, () => "not built")).toEqual([
    { state: "wrong", part: "tpu", says: "the built-in engine sends: not built", todo },
  ]);
});
