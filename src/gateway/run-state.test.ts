import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRunReport } from "#core/run-report.ts";
import { metricsEnvelope } from "#wire/envelope.ts";
import type { GatewayData, RunTotals } from "./data.ts";
import { ReportView } from "./report-view.ts";
import { RunTotalsCache } from "./run-totals.ts";
import { Telemetry } from "./telemetry.ts";

const SOME: RunTotals = { decisions: 9, attempts: 5, landed: 3, exact: 2, profitLamports: 17n };
const WINDOW = { sinceMs: 1_000, by: "at" } as const;

function totalsFrom(answer: () => Promise<RunTotals>) {
  let asked = 0;
  let nowMs = 50_000;
  const refuse = () => Promise.reject(new Error("not asked here"));
  const data: GatewayData = {
    totals: () => {
      asked++;
      return answer();
    },
    decisions: refuse,
    decision: refuse,
    outcomes: refuse,
    sandwiches: refuse,
    profit: refuse,
    routes: refuse,
    calibration: refuse,
  };
  const cache = new RunTotalsCache(data, () => nowMs);
  return { cache, asked: () => asked, pass: (ms: number) => (nowMs += ms) };
}

describe("RunTotalsCache", () => {
  test("asks the store at most once a second, however many ask", async () => {
    const { cache, asked, pass } = totalsFrom(() => Promise.resolve(SOME));
    await Promise.all([cache.read(WINDOW), cache.read(WINDOW), cache.read(WINDOW)]);
    pass(999);
    expect(await cache.read(WINDOW)).toEqual({ totals: SOME, reachable: true, ageMs: 999, why: "" });
    expect(asked()).toBe(1);
    pass(1);
    await cache.read(WINDOW);
    expect(asked()).toBe(2);
  });

  test("keeps the last sums and says so while the store is away", async () => {
    let away = false;
    const { cache, pass } = totalsFrom(() => (away ? Promise.reject(new Error("refused")) : Promise.resolve(SOME)));
    await cache.read(WINDOW);
    away = true;
    pass(4_000);
    expect(await cache.read(WINDOW)).toEqual({ totals: SOME, reachable: false, ageMs: 4_000, why: "refused" });
    away = false;
    pass(1_000);
    expect(await cache.read(WINDOW)).toMatchObject({ reachable: true, ageMs: 0, why: "" });
  });

  test("calls a store away that keeps a question without refusing it", async () => {
    let frozen = false;
    const { cache, pass } = totalsFrom(() => (frozen ? new Promise(() => undefined) : Promise.resolve(SOME)));
    await cache.read(WINDOW);
    frozen = true;
    pass(1_000);
    expect(await cache.read(WINDOW)).toMatchObject({ totals: SOME, reachable: true });
    pass(4_000);
    expect(await cache.read(WINDOW)).toEqual({
      totals: SOME,
      reachable: false,
      ageMs: 5_000,
      why: "the store has not answered for 4 s",
    });
  });

  test("answers while the store does not, and never mixes two runs", async () => {
    let release: (totals: RunTotals) => void = () => undefined;
    const { cache } = totalsFrom(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    expect(await cache.read(WINDOW)).toMatchObject({ reachable: false, ageMs: undefined });
    const releaseFirst = release;
    const second = cache.read({ sinceMs: 2_000, by: "at" });
    releaseFirst(SOME);
    release({ ...SOME, landed: 1 });
    expect((await second).totals.landed).toBe(1);
  });
});

describe("ReportView", () => {
  test("answers the last whole report, and nothing while there was none", () => {
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-view-"));
    const path = join(folder, "report.json");
    let nowMs = 0;
    const view = new ReportView(
      () => readRunReport(path),
      () => nowMs,
    );
    const after = (content: string) => {
      writeFileSync(path, content);
      nowMs += 1_000;
      return view.report();
    };
    expect(view.report()).toBeUndefined();
    expect(after("[]")).toBeUndefined();
    expect(after('{"processes":[],"off":[],"startedAtMs":5}')).toMatchObject({ startedAtMs: 5 });
    expect(after('{"processes":')).toMatchObject({ startedAtMs: 5 });
    rmSync(folder, { recursive: true });
  });
});

describe("Telemetry", () => {
  const metrics = (fields: Parameters<typeof metricsEnvelope>[0]) => {
    const { payload } = metricsEnvelope(fields);
    if (payload.case !== "metrics") throw new Error("metrics expected");
    return payload.value;
  };

  test("keeps the last quantiles of the arbitrage agent over a second without events", () => {
    const telemetry = new Telemetry(() => 0);
    telemetry.accept(metrics({ agent: "mev", hotpathP50Ns: 9_000_000n, hotpathP99Ns: 9_000_000n }));
    expect(telemetry.hotPath()).toBeUndefined();
    telemetry.accept(metrics({ agent: "arbitrage", hotpathP50Ns: 21_000n, hotpathP99Ns: 80_000n }));
    telemetry.accept(metrics({ agent: "arbitrage" }));
    expect(telemetry.hotPath()).toEqual({ p50Ms: 0.021, p99Ms: 0.08 });
  });

  test("tells the market of fresh messages only", () => {
    let nowMs = 0;
    const telemetry = new Telemetry(() => nowMs);
    telemetry.accept(metrics({ agent: "arbitrage", slot: 7n, marketLagMs: 12n }));
    telemetry.accept(metrics({ agent: "mev", slot: 8n, marketLagMs: 90n }));
    expect(telemetry.market()).toEqual({ slot: 8n, lagMs: 12 });
    nowMs = 6_000;
    expect(telemetry.market()).toEqual({ slot: undefined, lagMs: undefined });
  });

  test("is bounded, whatever names come", () => {
    const telemetry = new Telemetry(() => 0);
    for (let i = 0; i < 1_000; i++) telemetry.accept(metrics({ agent: `agent-${i}`, hotpathP99Ns: 1n }));
    expect(telemetry.agents().size).toBe(32);
  });
});
