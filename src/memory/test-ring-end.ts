/**
 * One end of a ring in a process of its own, for the crash test: `bun test-ring-end.ts producer|consumer slots|bytes RING
 * CONTROL`. Records count from 1 for ever; each is made from its number, its length too, so that a lost, doubled or torn
 * one shows. A consumer's effect is one store of the number, and what it has taken already it knows by the number: that
 * is how every consumer of ours is exact over a crash, since a ring hands an unreleased batch out again.
 */
import { ByteConsumer, ByteProducer } from "./byte-ring.ts";
import { backoffIdle } from "./idle.ts";
import { inspectRing } from "./inspect-ring.ts";
import { openRegion } from "./region.ts";
import { SlotConsumer, SlotProducer } from "./slot-ring.ts";

/** Words (i32) of the control region. */
export const END_CONTROL = {
  bytes: 4_096,
  producerStarts: 0,
  consumerStarts: 1,
  taken: 2,
  lost: 3,
  torn: 4,
  again: 5,
  twice: 6,
  released: 7,
} as const;
const BATCH = 16;
const SLOT_WORDS = 16;
const PAYLOAD_WORDS_MAX = 48;

export type RingKind = "slots" | "bytes";
type Writer = { claim(number: number): number; readonly i32: Int32Array; advance(): void; publish(): void };
type Reader = { peek(): number; words(): number; readonly i32: Int32Array; advance(): void; release(): void };

const lengthOf = (kind: RingKind, number: number): number =>
  kind === "slots" ? SLOT_WORDS : 1 + ((Math.imul(number, 0x9e37_79b1) >>> 8) % PAYLOAD_WORDS_MAX);
const wordOf = (number: number, word: number): number => (word === 0 ? number : Math.imul(number, word * 31 + 7));

function openWriter(kind: RingKind, ring: ArrayBuffer): Writer {
  if (kind === "slots") return slotWriter(new SlotProducer(ring));
  const producer = new ByteProducer(ring);
  return {
    i32: producer.i32,
    claim: (number) => producer.claim(lengthOf(kind, number) * 4, 1),
    advance: () => producer.advance(),
    publish: () => producer.publish(),
  };
}

function openReader(kind: RingKind, ring: ArrayBuffer): Reader {
  if (kind === "slots") return slotReader(new SlotConsumer(ring));
  const consumer = new ByteConsumer(ring);
  return {
    i32: consumer.i32,
    peek: () => consumer.peek(),
    words: () => consumer.length >> 2,
    advance: () => consumer.advance(),
    release: () => consumer.release(),
  };
}

/** Slots are taken by the row; `done` of the `row` that was claimed are written. */
function slotWriter(producer: SlotProducer): Writer {
  let [row, done] = [0, 0];
  const advance = () => {
    producer.advance(done);
    row = done = 0;
  };
  return {
    i32: producer.i32,
    claim: () => {
      if (done === row) {
        advance();
        row = producer.claimRow(BATCH);
      }
      return row === 0 ? -1 : producer.claim() + done * producer.slotBytes;
    },
    advance: () => void done++,
    publish: () => {
      advance();
      producer.publish();
    },
  };
}

function slotReader(consumer: SlotConsumer): Reader {
  let [row, done] = [0, 0];
  const advance = () => {
    consumer.advance(done);
    row = done = 0;
  };
  return {
    i32: consumer.i32,
    words: () => SLOT_WORDS,
    peek: () => {
      if (done === row) {
        advance();
        row = consumer.peekRow(BATCH);
      }
      return row === 0 ? -1 : consumer.peek() + done * consumer.slotBytes;
    },
    advance: () => void done++,
    release: () => {
      advance();
      consumer.release();
    },
  };
}

function produce(kind: RingKind, ring: ArrayBuffer, control: Int32Array): never {
  // The last committed number: of the records that wait, the last; when none waits, everything committed was taken.
  const last = inspectRing(ring).waiting.at(-1);
  let number = (last === undefined ? Atomics.load(control, END_CONTROL.taken) : wordAt(ring, last.byteOffset)) + 1;
  const writer = openWriter(kind, ring);
  const idle = backoffIdle();
  Atomics.add(control, END_CONTROL.producerStarts, 1);
  for (;;) {
    let batched = 0;
    for (; batched < BATCH; batched++) {
      const at = writer.claim(number) >> 2;
      if (at < 0) break;
      const words = lengthOf(kind, number);
      for (let word = 0; word < words; word++) writer.i32[at + word] = wordOf(number, word);
      writer.advance();
      number++;
    }
    if (batched > 0) writer.publish();
    idle(batched);
  }
}

const wordAt = (ring: ArrayBuffer, byteOffset: number): number => new Int32Array(ring, byteOffset, 1)[0] as number;

function consume(kind: RingKind, ring: ArrayBuffer, control: Int32Array): never {
  const reader = openReader(kind, ring);
  const idle = backoffIdle();
  Atomics.add(control, END_CONTROL.consumerStarts, 1);
  for (;;) {
    let batched = 0;
    for (; batched < BATCH; batched++) {
      const at = reader.peek() >> 2;
      if (at < 0) break;
      const number = reader.i32[at] as number;
      const words = reader.words();
      let whole = words === lengthOf(kind, number);
      for (let word = 0; whole && word < words; word++) whole = reader.i32[at + word] === wordOf(number, word);
      const taken = Atomics.load(control, END_CONTROL.taken);
      if (!whole) Atomics.add(control, END_CONTROL.torn, 1);
      else if (number <= Atomics.load(control, END_CONTROL.released)) Atomics.add(control, END_CONTROL.twice, 1);
      else if (number <= taken) Atomics.add(control, END_CONTROL.again, 1);
      else {
        if (number !== taken + 1) Atomics.add(control, END_CONTROL.lost, 1);
        Atomics.store(control, END_CONTROL.taken, number);
      }
      reader.advance();
    }
    reader.release();
    // After the release: a death in between only makes this one too small.
    Atomics.store(control, END_CONTROL.released, Atomics.load(control, END_CONTROL.taken));
    idle(batched);
  }
}

if (import.meta.main) {
  const [role, kind = "slots", ringPath = "", controlPath = ""] = process.argv.slice(2);
  const run = role === "producer" ? produce : consume;
  run(kind as RingKind, openRegion(ringPath), new Int32Array(openRegion(controlPath)));
}
