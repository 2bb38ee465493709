import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";
import { formatSlotRing, SLOT_RING_DOORBELL_BYTE, SlotConsumer, SlotProducer, slotRingBytes } from "./slot-ring.ts";

const FORMAT = { capacity: 4, slotBytes: 64 };
const HEAD_WORD = 16;
const TAIL_WORD = 32;

function makeRing(format = FORMAT, startIndex = 0) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  const words = new Int32Array(buffer);
  words[HEAD_WORD] = startIndex;
  words[TAIL_WORD] = startIndex;
  return { buffer, words, producer: new SlotProducer(buffer), consumer: new SlotConsumer(buffer) };
}

function write(producer: SlotProducer, value: number): boolean {
  const at = producer.claim();
  if (at < 0) return false;
  producer.i32[at >> 2] = value;
  producer.advance();
  return true;
}

function read(consumer: SlotConsumer): number | undefined {
  const at = consumer.peek();
  if (at < 0) return undefined;
  const value = consumer.i32[at >> 2];
  consumer.advance();
  return value;
}

/** Writes at most `countMax` values from `value` on, in one row; answers how many. */
function writeRow(producer: SlotProducer, value: number, countMax: number): number {
  const row = producer.claimRow(countMax);
  const first = producer.claim();
  for (let i = 0; i < row; i++) producer.i32[(first + i * producer.slotBytes) >> 2] = value + i;
  producer.advance(row);
  return row;
}

function readRow(consumer: SlotConsumer, countMax: number): number[] {
  const row = consumer.peekRow(countMax);
  const first = consumer.peek();
  const values = Array.from({ length: row }, (_, i) => consumer.i32[(first + i * consumer.slotBytes) >> 2] as number);
  consumer.advance(row);
  return values;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SandpiperError && thrown.code === MEMORY_ERROR.ringFormat) return thrown.message;
    throw thrown;
  }
  return "";
};

