/**
 * What is in a ring whose processes are dead, or alive: reads a copy of the region, trusts nothing in it, changes nothing.
 * Records between tail and head were committed and wait for the next consumer; what lies beyond the head was never
 * committed.
 */
import { SandpiperError } from "#core/error.ts";
import { BYTE_RING_HEADER_BYTES, BYTE_RING_MAGIC, readCapacity } from "./byte-ring.ts";
import { MEMORY_ERROR } from "./errors.ts";
import { readSlotRingFormat, SLOT_RING_DOORBELL_BYTE, SLOT_RING_MAGIC, slotByteOffset } from "./slot-ring.ts";

type RingRecord = {
  /** Place in the file. */
  readonly byteOffset: number;
  readonly length: number;
  /** Of a byte record; 0 for a slot. */
  readonly kind: number;
};

export type RingReport = {
  readonly layout: "slots" | "bytes";
  /** Slots, or bytes. */
  readonly capacity: number;
  readonly head: number;
  readonly tail: number;
  readonly parked: boolean;
  /** Committed and not released, in order. */
  readonly waiting: readonly RingRecord[];
  /** What no crash can explain: the file was damaged, or two producers were at it. */
  readonly damage: readonly string[];
};

/** Reads a whole region. Throws a SandpiperError when it is no ring. */
export function inspectRing(region: ArrayBufferLike): RingReport {
  // A copy: the live ring goes on while this one is walked.
  const copy = region.slice(0);
  const magic = copy.byteLength >= 4 ? (new Uint32Array(copy, 0, 1)[0] as number) : 0;
  if (magic === SLOT_RING_MAGIC) return inspectSlots(copy);
  if (magic === BYTE_RING_MAGIC) return inspectBytes(copy);
  throw new SandpiperError(
    MEMORY_ERROR.ringFile,
    `Cannot read a ring: a file that begins with the magic of slots or of byte records, was 0x${magic.toString(16)} in ${copy.byteLength} bytes`,
  );
}

function inspectSlots(copy: ArrayBufferLike): RingReport {
  const format = readSlotRingFormat(copy);
  const { capacity, slotBytes } = format;
  const base = indices(copy);
  const depth = (base.head - base.tail) | 0;
  if (depth < 0 || depth > capacity)
    return { layout: "slots", capacity, ...base, waiting: [], damage: [`${depth} of ${capacity} slots in use`] };
  const waiting = Array.from({ length: depth }, (_, i) => ({
    byteOffset: slotByteOffset(format, base.tail + i),
    length: slotBytes,
    kind: 0,
  }));
  return { layout: "slots", capacity, ...base, waiting, damage: [] };
}

function inspectBytes(copy: ArrayBufferLike): RingReport {
  const capacity = readCapacity(copy);
  const base = indices(copy);
  const words = new Int32Array(copy);
  const waiting: RingRecord[] = [];
  const damage: string[] = [];
  let left = (base.head - base.tail) | 0;
  if (left < 0 || left > capacity || left % 8 !== 0) damage.push(`${left} of ${capacity} bytes in use`);
  let position = base.tail;
  while (damage.length === 0 && left > 0) {
    const at = position & (capacity - 1);
    const word = (BYTE_RING_HEADER_BYTES + at) >> 2;
    const length = words[word] as number;
    const bytes = length < 0 ? -length : (length + 15) & ~7;
    const fits = bytes >= 8 && bytes <= left && at + bytes <= capacity && bytes % 8 === 0;
    if (!fits || (length < 0 && at + bytes !== capacity)) {
      damage.push(
        `a record of ${length} bytes at byte ${BYTE_RING_HEADER_BYTES + at} with ${left} committed bytes left`,
      );
      break;
    }
    if (length >= 0) waiting.push({ byteOffset: (word << 2) + 8, length, kind: words[word + 1] as number });
    position = (position + bytes) | 0;
    left -= bytes;
  }
  return { layout: "bytes", capacity, ...base, waiting, damage };
}

/** Both layouts have these words in the same places. */
function indices(copy: ArrayBufferLike): { head: number; tail: number; parked: boolean } {
  const words = new Int32Array(copy, 0, 128);
  const at = (byte: number) => words[byte >> 2] as number;
  return { head: at(64), tail: at(128), parked: at(SLOT_RING_DOORBELL_BYTE) !== 0 };
}
