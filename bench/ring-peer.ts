/**
 * One end of the ring of bench/ring.ts: run as a Worker (two threads over a SharedArrayBuffer) or as a process (two
 * processes over a mapped region). Both ends warm up on a first pass that is not counted, meet, and run the counted one.
 */
import { createDoorbell, type Doorbell } from "#ffi/doorbell.ts";
import { pinThread } from "#ffi/thread.ts";
import { ByteConsumer, ByteProducer } from "#memory/byte-ring.ts";
import { SLOT_RING_DOORBELL_BYTE, SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import { latencyOf, type PeerJob, type PeerResult, RECORD_BYTES, throughputOf, WORDS } from "./ring-job.ts";

export type PeerMemory = {
  readonly there: ArrayBufferLike;
  readonly back: ArrayBufferLike;
  /** Word 0 counts arrivals at the meeting points. */
  readonly meeting: ArrayBufferLike;
};

type Bells = { readonly there: Doorbell; readonly back: Doorbell };

const PARK_MS_MAX = 1_000;

/** Runs one end to its finish; only the consuming and the pinging end measure anything. */
export function runPeer(job: PeerJob, memory: PeerMemory): PeerResult {
  const meeting = new Int32Array(memory.meeting);
  const pass = (count: number): PeerResult => {
    if (job.role === "produce")
      return produce(new (job.layout === "slots" ? SlotProducer : ByteProducer)(memory.there), count, job.batch);
    if (job.role === "consume")
      return consume(new (job.layout === "slots" ? SlotConsumer : ByteConsumer)(memory.there), count, job.batch);
    const bells = { there: bellOf(memory.there, job), back: bellOf(memory.back, job) };
    if (job.role === "echo") return echo(new SlotConsumer(memory.there), new SlotProducer(memory.back), bells, count);
    return ping(new SlotProducer(memory.there), new SlotConsumer(memory.back), bells, count);
  };
  meet(meeting, 2);
  pass(job.warmUp);
  pinThread(job.core);
  meet(meeting, 4);
  return pass(job.count);
}

/** Of an end that spins, one that does nothing. */
function bellOf(ring: ArrayBufferLike, { parks }: PeerJob): Doorbell {
  return parks ? createDoorbell(ring, SLOT_RING_DOORBELL_BYTE) : { ring: () => {}, wait: () => {} };
}

function meet(meeting: Int32Array, arrivals: number): void {
  Atomics.add(meeting, 0, 1);
  while (Atomics.load(meeting, 0) < arrivals);
}

function produce(producer: SlotProducer | ByteProducer, count: number, batch: number): PeerResult {
  const { i32 } = producer;
  for (let sent = 0; sent < count; ) {
    let batched = 0;
    for (; batched < batch && sent < count; batched++) {
      // A slot has its length already.
      const at = producer.claim(RECORD_BYTES, 1) >> 2;
      if (at < 0) break;
      for (let word = 0; word < WORDS; word++) i32[at + word] = (sent + word) | 0;
      producer.advance();
      sent++;
    }
    if (batched > 0) producer.publish();
  }
  return {};
}

function consume(consumer: SlotConsumer | ByteConsumer, count: number, batch: number): PeerResult {
  const { i32 } = consumer;
  const startNs = Bun.nanoseconds();
  let sum = 0;
  for (let seen = 0; seen < count; ) {
    let batched = 0;
    for (; batched < batch && seen < count; batched++) {
      const at = consumer.peek() >> 2;
      if (at < 0) break;
      for (let word = 0; word < WORDS; word++) sum = (sum + (i32[at + word] as number)) | 0;
      consumer.advance();
      seen++;
    }
    if (batched > 0) consumer.release();
  }
  return throughputOf(count, sum, Bun.nanoseconds() - startNs);
}

function echo(consumer: SlotConsumer, producer: SlotProducer, bells: Bells, count: number): PeerResult {
  for (let i = 0; i < count; i++) {
    let at = consumer.peek();
    for (; at < 0; at = consumer.peek()) bells.there.wait(PARK_MS_MAX);
    const value = consumer.i32[at >> 2] as number;
    consumer.advance();
    consumer.release();
    producer.i32[producer.claim() >> 2] = value;
    producer.advance();
    producer.publish();
    bells.back.ring();
  }
  return {};
}

function ping(producer: SlotProducer, consumer: SlotConsumer, bells: Bells, count: number): PeerResult {
  const oneWayNs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const startNs = Bun.nanoseconds();
    producer.i32[producer.claim() >> 2] = i;
    producer.advance();
    producer.publish();
    bells.there.ring();
    while (consumer.peek() < 0) bells.back.wait(PARK_MS_MAX);
    consumer.advance();
    consumer.release();
    oneWayNs[i] = (Bun.nanoseconds() - startNs) / 2;
  }
  return latencyOf(oneWayNs);
}

declare const self: Worker;
if (!Bun.isMainThread)
  self.onmessage = (event: MessageEvent<{ readonly job: PeerJob; readonly memory: PeerMemory }>) =>
    self.postMessage(runPeer(event.data.job, event.data.memory));
else if (import.meta.main) {
  const [job = "{}", there = "", back = "", meeting = ""] = process.argv.slice(2);
  const map = (path: string) => Bun.mmap(path, { shared: true }).buffer;
  const memory = { there: map(there), back: map(back), meeting: map(meeting) };
  process.stdout.write(JSON.stringify(runPeer(JSON.parse(job) as PeerJob, memory)));
}
