/**
 * What does telemetry cost the hot thread, in ns per event? `bun bench/telemetry.ts [RUNS = 7]`, under a minute.
 *
 * The real hot loop over the workload of hot-thread.ts, once with everything that the guard and the metrics read (latency
 * histogram, a look at the guard's line and the operators' switchboard before each batch, the newest stamp after it) and
 * once without, in turn, each pass a whole workload in batches of up to 64 records. Medians over the runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTER, COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { DECISION_RING } from "#decide/decision-record.ts";
import type { Scorer } from "#decide/evaluate.ts";
import { createHotLoop } from "#decide/hot-loop.ts";
import { PolicyDesk } from "#decide/policy-desk.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GUARD_LINE_BYTES, GuardLine, GuardLineReader } from "#memory/guard-line.ts";
import type { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING } from "#memory/market-record.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { hotPathHistogram, TELEMETRY_BYTES, TelemetryFigures } from "#memory/telemetry.ts";
import { ensureDefaultModel, loadModel } from "#model/default-model.ts";
import { makeRing, put } from "./hot-thread-run.ts";
import { BENCH_SETTINGS, POLICY } from "./hot-thread-settings.ts";
import { makeWorkload, type Workload } from "./hot-thread-workload.ts";
import { machine, median, short, table } from "./report.ts";

const EVENTS = 200_000;
const BATCH = 64;

/** ns per event of one pass; only the loop's own turns are timed. */
function pass(workload: Workload, model: Scorer, withTelemetry: boolean): number {
  const clock = createSystemClock();
  const market = makeRing(ARBITRAGE_RING);
  const decisions = makeRing(DECISION_RING);
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  const operator = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  switchboard.writePolicy(POLICY);
  operator.writePolicy(POLICY);
  const line = new ArrayBuffer(GUARD_LINE_BYTES);
  new GuardLine(line).say({ throttlePct: 0, killed: false }, false, clock.monotonicNs());
  const policy = new PolicyDesk(switchboard, new GuardLineReader(line, clock.monotonicNs()), operator, () => {});
  const telemetry = new ArrayBuffer(TELEMETRY_BYTES);
  const figures = new TelemetryFigures(telemetry);
  const nothing = { record: () => {} } as unknown as Histogram;
  const counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  const loop = createHotLoop({
    market: market.consumer,
    decisions: decisions.producer,
    switchboard,
    model,
    clock,
    counters,
    latency: withTelemetry ? hotPathHistogram(telemetry) : nothing,
    settings: BENCH_SETTINGS,
  });
  loop.setCatalogue({ version: 1, pools: workload.pools });
  const { records, recordBytes, snapshotRecords, events } = workload;
  const words = new Uint32Array(records.buffer);
  const total = snapshotRecords + events;
  let spentNs = 0;
  for (let i = 0; i < total; i += BATCH) {
    for (let k = i; k < Math.min(i + BATCH, total); k++)
      put(market.producer, words, (k * recordBytes) >> 2, recordBytes >> 2, clock.monotonicNs());
    market.producer.publish();
    const startNs = clock.monotonicNs();
    for (let taken = 1; taken > 0; ) {
      if (withTelemetry) policy.keep(clock.monotonicNs());
      taken = loop.doWork();
    }
    if (withTelemetry) figures.set("newestFeedNs", counters[COUNTER.newestFeedNs] as number);
    spentNs += clock.monotonicNs() - startNs;
    while (decisions.consumer.peek() >= 0) decisions.consumer.advance();
    decisions.consumer.release();
  }
  return spentNs / total;
}

const runs = Number(process.argv[2] ?? 7);
const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-telemetry-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
ensureDefaultModel(folder);
const model = loadModel(folder, "arb");
const workload = makeWorkload(EVENTS, BENCH_SETTINGS.hopsMax);
const times: { with: number[]; without: number[] } = { with: [], without: [] };
// The first of each warms the compiler up.
for (let run = 0; run <= runs; run++)
  for (const kind of run % 2 === 0 ? (["with", "without"] as const) : (["without", "with"] as const)) {
    const ns = pass(workload, model, kind === "with");
    if (run > 0) times[kind].push(ns);
  }
const [on, off] = [median(times.with), median(times.without)];
const rows = [
  ["without", short(off), ""],
  ["with", short(on), short(on / off)],
];
console.log(`${table(["telemetry", "ns per event", "ratio"], rows)}\n`);
console.log(
  `Telemetry costs ${short(on - off)} ns per event. Medians of ${runs} runs of ${EVENTS} events. ${machine()}`,
);
