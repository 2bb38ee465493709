/** Watch over real regions: what the agent writes becomes verdicts, what is ordered reaches the agent's end. */
import { describe, expect, test } from "bun:test";
import { type ClockQuality, ManualClock } from "#core/clock.ts";
import { loadConfig } from "#core/config.ts";
import {
  GUARD_LINE_BYTES,
  GUARD_SILENT_NS_MAX,
  GuardLine,
  GuardLineReader,
  REDUCING_THROTTLE_PCT,
} from "#memory/guard-line.ts";
import { hotPathHistogram, TELEMETRY_BYTES, TelemetryDesk } from "#memory/telemetry.ts";
import { objectivesOf } from "./objectives.ts";
import { Watch } from "./watch.ts";

const OBJECTIVES = objectivesOf(loadConfig({ flags: [], environment: {} }).config);
const SECOND_NS = 1e9;
const KEPT: ClockQuality = { isSynchronised: true, offsetMs: -0.2, estimatedErrorMs: 0.5, errorMsMax: 14 };

function stage(acts = true) {
  const clock = new ManualClock(1_790_000_000_000_000_000n, 5_000 * SECOND_NS);
  const telemetry = new ArrayBuffer(TELEMETRY_BYTES);
  const line = new ArrayBuffer(GUARD_LINE_BYTES);
  const { figures, sends } = new TelemetryDesk(telemetry);
  let quality: ClockQuality | undefined = KEPT;
  const say = (differs: Partial<ClockQuality> | undefined) => {
    quality = differs && { ...KEPT, ...differs };
  };
  const clockQuality = () => quality;
  const watch = new Watch({ agent: "arbitrage", objectives: OBJECTIVES, telemetry, line, clock, clockQuality, acts });
  const reader = new GuardLineReader(line, clock.monotonicNs());
  /** One second in which the agent decides 50 times and lands 9 of 10. */
  const live = (decisionMs: number, marketAgeMs = 50, chainAgeMs = 200) => {
    clock.advanceNs(SECOND_NS);
    for (let i = 0; i < 50; i++) hotPathHistogram(telemetry).record(decisionMs * 1e6);
    sends.record(3e6);
    figures.add("settled", 10);
    figures.add("landed", 9);
    figures.set("falseQuotesPct", 4);
    figures.set("falseQuotesSamples", 25);
    figures.set("newestFeedNs", clock.monotonicNs() - marketAgeMs * 1e6);
    figures.set("chainReadNs", clock.monotonicNs() - chainAgeMs * 1e6);
    figures.set("writtenNs", clock.monotonicNs());
    return watch.second();
  };
  return { clock, line, figures, watch, reader, live, say };
}

const stateOf = (watch: Watch, name: string) => watch.verdicts.find(({ objective }) => objective.name === name)?.state;

