/** What the tests of the hot loop share: a loop over real rings, fed and read by hand. */
import { expect } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { Histogram, HistogramReader } from "#memory/histogram.ts";
import {
  ARBITRAGE_RING,
  MARKET_RECORD,
  MARKET_RECORD_FLAG,
  MARKET_RECORD_KIND,
  TICK_RECORD,
} from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, slotRingBytes } from "#memory/slot-ring.ts";
import { type PolicyFields, Switchboard } from "#memory/switchboard.ts";
import { COUNTER, COUNTERS_BYTES, type CounterName, countersOver } from "./counters.ts";
import {
  createOutcomeNote,
  DECISION_RING,
  type Decision,
  OUTCOME_RING,
  type OutcomeNote,
  readDecision,
  sendOutcomeNote,
} from "./decision-record.ts";
import { createHotLoop, type HotLoopSettings } from "./hot-loop.ts";
import type { TipBandit } from "./tips/tip-bandit.ts";

export const LAST = MARKET_RECORD_FLAG.lastOfGroup;
export const SNAPSHOT = MARKET_RECORD_FLAG.snapshot | LAST;
const TEST_MODEL = "0123456789abcdef";
export const SOL = 1_000_000_000n;
export const POLICY: PolicyFields = {
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: 1,
  tipLadderLamports: [10_000, 100_000, 1_000_000],
};
const SETTINGS: HotLoopSettings = {
  hopsMax: 3,
  splitGainLamportsMin: 0,
  inputLamportsMax: 50_000_000_000,
  tipShareMax: 0.5,
  feeLamports: 5_000,
  missCostLamports: 0,
  slotMs: 400,
  walletLamports: 1_000_000_000_000,
};

export function ring(format: { slotBytes: number; capacity: number }) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return { producer: new SlotProducer(buffer), consumer: new SlotConsumer(buffer) };
}

/** A loop over real rings, and the means to feed it and look at what it does. */
export function createRig(
  settings: Partial<HotLoopSettings> = {},
  policy: Partial<PolicyFields> = {},
  decisionSlots = 64,
  tips?: TipBandit,
) {
  const clock = new ManualClock(0n, 1e9);
  const market = ring({ slotBytes: ARBITRAGE_RING.slotBytes, capacity: 256 });
  const decisions = ring({ ...DECISION_RING, capacity: decisionSlots });
  const outcomes = ring(OUTCOME_RING);
  const board = new SharedArrayBuffer(Switchboard.bytes);
  const counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  const latency = new SharedArrayBuffer(Histogram.bytes);
  const switchboard = new Switchboard(board);
  switchboard.writePolicy({ ...POLICY, ...policy });
  let wakes = 0;
  const loop = createHotLoop({
    market: market.consumer,
    decisions: decisions.producer,
    outcomes: outcomes.consumer,
    switchboard: new Switchboard(board),
    model: { hash: TEST_MODEL, predict: () => 0.5 },
    ...(tips !== undefined && { tips }),
    clock,
    counters,
    latency: new Histogram(latency),
    settings: { ...SETTINGS, ...settings },
    wake: () => wakes++,
  });
  let sequence = 0;
  const put = (kind: number, flags: number, fill: (u32: Uint32Array, word: number) => void = () => {}) => {
    const { producer } = market;
    const at = producer.claim();
    producer.u8.fill(0, at, at + ARBITRAGE_RING.slotBytes);
    producer.u32[(at + MARKET_RECORD.kind) >> 2] = kind;
    producer.u32[(at + MARKET_RECORD.flags) >> 2] = flags;
    producer.u32[(at + MARKET_RECORD.sequence) >> 2] = ++sequence;
    producer.u32[(at + MARKET_RECORD.slot) >> 2] = 77;
    producer.f64[(at + MARKET_RECORD.eventNs) >> 3] = clock.monotonicNs();
    producer.f64[(at + MARKET_RECORD.feedNs) >> 3] = clock.monotonicNs();
    fill(producer.u32, at >> 2);
    producer.advance();
    producer.publish();
  };
  const state = (pool: number, reserve0: bigint, reserve1: bigint, flags: number) =>
    put(MARKET_RECORD_KIND.poolState, flags, (u32, word) => {
      u32[word + MARKET_RECORD.pool / 4] = pool;
      new BigUint64Array(u32.buffer)[(word + MARKET_RECORD.reserve0 / 4) / 2] = reserve0;
      new BigUint64Array(u32.buffer)[(word + MARKET_RECORD.reserve1 / 4) / 2] = reserve1;
    });
  /** A TICKS record of at most three, then the state of a concentrated pool. */
  const concentrated = (
    pool: number,
    sqrtPriceX64: bigint,
    liquidity: bigint,
    tickCurrent: number,
    flags: number,
    ticks?: readonly (readonly [index: number, net: bigint | undefined])[],
  ) => {
    const put128 = (u32: Uint32Array, word: number, value: bigint) => {
      for (let i = 0; i < 4; i++) u32[word + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
    };
    if (ticks !== undefined)
      put(MARKET_RECORD_KIND.ticks, flags & ~MARKET_RECORD_FLAG.lastOfGroup, (u32, word) => {
        u32[word + MARKET_RECORD.pool / 4] = pool;
        u32[word + MARKET_RECORD.tickCount / 4] = ticks.length;
        u32[word + MARKET_RECORD.ticksCleared / 4] = (flags & MARKET_RECORD_FLAG.snapshot) === 0 ? 0 : 1;
        ticks.forEach(([index, net], i) => {
          const at = word + (MARKET_RECORD.ticks + i * TICK_RECORD.bytes) / 4;
          u32[at] = index >>> 0;
          u32[at + 1] = net === undefined ? 0 : 1;
          put128(u32, at + 2, net ?? 0n);
        });
      });
    put(MARKET_RECORD_KIND.concentratedState, flags, (u32, word) => {
      u32[word + MARKET_RECORD.pool / 4] = pool;
      put128(u32, word + MARKET_RECORD.sqrtPrice / 4, sqrtPriceX64);
      put128(u32, word + MARKET_RECORD.liquidity / 4, liquidity);
      u32[word + MARKET_RECORD.tickCurrent / 4] = tickCurrent >>> 0;
    });
  };
  const run = () => {
    while (loop.doWork() > 0);
    const out: Decision[] = [];
    for (let at = decisions.consumer.peek(); at >= 0; at = decisions.consumer.peek()) {
      out.push(readDecision(decisions.consumer, at));
      decisions.consumer.advance();
    }
    decisions.consumer.release();
    return out;
  };
  const settle = (decided: number, walletLamports: number, change: Partial<OutcomeNote> = {}) => {
    const note = { ...createOutcomeNote(), sequence: decided, walletLamports, ...change };
    expect(sendOutcomeNote(outcomes.producer, note)).toBe(true);
  };
  return {
    clock,
    loop,
    market,
    state,
    concentrated,
    run,
    settle,
    switchboard,
    latency: new HistogramReader(latency),
    counter: (name: CounterName) => counters[COUNTER[name]],
    skipSequence: () => sequence++,
    wakes: () => wakes,
  };
}
