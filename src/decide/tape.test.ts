/** The tape of a hot loop: recorded and replayed it decides the same; a hole or damage on it is told. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testPool } from "#arbitrage/test-pools.ts";
import { ManualClock } from "#core/clock.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING, MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { COUNTERS_BYTES, countersOver } from "./counters.ts";
import { DECISION_RING, OUTCOME_RING, sendOutcomeNote } from "./decision-record.ts";
import { RISK_BYTES, RiskWords } from "./risk/risk-words.ts";
import { drainTape } from "./tape-recorder.ts";
import { decisionOf, replayTape } from "./tape-replay.ts";
import { TAPE_RING } from "./tape-ring.ts";
import { openHotLoop } from "./taped-loop.ts";
import { POLICY, SOL } from "./test-loop.ts";
import { TIP_STATISTICS_BYTES } from "./tips/tip-bandit.ts";
import { TIP_RESULT } from "./tips/tip-table.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-tape-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const log = createLog({ process: "test", level: "error", format: "text" });
const CONFIG = loadConfig({ flags: [], environment: {} }).config;
const NOTE = {
  result: TIP_RESULT.none,
  rivalTipLamports: 0,
  tipFloorLamports: 20_000,
  leader: 0,
  walletLamports: 1e12,
  tipMedianLamports: 5e4,
  landedShare: 0.4,
  outbidShare: 0.1,
};
const model = { hash: "00000000000000aa", predict: (features: Float32Array) => 0.3 + ((features[0] ?? 0) % 1) / 2 };

function buffer(format: SlotRingFormat): SharedArrayBuffer {
  const made = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(made, format);
  return made;
}

/** A loop that lives through `turns` of a market out of a seed, recorded. Answers what it decided. */
async function live(turns: number, tapeSlots: number = TAPE_RING.capacity): Promise<number> {
  const random = seededRandom("tape");
  const clock = new ManualClock(0n, 1e9);
  const market = buffer(ARBITRAGE_RING);
  const memory = {
    decisions: buffer(DECISION_RING),
    outcomes: buffer(OUTCOME_RING),
    risk: new SharedArrayBuffer(RISK_BYTES),
    tipStatistics: new SharedArrayBuffer(TIP_STATISTICS_BYTES),
    tape: buffer({ ...TAPE_RING, capacity: tapeSlots }),
  };
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  switchboard.writePolicy(POLICY);
  new RiskWords(memory.risk).write("active", 32);
  const config = { ...CONFIG, "arbitrage.tipPolicy": "thompson", "risk.sendsPerMinuteMax": 500 } as const;
  const loop = openHotLoop(
    {
      switchboard,
      model,
      clock: { monotonicNs: () => clock.monotonicNs() + random.between(1, 5_000) },
      counters: countersOver(new SharedArrayBuffer(COUNTERS_BYTES)),
      latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
    },
    { ...memory, market },
    { config, runStartMs: 1_700_000_000_000, modelHash: "test", recording: folder },
  );
  const stop = drainTape(memory.tape, folder, log);
  loop.setCatalogue({ version: 1, pools: [testPool(0, 0, 1), testPool(1, 0, 1), testPool(2, 0, 1)] });
  const producer = new SlotProducer(market);
  const notes = new SlotProducer(memory.outcomes);
  const decisions = new SlotConsumer(memory.decisions);
  let [sequence, decided] = [0, 0];
  for (let turn = 0; turn < turns; turn++) {
    clock.advanceNs(random.between(1, 1e7));
    const count = random.between(0, 12);
    for (let i = 0; i < count; i++) {
      const at = producer.claim();
      producer.u8.fill(0, at, at + ARBITRAGE_RING.slotBytes);
      const word = at >> 2;
      producer.u32[word] = MARKET_RECORD_KIND.poolState;
      producer.u32[word + 1] = random.unit() < 0.8 ? MARKET_RECORD_FLAG.lastOfGroup : 0;
      producer.u32[word + 2] = ++sequence;
      producer.u32[word + 4] = 100 + turn;
      producer.f64[(at + MARKET_RECORD.eventNs) >> 3] = clock.monotonicNs();
      producer.f64[(at + MARKET_RECORD.feedNs) >> 3] = clock.monotonicNs();
      producer.u32[(at + MARKET_RECORD.pool) >> 2] = random.between(0, 3);
      const reserves = new BigUint64Array(producer.u8.buffer, at + MARKET_RECORD.reserve0, 2);
      reserves[0] = BigInt(random.between(900, 1_100)) * SOL;
      reserves[1] = BigInt(random.between(900, 1_100)) * 1_000_000n;
      producer.advance();
    }
    producer.publish();
    if (turn === 3) sendOutcomeNote(notes, { ...NOTE, sequence: 0 });
    if (turn % 50 === 49) switchboard.writePolicy({ ...POLICY, throttlePct: turn % 100 });
    loop.doWork();
    // The io thread gets its turn now and then.
    if (turn % 100 === 99) await Bun.sleep(20);
    for (let at = decisions.peek(); at >= 0; at = decisions.peek()) {
      decided++;
      const done = decisions.f64[(at >> 3) + 1] as number;
      if (random.unit() < 0.7)
        sendOutcomeNote(notes, {
          ...NOTE,
          sequence: done,
          result: random.unit() < 0.5 ? TIP_RESULT.landed : TIP_RESULT.none,
        });
      decisions.advance();
    }
    decisions.release();
  }
  stop();
  return decided;
}

test("a replayed tape decides what the loop decided, byte by byte, every time", async () => {
  const decided = await live(250);
  const replay = replayTape(folder, model);
  expect(decided).toBeGreaterThan(50);
  expect(replay.lost).toBe(0);
  expect(replay.recorded).toHaveLength(decided);
  expect(replay.replayed.map((one) => Buffer.from(one).toString("hex"))).toEqual(
    replay.recorded.map((one) => Buffer.from(one).toString("hex")),
  );
  expect(replayTape(folder, model).replayed).toEqual(replay.replayed);
  expect(new Set(replay.recorded.map((bytes) => decisionOf(bytes).action))).toEqual(new Set(["send", "skip"]));
});

test("another model decides otherwise, and that shows", async () => {
  await live(250);
  const { recorded, replayed } = replayTape(folder, { hash: model.hash, predict: () => 0.9 });
  const different = recorded.filter((bytes, i) => Buffer.compare(bytes, replayed[i] ?? new Uint8Array()) !== 0);
  expect(different.length).toBeGreaterThan(0);
});

test("a tape that had no room is compared up to its hole, and the hole is told", async () => {
  await live(400, 256);
  const { lost, recorded, replayed } = replayTape(folder, model);
  expect(lost).toBeGreaterThan(0);
  expect(replayed.length).toBeLessThanOrEqual(recorded.length);
});

test("a tape of another format, without its catalogue or its settings, is refused in words", async () => {
  await live(50);
  rmSync(join(folder, "catalogues"), { recursive: true });
  expect(() => replayTape(folder, model)).toThrow(/Cannot replay .*catalogues\/1\.json: catalogue 1/);
  writeFileSync(join(folder, "tape.json"), '{"format": 2}');
  expect(() => replayTape(folder, model)).toThrow(/a tape of format 1, was \{"format":2\}/);
});