describe("SlotProducer and SlotConsumer", () => {
  test("claim() answers -1 when full and again an offset once slots are released", () => {
    const { producer, consumer } = makeRing();
    for (let value = 0; value < 4; value++) expect(write(producer, value)).toBe(true);
    expect(producer.claim()).toBe(-1);
    producer.publish();
    expect(read(consumer)).toBe(0);
    expect(producer.claim()).toBe(-1);
    consumer.release();
    expect(write(producer, 4)).toBe(true);
  });

  test("peek() answers -1 when empty and does not consume", () => {
    const { producer, consumer } = makeRing();
    expect(consumer.peek()).toBe(-1);
    write(producer, 9);
    producer.publish();
    expect(consumer.peek()).toBe(consumer.peek());
    expect(read(consumer)).toBe(9);
    expect(consumer.peek()).toBe(-1);
  });

  test("claimRow() and peekRow() answer how many slots stand in a row, no further than the buffer goes", () => {
    const { producer, consumer } = makeRing();
    expect([producer.claimRow(0), producer.claimRow(3), producer.claimRow(9)]).toEqual([0, 3, 4]);
    producer.advance(3);
    expect([producer.claimRow(9), consumer.peekRow(9)]).toEqual([1, 0]);
    producer.publish();
    expect([consumer.peekRow(2), consumer.peekRow(9)]).toEqual([2, 3]);
    consumer.advance(3);
    consumer.release();
    expect(producer.claimRow(9)).toBe(1);
    producer.advance();
    expect(producer.claimRow(9)).toBe(3);
    producer.advance(3);
    expect(producer.claimRow(9)).toBe(0);
    producer.publish();
    expect(consumer.peekRow(9)).toBe(1);
  });

  test("publish() makes a whole batch visible, and nothing before it", () => {
    const { producer, consumer } = makeRing();
    write(producer, 1);
    write(producer, 2);
    expect(consumer.peek()).toBe(-1);
    expect(consumer.depth()).toBe(0);
    producer.publish();
    expect(producer.depth()).toBe(2);
    expect([read(consumer), read(consumer), read(consumer)]).toEqual([1, 2, undefined]);
    expect(consumer.depth()).toBe(2);
    consumer.release();
    expect(consumer.depth()).toBe(0);
  });

  test("indices wrap at 2^31 and at 2^32 without a trace", () => {
    for (const start of [2 ** 31 - 3, -3]) {
      const { producer, consumer } = makeRing(FORMAT, start);
      for (let value = 0; value < 10; value++) {
        expect(write(producer, value)).toBe(true);
        expect(write(producer, value + 100)).toBe(true);
        producer.publish();
        expect(producer.depth()).toBe(2);
        expect([read(consumer), read(consumer)]).toEqual([value, value + 100]);
        consumer.release();
      }
      for (let value = 0; value < 4; value++) expect(write(producer, value)).toBe(true);
      expect(producer.claim()).toBe(-1);
    }
  });

  test("a new producer resumes at the published head: unpublished slots are gone, published ones stay", () => {
    const { buffer, producer, consumer } = makeRing();
    write(producer, 1);
    producer.publish();
    write(producer, 2);
    const successor = new SlotProducer(buffer);
    write(successor, 3);
    successor.publish();
    expect([read(consumer), read(consumer), read(consumer)]).toEqual([1, 3, undefined]);
  });

  test("a new consumer resumes at the released tail: the unreleased batch comes again", () => {
    const { buffer, producer, consumer } = makeRing();
    for (let value = 0; value < 4; value++) write(producer, value);
    producer.publish();
    read(consumer);
    consumer.release();
    read(consumer);
    read(consumer);
    const successor = new SlotConsumer(buffer);
    expect([read(successor), read(successor), read(successor), read(successor)]).toEqual([1, 2, 3, undefined]);
  });

  test("takeSnapshotRequest() is true once per request", () => {
    const { producer, consumer } = makeRing();
    expect(producer.takeSnapshotRequest()).toBe(false);
    consumer.requestSnapshot();
    consumer.requestSnapshot();
    expect([producer.takeSnapshotRequest(), producer.takeSnapshotRequest()]).toEqual([true, false]);
  });

  test("every slot is aligned to its size's cache lines and inside the buffer", () => {
    const format = { capacity: 8, slotBytes: 256 };
    const { buffer, producer } = makeRing(format);
    const offsets: number[] = [];
    for (let at = producer.claim(); at >= 0; at = producer.claim()) {
      offsets.push(at);
      producer.advance();
    }
    expect(offsets).toEqual([512, 768, 1_024, 1_280, 1_536, 1_792, 2_048, 2_304]);
    expect(buffer.byteLength).toBe(2_560);
  });

  test("the doorbell stands where #ffi/doorbell.ts looks for it: 128 bytes after head, 64 after tail", () => {
    expect(SLOT_RING_DOORBELL_BYTE - HEAD_WORD * 4).toBe(128);
    expect(SLOT_RING_DOORBELL_BYTE - TAIL_WORD * 4).toBe(64);
  });

  test("they behave as a plain list, for any order of operations from any start", () => {
    const operation = fc.constantFrom(
      "write",
      "write a row",
      "publish",
      "read",
      "read a row",
      "release",
      "new producer",
      "new consumer",
    );
    const start = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(2 ** 31 - 2, -2, 0));
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 200 }),
        start,
        fc.constantFrom(1, 2, 8),
        (operations, from, capacity) => {
          const ring = makeRing({ capacity, slotBytes: 64 }, from);
          let { producer, consumer } = ring;
          let [written, published, consumed, released] = [0, 0, 0, 0];
          for (const what of operations) {
            if (what === "write") {
              const room = written - released < capacity;
              expect(write(producer, written)).toBe(room);
              if (room) written++;
            } else if (what === "write a row") {
              const room = Math.min(3, capacity - (written - released), capacity - ((from + written) & (capacity - 1)));
              expect(writeRow(producer, written, 3)).toBe(room);
              written += room;
            } else if (what === "publish") {
              producer.publish();
              published = written;
            } else if (what === "read") {
              expect(read(consumer)).toBe(consumed < published ? consumed : undefined);
              if (consumed < published) consumed++;
            } else if (what === "read a row") {
              const ready = Math.min(3, published - consumed, capacity - ((from + consumed) & (capacity - 1)));
              expect(readRow(consumer, 3)).toEqual(Array.from({ length: ready }, (_, i) => consumed + i));
              consumed += ready;
            } else if (what === "release") {
              consumer.release();
              released = consumed;
            } else if (what === "new producer") {
              producer = new SlotProducer(ring.buffer);
              written = published;
            } else {
              consumer = new SlotConsumer(ring.buffer);
              consumed = released;
            }
            expect(producer.depth()).toBe(published - released);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("formatSlotRing()", () => {
  test("leaves a ring of this format as it is", () => {
    const { buffer, producer } = makeRing();
    write(producer, 5);
    producer.publish();
    formatSlotRing(buffer, FORMAT);
    expect(read(new SlotConsumer(buffer))).toBe(5);
  });

  test("empties a ring of another format", () => {
    const { buffer, producer } = makeRing({ capacity: 4, slotBytes: 64 });
    write(producer, 5);
    producer.publish();
    formatSlotRing(buffer, { capacity: 2, slotBytes: 128 });
    expect(new SlotConsumer(buffer).peek()).toBe(-1);
  });

  test.each([
    [{ capacity: 3, slotBytes: 64 }, "capacity"],
    [{ capacity: 0, slotBytes: 64 }, "capacity"],
    [{ capacity: 2 ** 21, slotBytes: 64 }, "capacity"],
    [{ capacity: 4, slotBytes: 32 }, "slots"],
    [{ capacity: 4, slotBytes: 96 }, "slots"],
    [{ capacity: 4, slotBytes: 8_192 }, "slots"],
  ])("refuses the format %p", (format, what) => {
    expect(refusal(() => slotRingBytes(format))).toContain(what);
  });

  test("refuses a buffer of another size", () => {
    expect(refusal(() => formatSlotRing(new SharedArrayBuffer(1_024), FORMAT))).toContain("was 1024");
  });
});

describe("a ring that is none", () => {
  const bytes = slotRingBytes(FORMAT);
  const hostile: [string, (words: Uint32Array) => void, string][] = [
    ["all zeros", (words) => words.fill(0), "magic"],
    ["another version", (words) => words.fill(2, 1, 2), "version"],
    ["a slot size of zero", (words) => words.fill(0, 2, 3), "slots"],
    ["a capacity that is no power of two", (words) => words.fill(5, 3, 4), "capacity"],
    ["a capacity beyond the buffer", (words) => words.fill(8, 3, 4), "buffer"],
    ["huge words", (words) => words.fill(0xffff_ffff, 2, 4), "capacity"],
  ];
  test.each(hostile)("%s is refused by both ends", (_name, damage, what) => {
    const buffer = new SharedArrayBuffer(bytes);
    formatSlotRing(buffer, FORMAT);
    damage(new Uint32Array(buffer));
    expect(refusal(() => new SlotProducer(buffer))).toContain(what);
    expect(refusal(() => new SlotConsumer(buffer))).toContain(what);
  });

  test("a buffer too short for a header is refused", () => {
    expect(refusal(() => new SlotProducer(new SharedArrayBuffer(64)))).toContain("at least");
  });
});
