/** The small parts of the io thread: outbox, journal, recent outcomes, metrics, and a cluster that never answers. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAddress } from "#arbitrage/test-pools.ts";
import { ManualClock } from "#core/clock.ts";
import type { Signature } from "#core/units.ts";
import { COUNTER, COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { AgentMetrics } from "./agent-metrics.ts";
import { notLanded, type SentBundle, type Settlement } from "./bundle.ts";
import { BundleJournal } from "./journal.ts";
import { Outbox } from "./outbox.ts";
import { RecentOutcomes } from "./recent.ts";
import { RivalFinder } from "./rivals.ts";
import { createRpc } from "./rpc.ts";
import { LandingTracker } from "./tracker.ts";

const bundle = (sequence: number, tipLamports = 10_000n): SentBundle => ({
  decisionId: `arbitrage-1-${sequence}`,
  sequence,
  bundleId: `b${sequence}`,
  routeId: `b${sequence}`,
  route: "jito",
  signature: "s" as Signature,
  wireBase64: "AQID",
  blockhash: "h",
  lastValidBlockHeight: 150,
  decidedSlot: 7,
  pools: [testAddress(1)],
  tipLamports,
  feeLamports: 5_000n,
  predictedNetLamports: -9_007_199_254_740_993n,
  eventNs: 1n,
  decideNs: 2n,
  sendNs: 3n,
  acceptedNs: 0n,
});
const entry = (sequence: number) => ({ bundle: bundle(sequence), arbKey: "k", arbBase64: "AA==" });
const landed: Settlement = { ...notLanded("landed", ""), realisedNetLamports: 2_000_000_000n, exact: true };
const record = { key: "k", bytes: new Uint8Array([1]) };

describe("Outbox", () => {
  test("must() tries again until the record is durable, and is owed until its sender knew", async () => {
    let failures = 3;
    const outbox = new Outbox(
      async () => {
        if (failures-- > 0) throw new Error("disk full");
      },
      async () => {},
    );
    let owedWhenDurable = -1;
    await outbox.must("bundle-outcomes-proto", record, () => {
      owedWhenDurable = outbox.owed;
    });
    expect(owedWhenDurable).toBe(1);
    expect(outbox.owed).toBe(0);
    expect(failures).toBe(-1);
  });

  test("offer() counts what it drops: over the bound, and what the bus refused", async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const outbox = new Outbox(async () => gate, Bun.sleep);
    for (let i = 0; i < 4_100; i++) outbox.offer("metrics-proto", record);
    expect(outbox.dropped).toBe(4);
    release();
    await gate;
    const refusing = new Outbox(async () => Promise.reject(new Error("full")), Bun.sleep);
    refusing.offer("metrics-proto", record);
    await Bun.sleep(1);
    expect(refusing.dropped).toBe(1);
  });
});

describe("BundleJournal", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "journal-"));
    path = join(folder, "run", "open.ndjson");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("gives the next life what is open, to the unit, and what is on record of it", () => {
    const first = new BundleJournal(path);
    for (const sequence of [1, 2, 3]) first.opened(entry(sequence));
    first.recorded("arbitrage-1-2");
    first.closed("arbitrage-1-1");
    first.closed("arbitrage-1-99");
    first.close();
    const second = new BundleJournal(path);
    expect(second.open).toEqual([{ ...entry(2), recorded: true }, entry(3)]);
    second.close();
  });

  test("drops the cut last line of a killed process, whatever its length", () => {
    const first = new BundleJournal(path);
    first.opened(entry(1));
    first.close();
    const whole = readFileSync(path, "utf8");
    for (let length = 1; length < whole.length - 1; length += 7) {
      appendFileSync(path, whole.slice(0, length));
      const next = new BundleJournal(path);
      expect(next.open).toHaveLength(1);
      next.close();
      expect(readFileSync(path, "utf8")).toBe(whole);
    }
  });

  test("stays small however many bundles pass", () => {
    const journal = new BundleJournal(path);
    for (let sequence = 0; sequence < 5_000; sequence++) {
      journal.opened(entry(sequence));
      journal.closed(`arbitrage-1-${sequence}`);
    }
    journal.close();
    expect(readFileSync(path).length).toBeLessThan(1.1 * 2 ** 20);
  });
});

test("RecentOutcomes forgets the oldest and counts rivals' winning tips", () => {
  const recent = new RecentOutcomes();
  expect([recent.landedShare, recent.outbidShare, recent.tipMedianLamports]).toEqual([0.5, 0, 0]);
  for (let i = 0; i < 100; i++) recent.add(bundle(i), notLanded("dropped", ""));
  for (let i = 0; i < 32; i++) recent.add(bundle(i, 40_000n), landed);
  for (let i = 0; i < 16; i++) recent.add(bundle(i), notLanded("outbid", "", 90_000n));
  expect([recent.landedShare, recent.outbidShare, recent.tipMedianLamports]).toEqual([0.5, 0.25, 40_000]);
});

test("AgentMetrics reports windows, totals and the hour's money", () => {
  const counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  const told: string[] = [];
  const window = { maxNs: 9_000, quantile: (q: number) => 10_000 * q };
  const metrics = new AgentMetrics({
    identity: { agent: "a", mode: "sim", version: "v", runStartMs: 0 },
    modelHash: () => "m",
    counters,
    tipStatistics: () => [{ tipLamports: 10_000, played: 4, landed: 3, payoffMean: 0.5 }],
    telemetry: {
      figures: {
        add: (figure, by) => told.push(`${figure} ${by}`),
        set: (figure, value) => told.push(`${figure} ${value}`),
      },
      sends: { record: (ns) => told.push(`send ${ns}`) },
      hotPathWindows: { takeWindow: () => window },
      sendWindows: { takeWindow: () => ({ maxNs: 3e6, quantile: () => 3e6 }) },
    },
    sloViolated: () => true,
    publishDropped: () => 2,
  });
  counters[COUNTER.records] = 10;
  counters[COUNTER.decisionsDropped] = 1;
  counters[COUNTER.newestFeedNs] = 1e9;
  metrics.settled(landed);
  metrics.settled(notLanded("outbid", ""));
  metrics.sendTook(3e6);
  metrics.sendTook(2e9);
  const first = metrics.take(5n, 1.25e9, 1_000);
  expect(first).toMatchObject({ events: 10n, landed: 1n, landedPct: 50, pnl1hLamports: 2_000_000_000n, pnl1h: 2 });
  expect(first).toMatchObject({ publishDropped: 3n, marketLagMs: 250n, sendP99: 3, hotpathP99Ns: 9_900n });
  expect(first.sloViolation).toBe(true);
  expect(told).toEqual([
    ...["settled 1", "landed 1", "gainedLamports 2000000000", "settled 1", "gainedLamports 0"],
    ...["send 3000000", "send 2000000000", "falseQuotesPct 0", "falseQuotesSamples 0", "writtenNs 1250000000"],
  ]);
  counters[COUNTER.records] = 13;
  expect(metrics.take(6n, 2e9, 1_000)).toMatchObject({ events: 3n, eventsTotal: 13n, landed: 0n, landedPct: 50 });
  for (let second = 0; second < 3_600; second++) metrics.take(7n, 2e9, 1_000);
  expect(metrics.take(8n, 2e9, 1_000)).toMatchObject({ pnl1hLamports: 0n, landedPct: 0 });
});

test("LandingTracker ends a bundle as unknown when the cluster never answers again", async () => {
  const clock = new ManualClock(0n, 1e9);
  const rpc = createRpc({ url: "http://127.0.0.1:1" });
  const ends: [string, string][] = [];
  const tracker = new LandingTracker({
    rpc,
    route: { statuses: async () => undefined },
    rivals: new RivalFinder(rpc, new Set()),
    chain: { slot: 10, blockHeight: 10 },
    clock,
    wallet: testAddress(5),
    settled: (_, { state, reason }) => ends.push([state, reason]),
  });
  tracker.follow(bundle(1));
  await tracker.poll();
  clock.advanceNs(89e9);
  await tracker.poll();
  expect(ends).toEqual([]);
  clock.advanceNs(2e9);
  await tracker.poll();
  await tracker.poll();
  expect(ends).toEqual([["unknown", "nothing could be learnt of it within 90 s"]]);
  expect(tracker.openCount).toBe(0);
});
