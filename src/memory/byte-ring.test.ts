import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteConsumer, ByteProducer, byteRecordMax, byteRingBytes, formatByteRing } from "./byte-ring.ts";
import { ByteWriter } from "./byte-writer.ts";
import { spinIdle } from "./idle.ts";
import { inspectRing } from "./inspect-ring.ts";
import { formatSlotRing, SlotProducer, slotRingBytes } from "./slot-ring.ts";
import { crashRing } from "./test-ring-crash.ts";

const CAPACITY = 1_024;
function make(startAt = 0) {
  const buffer = new SharedArrayBuffer(byteRingBytes(CAPACITY));
  formatByteRing(buffer, CAPACITY);
  new Int32Array(buffer)[64 >> 2] = startAt;
  new Int32Array(buffer)[128 >> 2] = startAt;
  return { buffer, producer: new ByteProducer(buffer), consumer: new ByteConsumer(buffer) };
}
function write(producer: ByteProducer, bytes: Uint8Array, kind = 1): boolean {
  const at = producer.claim(bytes.length, kind);
  if (at < 0) return false;
  producer.u8.set(bytes, at);
  producer.advance();
  return true;
}
function read(consumer: ByteConsumer): Uint8Array | undefined {
  const at = consumer.peek();
  if (at < 0) return undefined;
  const bytes = consumer.u8.slice(at, at + consumer.length);
  consumer.advance();
  return bytes;
}

describe("a byte ring", () => {
  test("hands over records of any length in order, each as it was", () => {
    const step = fc.oneof(fc.uint8Array({ maxLength: byteRecordMax(CAPACITY) }), fc.constant("read" as const));
    // Near the wrap of the indices, too.
    fc.assert(
      fc.property(fc.constantFrom(0, 2 ** 31 - 1_024, -1_024), fc.array(step, { maxLength: 60 }), (startAt, steps) => {
        const { buffer, producer, consumer } = make(startAt);
        const waiting: Uint8Array[] = [];
        for (const one of steps) {
          if (one === "read") {
            expect(read(consumer)).toEqual(waiting.shift());
            consumer.release();
          } else if (write(producer, one)) {
            producer.publish();
            waiting.push(one);
          } else expect(waiting.length).toBeGreaterThan(0);
          const { waiting: seen, damage } = inspectRing(buffer);
          expect([damage, seen.map(({ length }) => length)]).toEqual([[], waiting.map(({ length }) => length)]);
        }
        for (const bytes of waiting) expect(read(consumer)).toEqual(bytes);
        expect(read(consumer)).toBeUndefined();
      }),
    );
  });

  test("shows nothing before publish, and gives no room back before release", () => {
    const { producer, consumer } = make();
    const half = new Uint8Array(byteRecordMax(CAPACITY));
    expect([write(producer, half), consumer.peek()]).toEqual([true, -1]);
    expect(write(producer, half)).toBe(true);
    producer.publish();
    expect(write(producer, new Uint8Array(1))).toBe(false);
    expect(read(consumer)?.length).toBe(half.length);
    expect(write(producer, new Uint8Array(1))).toBe(false);
    consumer.release();
    expect(write(producer, new Uint8Array(1))).toBe(true);
  });

  test("carries a record's kind, and an empty record", () => {
    const { producer, consumer } = make();
    write(producer, new Uint8Array(0), 7);
    producer.publish();
    expect([consumer.peek() > 0, consumer.length, consumer.kind]).toEqual([true, 0, 7]);
  });

  test("claim() refuses what is longer than half of the ring", () => {
    const { producer } = make();
    expect([producer.claim(byteRecordMax(CAPACITY) + 1, 1), producer.claim(-1, 1)]).toEqual([-1, -1]);
  });

  test("a producer that dies before publish leaves nothing, and its successor goes on", () => {
    const { buffer, producer, consumer } = make();
    write(producer, Uint8Array.of(1));
    producer.publish();
    write(producer, Uint8Array.of(2));
    const next = new ByteProducer(buffer);
    write(next, Uint8Array.of(3));
    next.publish();
    expect([read(consumer), read(consumer), read(consumer)]).toEqual([Uint8Array.of(1), Uint8Array.of(3), undefined]);
  });

  test.each([0, 1_000, 512, 2 ** 29])("a capacity of %p is refused", (capacity) => {
    expect(() => byteRingBytes(capacity)).toThrow("Cannot use a byte ring");
  });

  test("a buffer that is none, or of another size, is refused", () => {
    expect(() => new ByteProducer(new SharedArrayBuffer(2_048))).toThrow("the magic");
    expect(() => new ByteConsumer(new SharedArrayBuffer(8))).toThrow("at least 512 bytes");
    expect(() => formatByteRing(new SharedArrayBuffer(4_096), CAPACITY)).toThrow("a buffer of 1536 bytes");
  });
});

