/**
 * A ring of fixed slots for one producer and one consumer, over a SharedArrayBuffer (two threads) or a mapped region
 * (two processes). Nothing in it waits, allocates, throws or calls the system once it is built.
 *
 *   byte  0  u32 magic   4 u32 version   8 u32 slotBytes   12 u32 capacity (a power of two)
 *        64  i32 head      slots ever published; only the producer writes it
 *       128  i32 tail      slots ever released;  only the consumer writes it
 *       192  i32 doorbell  1 while the consumer is parked (#ffi/doorbell.ts relies on head 128 and tail 64 bytes before)
 *       256  i32 snapshot  1 when the consumer asks for a full snapshot
 *       512  slots         slot i is at 512 + (i mod capacity) · slotBytes
 *
 * Each word has a cache line of its own. Head and tail wrap at 2^31 and are only ever compared by their difference. Both
 * sides keep a copy of the other's index and read the shared one only when the copy says full or empty.
 *
 * Crashes: a slot is visible only after `publish` stored the head, so a producer that dies in between leaves nothing
 * torn, and its successor resumes at the stored head. A consumer's successor resumes at the stored tail: what was
 * consumed but not released comes again, so at most the unreleased batch is duplicated (records carry a sequence for
 * that) and nothing is lost. Two producers or two consumers at once are a bug that the ring cannot see.
 */
import { SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";

export const SLOT_RING_MAGIC = 0x5350_5231; // "SPR1"
const VERSION = 1;
const HEADER_BYTES = 512;
const TAIL = 128 >> 2;
const SNAPSHOT = 256 >> 2;
const SLOT_BYTES_MAX = 4_096;
const CAPACITY_MAX = 1_048_576;

/** Where the futex word of a parked consumer is. */
export const SLOT_RING_DOORBELL_BYTE = 192;
/** Where the count of slots ever published is, for who only looks at a ring. */
export const SLOT_RING_HEAD_BYTE = 64;
const HEAD = SLOT_RING_HEAD_BYTE >> 2;

export type SlotRingFormat = {
  /** How many slots: a power of two. */
  readonly capacity: number;
  /** Size of a slot: a power of two from 64. */
  readonly slotBytes: number;
};

/** Where the slot of this index, published or to be, is. */
export const slotByteOffset = ({ capacity, slotBytes }: SlotRingFormat, index: number): number =>
  HEADER_BYTES + (index & (capacity - 1)) * slotBytes;

/** How large a buffer this ring needs. */
export function slotRingBytes(format: SlotRingFormat): number {
  const { capacity, slotBytes } = format;
  if (!isPowerOfTwo(capacity) || capacity > CAPACITY_MAX)
    refuse(`a capacity that is a power of two up to ${CAPACITY_MAX}`, capacity);
  if (!isPowerOfTwo(slotBytes) || slotBytes < 64 || slotBytes > SLOT_BYTES_MAX)
    refuse(`slots of a power of two from 64 to ${SLOT_BYTES_MAX} bytes`, slotBytes);
  return HEADER_BYTES + capacity * slotBytes;
}

/** Makes the buffer an empty ring of this format; one that already has this format is left as it is, with its slots. */
export function formatSlotRing(buffer: ArrayBufferLike, format: SlotRingFormat): void {
  const bytes = slotRingBytes(format);
  if (buffer.byteLength !== bytes) refuse(`a buffer of ${bytes} bytes`, buffer.byteLength);
  const header = new Int32Array(buffer, 0, HEADER_BYTES >> 2);
  if (
    Atomics.load(header, 0) === SLOT_RING_MAGIC &&
    header[1] === VERSION &&
    header[2] === format.slotBytes &&
    header[3] === format.capacity
  )
    return;
  header.fill(0);
  header[1] = VERSION;
  header[2] = format.slotBytes;
  header[3] = format.capacity;
  Atomics.store(header, 0, SLOT_RING_MAGIC);
}

/** The writing end. Only one may exist at a time. */
export class SlotProducer {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly capacity: number;
  readonly slotBytes: number;
  readonly #mask: number;
  /** Slots written, published or not. */
  #head: number;
  /** The consumer's index when it was last read. */
  #tailSeen: number;

  constructor(buffer: ArrayBufferLike) {
    const format = readSlotRingFormat(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.capacity = format.capacity;
    this.slotBytes = format.slotBytes;
    this.#mask = format.capacity - 1;
    this.#head = Atomics.load(this.i32, HEAD);
    this.#tailSeen = Atomics.load(this.i32, TAIL);
  }

  /** Byte offset of the next free slot, or -1 when the ring is full. Claiming again without `advance` gives the same. */
  claim(): number {
    const head = this.#head;
    if (((head - this.#tailSeen) | 0) >= this.capacity) {
      this.#tailSeen = Atomics.load(this.i32, TAIL);
      if (((head - this.#tailSeen) | 0) >= this.capacity) return -1;
    }
    return HEADER_BYTES + (head & this.#mask) * this.slotBytes;
  }

  /**
   * How many free slots stand in a row from `claim()` on, at most `countMax`; 0 when the ring is full. A row ends where the
   * buffer does. One check for all of them: write each at `slotBytes` behind the one before, then `advance` over them.
   */
  claimRow(countMax: number): number {
    const head = this.#head;
    let free = (this.#tailSeen + this.capacity - head) | 0;
    if (free < countMax) {
      this.#tailSeen = Atomics.load(this.i32, TAIL);
      free = (this.#tailSeen + this.capacity - head) | 0;
    }
    return Math.min(free, this.capacity - (head & this.#mask), countMax);
  }

  /** The claimed slots are written; the consumer sees them after the next `publish`. */
  advance(count = 1): void {
    this.#head = (this.#head + count) | 0;
  }

  /** All advanced slots become visible together. */
  publish(): void {
    Atomics.store(this.i32, HEAD, this.#head);
  }

  /** Byte offset of the slot that was published `back` slots before the last one, 0 to capacity - 1, released or not. */
  published(back: number): number {
    return HEADER_BYTES + ((Atomics.load(this.i32, HEAD) - 1 - back) & this.#mask) * this.slotBytes;
  }

  /** Slots published and not yet released. */
  depth(): number {
    return depthOf(this.i32);
  }

  /** True once per request of the consumer for a full snapshot. */
  takeSnapshotRequest(): boolean {
    return Atomics.load(this.i32, SNAPSHOT) !== 0 && Atomics.exchange(this.i32, SNAPSHOT, 0) !== 0;
  }
}

/** The reading end. Only one may exist at a time. */
export class SlotConsumer {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly capacity: number;
  readonly slotBytes: number;
  readonly #mask: number;
  /** Slots consumed, released or not. */
  #tail: number;
  /** The producer's index when it was last read. */
  #headSeen: number;

  constructor(buffer: ArrayBufferLike) {
    const format = readSlotRingFormat(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.capacity = format.capacity;
    this.slotBytes = format.slotBytes;
    this.#mask = format.capacity - 1;
    this.#tail = Atomics.load(this.i32, TAIL);
    this.#headSeen = Atomics.load(this.i32, HEAD);
  }

  /** Byte offset of the next published slot, or -1 when there is none. Stays valid until `release`. */
  peek(): number {
    const tail = this.#tail;
    if (tail === this.#headSeen) {
      this.#headSeen = Atomics.load(this.i32, HEAD);
      if (tail === this.#headSeen) return -1;
    }
    return HEADER_BYTES + (tail & this.#mask) * this.slotBytes;
  }

  /**
   * How many published slots stand in a row from `peek()` on, at most `countMax`; 0 when there is none. A row ends where the
   * buffer does. One check for all of them: read each at `slotBytes` behind the one before, then `advance` over them.
   */
  peekRow(countMax: number): number {
    const tail = this.#tail;
    let ready = (this.#headSeen - tail) | 0;
    if (ready < countMax) {
      this.#headSeen = Atomics.load(this.i32, HEAD);
      ready = (this.#headSeen - tail) | 0;
    }
    return Math.min(ready, this.capacity - (tail & this.#mask), countMax);
  }

  /** The peeked slots are consumed; the producer may write them again after the next `release`. */
  advance(count = 1): void {
    this.#tail = (this.#tail + count) | 0;
  }

  /** Gives all advanced slots back. */
  release(): void {
    Atomics.store(this.i32, TAIL, this.#tail);
  }

  /** Slots published and not yet released. */
  depth(): number {
    return depthOf(this.i32);
  }

  /** Asks the producer to send the whole state again: after a start, or after records were dropped. */
  requestSnapshot(): void {
    Atomics.store(this.i32, SNAPSHOT, 1);
  }
}

function depthOf(words: Int32Array): number {
  // The tail first: the head is never behind a tail read before it.
  const tail = Atomics.load(words, TAIL);
  return (Atomics.load(words, HEAD) - tail) | 0;
}

export function readSlotRingFormat(buffer: ArrayBufferLike): SlotRingFormat {
  if (buffer.byteLength < HEADER_BYTES) refuse(`at least ${HEADER_BYTES} bytes`, buffer.byteLength);
  const header = new Uint32Array(buffer, 0, 4);
  const magic = Atomics.load(header, 0);
  if (magic !== SLOT_RING_MAGIC) refuse(`the magic 0x${SLOT_RING_MAGIC.toString(16)}`, `0x${magic.toString(16)}`);
  const [, version, slotBytes, capacity] = header as unknown as [number, number, number, number];
  if (version !== VERSION) refuse(`version ${VERSION}`, version);
  const bytes = slotRingBytes({ capacity, slotBytes });
  if (buffer.byteLength !== bytes) refuse(`a buffer of ${bytes} bytes`, buffer.byteLength);
  return { capacity, slotBytes };
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && (value & (value - 1)) === 0;
}

function refuse(want: string, was: number | string): never {
  throw new SandpiperError(MEMORY_ERROR.ringFormat, `Cannot use a slot ring: ${want}, was ${was}`);
}
