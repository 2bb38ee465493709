/**
 * A ring of byte records of any length for one producer and one consumer, over a SharedArrayBuffer (two threads) or a
 * mapped region (two processes); beside the fixed slots of slot-ring.ts, for records that would waste most of a slot.
 * Nothing in it waits, allocates, throws or calls the system once it is built.
 *
 *   byte  0  u32 magic   4 u32 version   8 u32 capacity in bytes (a power of two)
 *        64  i32 head      bytes ever published; only the producer writes it
 *       128  i32 tail      bytes ever released;  only the consumer writes it
 *       192  i32 doorbell  1 while the consumer is parked (#ffi/doorbell.ts, as in a slot ring)
 *       512  records       position p is at 512 + (p mod capacity)
 *
 *   record, aligned to 8:   i32 length    bytes of the payload; negative: padding, so many bytes with this header
 *                           i32 kind      what the payload is, the users' word
 *                           payload       then up to 7 bytes that mean nothing
 *
 *      tail                    head                                  a record never wraps: what is left before the
 *       ▼                       ▼                                    end is one padding record, and the record
 *   ····┌────────┬─────┬────────┬···········┬─────────┐              starts at the front
 *   free│ record │ rec │ record │   free    │ padding │
 *   ····└────────┴─────┴────────┴···········┴─────────┘
 *
 * Head and tail wrap at 2^32 and are only compared by their difference. Both sides keep a copy of the other's index and
 * read the shared one only when the copy says full or empty. Crashes: as in a slot ring, a record exists when `publish`
 * has stored the head behind it, so one whose writer died is not torn but absent; records that were taken and not yet
 * released come again to the next consumer.
 */
import { SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";

export const BYTE_RING_MAGIC = 0x5350_4231; // "SPB1"
const VERSION = 1;
export const BYTE_RING_HEADER_BYTES = 512;
const HEAD = 64 >> 2;
const TAIL = 128 >> 2;
const CAPACITY_MIN = 1_024;
const CAPACITY_MAX = 2 ** 28;
const RECORD_HEADER_BYTES = 8;

/** How large a buffer a ring of this capacity, a power of two of bytes, needs. */
export function byteRingBytes(capacity: number): number {
  const isPowerOfTwo = Number.isSafeInteger(capacity) && capacity > 0 && (capacity & (capacity - 1)) === 0;
  if (!isPowerOfTwo || capacity < CAPACITY_MIN || capacity > CAPACITY_MAX)
    refuse(`a capacity that is a power of two from ${CAPACITY_MIN} to ${CAPACITY_MAX}`, capacity);
  return BYTE_RING_HEADER_BYTES + capacity;
}

/** Makes the buffer an empty ring; one that has this capacity already keeps its records. */
export function formatByteRing(buffer: ArrayBufferLike, capacity: number): void {
  const bytes = byteRingBytes(capacity);
  if (buffer.byteLength !== bytes) refuse(`a buffer of ${bytes} bytes`, buffer.byteLength);
  const header = new Int32Array(buffer, 0, BYTE_RING_HEADER_BYTES >> 2);
  if (Atomics.load(header, 0) === BYTE_RING_MAGIC && header[1] === VERSION && header[2] === capacity) return;
  header.fill(0);
  header[1] = VERSION;
  header[2] = capacity;
  Atomics.store(header, 0, BYTE_RING_MAGIC);
}

/** Longest payload of a ring: one that fits whatever the padding before it takes. */
export const byteRecordMax = (capacity: number): number => capacity / 2 - RECORD_HEADER_BYTES;

/** The writing end. Only one may exist at a time. */
export class ByteProducer {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly capacity: number;
  readonly #mask: number;
  /** Bytes written, published or not. */
  #head: number;
  /** The consumer's index when it was last read. */
  #tailSeen: number;
  #claimedBytes = 0;

  constructor(buffer: ArrayBufferLike) {
    this.capacity = readCapacity(buffer);
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.#mask = this.capacity - 1;
    this.#head = Atomics.load(this.i32, HEAD);
    this.#tailSeen = Atomics.load(this.i32, TAIL);
  }

  /**
   * Byte offset of room for a payload of `length` bytes, a multiple of 8; -1 when there is none now, or never because it is
   * longer than byteRecordMax. Claiming again without `advance` replaces the claim.
   */
  claim(length: number, kind: number): number {
    const bytes = (length + RECORD_HEADER_BYTES + 7) & ~7;
    if (length < 0 || bytes > this.capacity >> 1) return -1;
    const at = this.#head & this.#mask;
    const left = this.capacity - at;
    const padding = bytes > left ? left : 0;
    if (!this.#hasRoom(bytes + padding)) return -1;
    let word = (BYTE_RING_HEADER_BYTES + at) >> 2;
    if (padding > 0) {
      this.i32[word] = -padding;
      this.#head = (this.#head + padding) | 0;
      word = BYTE_RING_HEADER_BYTES >> 2;
    }
    this.i32[word] = length;
    this.i32[word + 1] = kind;
    this.#claimedBytes = bytes;
    return (word << 2) + RECORD_HEADER_BYTES;
  }

  /** The claimed record is written; the consumer sees it after the next `publish`. */
  advance(): void {
    this.#head = (this.#head + this.#claimedBytes) | 0;
    this.#claimedBytes = 0;
  }

  /** All advanced records become visible together. */
  publish(): void {
    Atomics.store(this.i32, HEAD, this.#head);
  }

  #hasRoom(bytes: number): boolean {
    if (((this.#head - this.#tailSeen) | 0) + bytes <= this.capacity) return true;
    this.#tailSeen = Atomics.load(this.i32, TAIL);
    return ((this.#head - this.#tailSeen) | 0) + bytes <= this.capacity;
  }
}

/** The reading end. Only one may exist at a time. */
export class ByteConsumer {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  /** Of the record that was peeked last. */
  length = 0;
  kind = 0;
  readonly #mask: number;
  /** Bytes consumed, released or not. */
  #tail: number;
  /** The producer's index when it was last read. */
  #headSeen: number;

  constructor(buffer: ArrayBufferLike) {
    this.#mask = readCapacity(buffer) - 1;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.#tail = Atomics.load(this.i32, TAIL);
    this.#headSeen = Atomics.load(this.i32, HEAD);
  }

  /** Byte offset of the next record's payload (see `length` and `kind`), or -1. Stays valid until `release`. */
  peek(): number {
    for (;;) {
      if (this.#tail === this.#headSeen) {
        this.#headSeen = Atomics.load(this.i32, HEAD);
        if (this.#tail === this.#headSeen) return -1;
      }
      const word = (BYTE_RING_HEADER_BYTES + (this.#tail & this.#mask)) >> 2;
      const length = this.i32[word] as number;
      if (length >= 0) {
        this.length = length;
        this.kind = this.i32[word + 1] as number;
        return (word << 2) + RECORD_HEADER_BYTES;
      }
      this.#tail = (this.#tail - length) | 0;
    }
  }

  /** The peeked record is consumed; its room is free after the next `release`. */
  advance(): void {
    this.#tail = (this.#tail + ((this.length + RECORD_HEADER_BYTES + 7) & ~7)) | 0;
  }

  /** Gives the room of all advanced records back. */
  release(): void {
    Atomics.store(this.i32, TAIL, this.#tail);
  }
}

export function readCapacity(buffer: ArrayBufferLike): number {
  if (buffer.byteLength < BYTE_RING_HEADER_BYTES) refuse(`at least ${BYTE_RING_HEADER_BYTES} bytes`, buffer.byteLength);
  const header = new Int32Array(buffer, 0, 3);
  const magic = Atomics.load(header, 0) >>> 0;
  if (magic !== BYTE_RING_MAGIC) refuse(`the magic 0x${BYTE_RING_MAGIC.toString(16)}`, `0x${magic.toString(16)}`);
  if (header[1] !== VERSION) refuse(`version ${VERSION}`, header[1] as number);
  const capacity = header[2] as number;
  const bytes = byteRingBytes(capacity);
  if (buffer.byteLength !== bytes) refuse(`a buffer of ${bytes} bytes`, buffer.byteLength);
  return capacity;
}

function refuse(want: string, was: number | string): never {
  throw new SandpiperError(MEMORY_ERROR.byteRing, `Cannot use a byte ring: ${want}, was ${was}`);
}