describe("Watch", () => {
  test("a calm agent gets a heartbeat and no order", () => {
    const { watch, reader, live, clock } = stage();
    for (let i = 0; i < 300; i++) expect(live(0.5)).toBeUndefined();
    expect(reader.limits(clock.monotonicNs())).toEqual({ throttlePct: 0, killed: false, guardSilent: false });
    expect(watch.verdicts.map(({ state }) => state)).toEqual(Array(11).fill("good"));
  });

  test("a slow agent reads its throttle, then its kill, without bus or store", () => {
    const { reader, live, clock } = stage();
    const seen = new Set<string>();
    for (let i = 0; i < 120; i++) {
      live(30);
      const { throttlePct, killed } = reader.limits(clock.monotonicNs());
      seen.add(`${throttlePct} ${killed}`);
    }
    expect([...seen]).toEqual(["0 false", "50 false", "90 false", "90 true"]);
  });

  test("without leave to act it only tells", () => {
    const { watch, reader, live, clock } = stage(false);
    for (let i = 0; i < 120; i++) live(30);
    expect(stateOf(watch, "hot-path-p99")).toBe("violated");
    expect(reader.limits(clock.monotonicNs())).toEqual({ throttlePct: 0, killed: false, guardSilent: false });
  });

  test("a dead agent's old stamp is not a silent market", () => {
    const { watch, live, clock } = stage();
    live(0.5);
    for (let i = 0; i < 60; i++) {
      clock.advanceNs(SECOND_NS);
      expect(watch.second()).toBeUndefined();
    }
    expect(stateOf(watch, "market-lag")).toBe("unknown");
  });

  test("a cluster that answers nothing any more pauses the agent, though the market is heard", () => {
    const { watch, live } = stage();
    live(0.5);
    expect(stateOf(watch, "chain-lag")).toBe("good");
    const said = Array.from({ length: 40 }, (_, i) => live(0.5, 50, 30_000 + 1_000 * i)).filter(Boolean);
    expect(stateOf(watch, "market-lag")).toBe("good");
    expect(said).toMatchObject([{ kind: "pause", because: { objective: { name: "chain-lag" } } }]);
  });

  test("finds a step of the wall clock in either direction", () => {
    for (const stepNs of [40_000_000n, -40_000_000n]) {
      const { watch, live, clock } = stage();
      live(0.5);
      clock.setWallNs(clock.wallNs() + stepNs);
      live(0.5);
      expect(stateOf(watch, "clock-step")).toBe("violated");
      for (let i = 0; i < 61; i++) live(0.5);
      expect(stateOf(watch, "clock-step")).toBe("good");
    }
  });

  test("tells how long the bus has acknowledged nothing of a living agent", () => {
    const { watch, live, figures, clock } = stage();
    live(0.5);
    expect(watch.publishLagMs).toBeUndefined();
    figures.set("publishedNs", clock.monotonicNs());
    for (let i = 0; i < 12; i++) live(0.5);
    expect(watch.publishLagMs).toBe(12_000);
  });

  test("believes the kernel's error of a clock that somebody keeps, and nothing of another", () => {
    const { watch, live, say } = stage();
    const saying = (differs: Partial<ClockQuality> | undefined) => {
      say(differs);
      live(0.5);
      return stateOf(watch, "clock-error");
    };
    expect(saying({ offsetMs: -9, estimatedErrorMs: 2 })).toBe("violated");
    expect(saying({ offsetMs: 0, estimatedErrorMs: 9.9, errorMsMax: 16_000 })).toBe("good");
    expect(saying({ isSynchronised: false, estimatedErrorMs: 16_000 })).toBe("unknown");
    expect(saying(undefined)).toBe("unknown");
  });

  test("a guard that comes back goes on where the last one ended, and an operator lifts its kill", () => {
    const { line, live, clock, reader, watch } = stage();
    for (let i = 0; i < 40; i++) live(900);
    expect(reader.limits(clock.monotonicNs()).killed).toBe(true);
    const telemetry = new ArrayBuffer(TELEMETRY_BYTES);
    const parts = {
      agent: "arbitrage",
      objectives: OBJECTIVES,
      telemetry,
      line,
      clock,
      clockQuality: () => KEPT,
    };
    const next = new Watch({ ...parts, acts: true });
    next.second();
    expect(reader.limits(clock.monotonicNs()).killed).toBe(true);
    // The agent says that an operator has started it.
    new TelemetryDesk(telemetry).figures.set("starts", 1);
    expect(next.second()?.kind).toBe("lift");
    expect(reader.limits(clock.monotonicNs())).toEqual({ throttlePct: 0, killed: false, guardSilent: false });
    expect(watch.agent).toBe("arbitrage");
    // The memory is gone with the machine; the report is not.
    const fresh = { ...parts, line: new ArrayBuffer(GUARD_LINE_BYTES), acts: true };
    const after = new Watch({ ...fresh, before: { throttlePct: 50, killed: true, startsAtKill: 1 } });
    expect(after.second()).toBeUndefined();
    expect(after.order()).toEqual({ throttlePct: 50, killed: true, startsAtKill: 1 });
  });
});

describe("GuardLineReader", () => {
  test("reduces by itself when the guard is dead, and goes on when it is back", () => {
    const region = new ArrayBuffer(GUARD_LINE_BYTES);
    const line = new GuardLine(region);
    const reader = new GuardLineReader(region, 0);
    expect(reader.limits(GUARD_SILENT_NS_MAX)).toEqual({ throttlePct: 100, killed: false, guardSilent: false });
    expect(reader.limits(GUARD_SILENT_NS_MAX + 1)).toEqual({
      throttlePct: REDUCING_THROTTLE_PCT,
      killed: false,
      guardSilent: true,
    });
    line.say({ throttlePct: 90, killed: false }, true, 10e9);
    expect(reader.violated).toBe(true);
    expect(reader.limits(11e9)).toEqual({ throttlePct: 90, killed: false, guardSilent: false });
    expect(reader.limits(11.5e9)).toBe(reader.limits(11e9));
    expect(reader.limits(16e9).throttlePct).toBe(90);
  });
});
