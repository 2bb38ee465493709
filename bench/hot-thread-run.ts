/** Sandpiper's side of bench/hot-thread.ts: the real hot loop over real rings, with the default model. */
import type { Clock } from "#core/clock.ts";
import { COUNTER, COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { DECISION_RING } from "#decide/decision-record.ts";
import type { Scorer } from "#decide/evaluate.ts";
import { createHotLoop, type HotLoopSettings } from "#decide/hot-loop.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING, MARKET_RECORD } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { loadModel } from "#model/default-model.ts";
import { type HotThreadResult, POLICY, WARM_UP_EVENTS } from "./hot-thread-settings.ts";
import type { Workload } from "./hot-thread-workload.ts";

type Timed = { readonly plain: number[]; readonly deciding: number[] };

/** One pass under a counted clock, whose records are hashed, then one under the system's, which is timed. */
export function runHotThread(workload: Workload, modelsDir: string, settings: HotLoopSettings): HotThreadResult {
  const model = loadModel(modelsDir, "arb");
  let event = 0;
  const counted = { monotonicNs: () => 1e9 + 1_000 * event };
  const checked = runPass(workload, settings, model, counted, (i) => {
    event = i;
  });
  const timed = runPass(workload, settings, model, createSystemClock(), () => {});
  return {
    hash: checked.hash,
    decisions: checked.decisions,
    sends: checked.sends,
    plain: quantiles(timed.times.plain),
    deciding: quantiles(timed.times.deciding),
  };
}

function runPass(
  workload: Workload,
  settings: HotLoopSettings,
  model: Scorer,
  clock: Pick<Clock, "monotonicNs">,
  begin: (event: number) => void,
) {
  const market = makeRing(ARBITRAGE_RING);
  const decisions = makeRing(DECISION_RING);
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  switchboard.writePolicy(POLICY);
  const counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  const latency = new Histogram(new SharedArrayBuffer(Histogram.bytes));
  const loop = createHotLoop({
    market: market.consumer,
    decisions: decisions.producer,
    switchboard,
    model,
    clock,
    counters,
    latency,
    settings,
  });
  loop.setCatalogue({ version: 1, pools: workload.pools });
  const times: Timed = { plain: [], deciding: [] };
  const { records, recordBytes, snapshotRecords, events } = workload;
  const words = new Uint32Array(records.buffer);
  let hash = 2_166_136_261;
  for (let i = 0; i < snapshotRecords + events; i++) {
    begin(i);
    put(market.producer, words, (i * recordBytes) >> 2, recordBytes >> 2, clock.monotonicNs());
    market.producer.publish();
    const before = counters[COUNTER.decisions] as number;
    const startNs = clock.monotonicNs();
    loop.doWork();
    const elapsedNs = clock.monotonicNs() - startNs;
    const after = counters[COUNTER.decisions] as number;
    hash = drain(decisions.consumer, hash);
    if (i >= snapshotRecords + WARM_UP_EVENTS) (after === before ? times.plain : times.deciding).push(elapsedNs);
  }
  return { hash, times, decisions: counters[COUNTER.decisions] as number, sends: counters[COUNTER.sends] as number };
}

/** Both ends of an empty ring. */
export function makeRing(format: SlotRingFormat) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return { producer: new SlotProducer(buffer), consumer: new SlotConsumer(buffer) };
}

/** Writes a record with its stamps; the caller publishes. */
export function put(producer: SlotProducer, words: Uint32Array, from: number, count: number, nowNs: number): void {
  const at = producer.claim();
  for (let word = 0; word < count; word++) producer.u32[(at >> 2) + word] = words[from + word] as number;
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

function quantiles(values: readonly number[]) {
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
