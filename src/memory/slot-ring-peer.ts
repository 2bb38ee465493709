/**
 * One end of a ring in a process of its own, for the tests that need two processes and for those that kill one of them:
 * `bun slot-ring-peer.ts producer|consumer RING CONTROL LAST`. Records count from 1 to LAST; each carries its number and
 * words made from it, so that a lost, doubled or torn one shows. What the consumer saw is in the control region.
 */
import { openRegion } from "./region.ts";
import { SlotConsumer, SlotProducer } from "./slot-ring.ts";

/** Words (i32) of the control region. */
export const PEER_CONTROL = {
  bytes: 4_096,
  producerStarts: 0,
  consumerStarts: 1,
  /** The last record in order that any consumer has seen. */
  lastSeen: 2,
  gaps: 3,
  torn: 4,
  duplicates: 5,
  /** Most duplicates that one start of a consumer has seen. */
  duplicatesMax: 6,
} as const;
export const PEER_BATCH = 16;

const WORDS_PER_SLOT = 16;
/** How long an end that has nothing to do steps aside, ms. */
const IDLE_MS = 0.05;
const parking = new Int32Array(new SharedArrayBuffer(4));
const stepAside = () => void Atomics.wait(parking, 0, 0, IDLE_MS);

function produce(ring: ArrayBuffer, control: Int32Array, last: number): void {
  const producer = new SlotProducer(ring);
  Atomics.add(control, PEER_CONTROL.producerStarts, 1);
  let number = lastPublished(producer) + 1;
  while (number <= last) {
    let batched = 0;
    for (; batched < PEER_BATCH && number <= last; batched++) {
      const at = producer.claim() >> 2;
      if (at < 0) break;
      producer.i32[at] = number;
      for (let word = 1; word < WORDS_PER_SLOT; word++) producer.i32[at + word] = Math.imul(number, word * 31);
      producer.advance();
      number++;
    }
    if (batched > 0) producer.publish();
    else stepAside();
  }
}

/** The slot before the head is not claimed again before the head moves; in a ring that was never used it holds zero. */
const lastPublished = (producer: SlotProducer): number => producer.i32[producer.published(0) >> 2] as number;

function consume(ring: ArrayBuffer, control: Int32Array, last: number): void {
  const consumer = new SlotConsumer(ring);
  Atomics.add(control, PEER_CONTROL.consumerStarts, 1);
  let duplicates = 0;
  while ((control[PEER_CONTROL.lastSeen] as number) < last || consumer.peek() >= 0) {
    let batched = 0;
    for (; batched < PEER_BATCH; batched++) {
      const at = consumer.peek() >> 2;
      if (at < 0) break;
      const number = consumer.i32[at] as number;
      for (let word = 1; word < WORDS_PER_SLOT; word++)
        if (consumer.i32[at + word] !== Math.imul(number, word * 31)) Atomics.add(control, PEER_CONTROL.torn, 1);
      const lastSeen = control[PEER_CONTROL.lastSeen] as number;
      if (number <= lastSeen) duplicates++;
      else if (number !== lastSeen + 1) Atomics.add(control, PEER_CONTROL.gaps, 1);
      if (number > lastSeen) Atomics.store(control, PEER_CONTROL.lastSeen, number);
      consumer.advance();
    }
    if (batched === 0) stepAside();
    consumer.release();
    if (duplicates > (control[PEER_CONTROL.duplicatesMax] as number)) control[PEER_CONTROL.duplicatesMax] = duplicates;
  }
  Atomics.add(control, PEER_CONTROL.duplicates, duplicates);
}

if (import.meta.main) {
  const [role, ringPath = "", controlPath = "", last = "0"] = process.argv.slice(2);
  const run = role === "producer" ? produce : consume;
  run(openRegion(ringPath), new Int32Array(openRegion(controlPath)), Number(last));
}