describe("ByteWriter", () => {
  test.each([
    ["drop", { kind: "drop" }],
    ["wait", { kind: "wait", turnsMax: 80 }],
  ] as const)("with policy %p says what found no room, and counts it", (_, policy) => {
    const { producer, consumer } = make();
    const writer = new ByteWriter(producer, policy);
    const half = new Uint8Array(byteRecordMax(CAPACITY));
    expect([writer.write(half, 1), writer.write(half, 1), writer.write(half, 1), writer.dropped]).toEqual([
      true,
      true,
      false,
      1,
    ]);
    read(consumer);
    consumer.release();
    expect(writer.write(half, 1)).toBe(true);
    spinIdle(0);
  });
});

describe("inspectRing()", () => {
  test("lists the slots that wait in a ring of slots", () => {
    const format = { capacity: 4, slotBytes: 64 };
    const buffer = new SharedArrayBuffer(slotRingBytes(format));
    formatSlotRing(buffer, format);
    const producer = new SlotProducer(buffer);
    for (let i = 0; i < 3; i++) if (producer.claim() >= 0) producer.advance();
    producer.publish();
    expect(inspectRing(buffer)).toMatchObject({ layout: "slots", head: 3, tail: 0, damage: [] });
    expect(inspectRing(buffer).waiting.map(({ byteOffset }) => byteOffset)).toEqual([512, 576, 640]);
    new Int32Array(buffer)[64 >> 2] = 9;
    expect(inspectRing(buffer).damage).toEqual(["9 of 4 slots in use"]);
  });

  test("any damage to a byte ring is found or harmless: never a throw but for the header, never a record outside", () => {
    const damage = fc.array(fc.tuple(fc.nat(383), fc.integer()), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, (words) => {
        const { buffer, producer } = make();
        while (write(producer, new Uint8Array(40)));
        producer.publish();
        for (const [word, value] of words) if (word > 2) new Int32Array(buffer)[word] = value;
        for (const { byteOffset, length } of inspectRing(buffer).waiting) {
          expect(byteOffset).toBeGreaterThanOrEqual(512);
          expect(byteOffset + length).toBeLessThanOrEqual(buffer.byteLength);
        }
      }),
    );
  });

  test("a file that is no ring is refused", () => {
    expect(() => inspectRing(new ArrayBuffer(3))).toThrow("Cannot read a ring");
    expect(() => inspectRing(new TextEncoder().encode("not a ring at all").buffer)).toThrow("Cannot read a ring");
  });
});

describe("a ring whose ends are killed at random instants", () => {
  test.each(["slots", "bytes"] as const)(
    "%s: loses, tears and doubles nothing",
    async (kind) => {
      const count = await crashRing(kind, 50, `test-${kind}`);
      const { lost, torn, twice, damage } = count;
      expect({ lost, torn, twice, damage }).toEqual({ lost: 0, torn: 0, twice: 0, damage: [] });
      expect(count.againMax).toBeLessThanOrEqual(16);
      expect(count.taken).toBeGreaterThan(50);
    },
    180_000,
  );
});
