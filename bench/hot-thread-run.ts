/** Sandpiper's side of bench/hot-thread.ts: the real hot loop over real rings, with the default model. */
import { fullGC } from "bun:jsc";
import { writeSync } from "node:fs";
import type { Clock } from "#core/clock.ts";
import { seededRandom } from "#core/random.ts";
import { COUNTER, COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { DECISION_RING } from "#decide/decision-record.ts";
import type { Scorer } from "#decide/evaluate.ts";
import { createHotLoop, type HotLoop } from "#decide/hot-loop.ts";
import { IN_FLIGHT_MAX } from "#decide/in-flight.ts";
import { RiskGate } from "#decide/risk/risk-gate.ts";
import { RISK_BYTES, RiskWords } from "#decide/risk/risk-words.ts";
import { TipBandit } from "#decide/tips/tip-bandit.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING, MARKET_RECORD } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { loadModel } from "#model/default-model.ts";
import {
  type HotThreadResult,
  type HotThreadSetup,
  POLICY,
  TIMED_PASS,
  WARM_UP_EVENTS,
} from "./hot-thread-settings.ts";
import { Times } from "./hot-thread-times.ts";
import type { Workload } from "./hot-thread-workload.ts";

/** One pass under a counted clock, whose records are hashed, then one of `events` under the system's, which is timed. */
export function runHotThread(
  workload: Workload,
  modelsDir: string,
  setup: HotThreadSetup,
  events: number,
): HotThreadResult {
  const model = loadModel(modelsDir, "arb");
  const { snapshotRecords } = workload;
  let event = 0;
  const checked = new Pass(workload, setup, model, { monotonicNs: () => 1e9 + 1_000 * event });
  let hash = 2_166_136_261;
  for (; event < snapshotRecords + workload.events; event++) {
    checked.turn();
    hash = drain(checked.decisions, hash);
  }
  const timed = new Pass(workload, setup, model, createSystemClock());
  for (let i = 0; i < snapshotRecords + WARM_UP_EVENTS; i++) {
    timed.turn();
    timed.giveBack();
  }
  const plain = new Times();
  const deciding = new Times();
  fullGC();
  writeSync(2, `${TIMED_PASS.begins}\n`);
  const heapBefore = process.memoryUsage().heapUsed;
  for (let i = 0; i < events; i++) {
    timed.turn();
    timed.giveBack();
    if (timed.decided) deciding.record(timed.elapsedNs);
    else plain.record(timed.elapsedNs);
  }
  const heapGrowthBytes = process.memoryUsage().heapUsed - heapBefore;
  writeSync(2, `${TIMED_PASS.ends}\n`);
  return {
    hash,
    decisions: checked.counter(COUNTER.decisions),
    sends: checked.counter(COUNTER.sends),
    plain: plain.quantiles(),
    deciding: deciding.quantiles(),
    heapGrowthBytes,
  };
}

/** A loop over the workload: the snapshot, then its events, over and over. */
class Pass {
  /** Of the last turn: how long it took, and whether it put a decision on record. */
  elapsedNs = 0;
  decided = false;
  readonly decisions: SlotConsumer;
  readonly #market: SlotProducer;
  readonly #loop: HotLoop;
  readonly #counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  readonly #words: Uint32Array;
  #at = 0;
  #sequence = 0;

  constructor(
    private readonly workload: Workload,
    { settings, guarded }: HotThreadSetup,
    model: Scorer,
    private readonly clock: Pick<Clock, "monotonicNs">,
  ) {
    const market = makeRing(ARBITRAGE_RING);
    const decisions = makeRing(DECISION_RING);
    const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
    switchboard.writePolicy(POLICY);
    this.#market = market.producer;
    this.decisions = decisions.consumer;
    this.#words = new Uint32Array(workload.records.buffer);
    this.#loop = createHotLoop({
      market: market.consumer,
      decisions: decisions.producer,
      switchboard,
      model,
      clock,
      counters: this.#counters,
      latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
      settings,
      ...(guarded && { tips: new TipBandit("thompson", seededRandom("tips").unit), risk: openGate() }),
    });
    this.#loop.setCatalogue({ version: 1, pools: workload.pools });
  }

  counter(place: number): number {
    return this.#counters[place] as number;
  }

  turn(): void {
    const { recordBytes, snapshotRecords, events } = this.workload;
    const words = recordBytes >> 2;
    put(this.#market, this.#words, this.#at * words, words, this.clock.monotonicNs(), ++this.#sequence);
    this.#market.publish();
    const before = this.counter(COUNTER.decisions);
    const startNs = this.clock.monotonicNs();
    this.#loop.doWork();
    this.elapsedNs = this.clock.monotonicNs() - startNs;
    this.decided = this.counter(COUNTER.decisions) !== before;
    if (++this.#at === snapshotRecords + events) this.#at = snapshotRecords;
  }

  /** Takes the decision records away unread. */
  giveBack(): void {
    while (this.decisions.peek() >= 0) this.decisions.advance();
    this.decisions.release();
  }
}

/** Risk limits that never forbid anything. */
function openGate(): RiskGate {
  const words = new RiskWords(new SharedArrayBuffer(RISK_BYTES));
  words.write("active", IN_FLIGHT_MAX);
  return new RiskGate(words, Number.MAX_SAFE_INTEGER);
}

/** Both ends of an empty ring. */
export function makeRing(format: SlotRingFormat) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return { producer: new SlotProducer(buffer), consumer: new SlotConsumer(buffer) };
}

/** Writes a record with its stamps, and with a sequence of its own where one is given; the caller publishes. */
export function put(
  producer: SlotProducer,
  words: Uint32Array,
  from: number,
  count: number,
  nowNs: number,
  sequence?: number,
): void {
  const at = producer.claim();
  for (let word = 0; word < count; word++) producer.u32[(at >> 2) + word] = words[from + word] as number;
  if (sequence !== undefined) producer.u32[(at + MARKET_RECORD.sequence) >> 2] = sequence;
  producer.f64[(at + MARKET_RECORD.eventNs) >> 3] = nowNs;
  producer.f64[(at + MARKET_RECORD.feedNs) >> 3] = nowNs;
  producer.advance();
}

/** Takes every decision record there is into the hash, as the io thread would take it away. */
function drain(consumer: SlotConsumer, hash: number): number {
  let mixed = hash;
  for (let at = consumer.peek(); at >= 0; at = consumer.peek()) {
    for (let byte = 0; byte < DECISION_RING.slotBytes; byte++)
      mixed = Math.imul(mixed ^ (consumer.u8[at + byte] as number), 16_777_619) >>> 0;
    consumer.advance();
  }
  consumer.release();
  return mixed;
}
