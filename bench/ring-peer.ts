/**
 * One end of the ring of bench/ring.ts: run as a Worker (two threads over a SharedArrayBuffer) or as a process (two
 * processes over a mapped region). Both ends warm up on a first pass that is not counted, meet, and run the counted one.
 */
import { createDoorbell, type Doorbell } from "#ffi/doorbell.ts";
import { pinThread } from "#ffi/thread.ts";
import { ByteConsumer, ByteProducer } from "#memory/byte-ring.ts";
import { spinIdle } from "#memory/idle.ts";
import { SLOT_RING_DOORBELL_BYTE, SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import { latencyOf, type PeerJob, type PeerResult, RECORD_BYTES, throughputOf, WORDS } from "./ring-job.ts";

export type PeerMemory = {
  readonly there: ArrayBufferLike;
  readonly back: ArrayBufferLike;
  /** Word 0 counts arrivals at the meeting points. */
  readonly meeting: ArrayBufferLike;
};

/** An end that spins has none. */
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
    const bells = job.parks ? { there: bellOf(memory.there), back: bellOf(memory.back) } : undefined;
    if (job.role === "echo") return echo(new SlotConsumer(memory.there), new SlotProducer(memory.back), bells, count);
    return ping(new SlotProducer(memory.there), new SlotConsumer(memory.back), bells, count);
  };
  meet(meeting, 2);
  pass(job.warmUp);
  pinThread(job.core);
  meet(meeting, 4);
  return pass(job.count);
}

const bellOf = (ring: ArrayBufferLike): Doorbell => createDoorbell(ring, SLOT_RING_DOORBELL_BYTE);

function waitAt(bell: Doorbell | undefined): void {
  if (bell === undefined) spinIdle(0);
  else bell.wait(PARK_MS_MAX);
}

function meet(meeting: Int32Array, arrivals: number): void {
  Atomics.add(meeting, 0, 1);
  while (Atomics.load(meeting, 0) < arrivals);
}

/**
 * Both loops are written as a user of the ring would who counts nanoseconds: slots by the row, and a record's words one by
 * one at constant places, since the compiler then checks the bounds of all of them at once. In a loop over the words, which
 * it does not unroll, it checks each and a record costs three times as much. (g++ unrolls and vectorizes such a loop.)
 */
function produce(producer: SlotProducer | ByteProducer, count: number, batch: number): PeerResult {
  const { i32 } = producer;
  for (let sent = 0; sent < count; ) {
    const wanted = Math.min(batch, count - sent);
    let batched = 0;
    while (batched < wanted) {
      const row = producer instanceof SlotProducer ? producer.claimRow(wanted - batched) : 1;
      // A slot has its length already.
      let at = row > 0 ? producer.claim(RECORD_BYTES, 1) >> 2 : -1;
      if (at < 0) break;
      for (let i = 0; i < row; i++) {
        i32[at] = sent;
        i32[at + 1] = (sent + 1) | 0;
        i32[at + 2] = (sent + 2) | 0;
        i32[at + 3] = (sent + 3) | 0;
        i32[at + 4] = (sent + 4) | 0;
        i32[at + 5] = (sent + 5) | 0;
        i32[at + 6] = (sent + 6) | 0;
        i32[at + 7] = (sent + 7) | 0;
        i32[at + 8] = (sent + 8) | 0;
        i32[at + 9] = (sent + 9) | 0;
        i32[at + 10] = (sent + 10) | 0;
        i32[at + 11] = (sent + 11) | 0;
        i32[at + 12] = (sent + 12) | 0;
        i32[at + 13] = (sent + 13) | 0;
        i32[at + 14] = (sent + 14) | 0;
        i32[at + 15] = (sent + 15) | 0;
        at += WORDS;
        sent++;
      }
      producer.advance(row);
      batched += row;
    }
    if (batched > 0) producer.publish();
    spinIdle(batched);
  }
  return {};
}

function consume(consumer: SlotConsumer | ByteConsumer, count: number, batch: number): PeerResult {
  const { i32 } = consumer;
  const startNs = Bun.nanoseconds();
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let seen = 0; seen < count; ) {
    const wanted = Math.min(batch, count - seen);
    let batched = 0;
    while (batched < wanted) {
      const row = consumer instanceof SlotConsumer ? consumer.peekRow(wanted - batched) : 1;
      let at = row > 0 ? consumer.peek() >> 2 : -1;
      if (at < 0) break;
      for (let i = 0; i < row; i++) {
        a =
          (a +
            ((((i32[at] as number) + (i32[at + 1] as number)) | 0) +
              (((i32[at + 2] as number) + (i32[at + 3] as number)) | 0))) |
          0;
        b =
          (b +
            ((((i32[at + 4] as number) + (i32[at + 5] as number)) | 0) +
              (((i32[at + 6] as number) + (i32[at + 7] as number)) | 0))) |
          0;
        c =
          (c +
            ((((i32[at + 8] as number) + (i32[at + 9] as number)) | 0) +
              (((i32[at + 10] as number) + (i32[at + 11] as number)) | 0))) |
          0;
        d =
          (d +
            ((((i32[at + 12] as number) + (i32[at + 13] as number)) | 0) +
              (((i32[at + 14] as number) + (i32[at + 15] as number)) | 0))) |
          0;
        at += WORDS;
      }
      consumer.advance(row);
      batched += row;
    }
    seen += batched;
    if (batched > 0) consumer.release();
    spinIdle(batched);
  }
  return throughputOf(count, (a + b + c + d) | 0, Bun.nanoseconds() - startNs);
}

function echo(consumer: SlotConsumer, producer: SlotProducer, bells: Bells | undefined, count: number): PeerResult {
  for (let i = 0; i < count; i++) {
    let at = consumer.peek();
    for (; at < 0; at = consumer.peek()) waitAt(bells?.there);
    const value = consumer.i32[at >> 2] as number;
    producer.i32[producer.claim() >> 2] = value;
    producer.advance();
    producer.publish();
    bells?.back.ring();
    consumer.advance();
    consumer.release();
  }
  return {};
}

function ping(producer: SlotProducer, consumer: SlotConsumer, bells: Bells | undefined, count: number): PeerResult {
  const oneWayNs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const startNs = Bun.nanoseconds();
    producer.i32[producer.claim() >> 2] = i;
    producer.advance();
    producer.publish();
    bells?.there.ring();
    while (consumer.peek() < 0) waitAt(bells?.back);
    oneWayNs[i] = (Bun.nanoseconds() - startNs) / 2;
    consumer.advance();
    consumer.release();
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
