/**
 * Segments: how long recordings lie on disk. A folder holds numbered pairs, `000001.seg` with the blocks and `000001.idx`
 * with where each begins; numbers little-endian.
 *
 *   .seg   "SPSEG" 0 0 1, u32 0, u32 CRC-32 of the 12 bytes before │ blocks, one behind the other
 *   block  u32 "BLK1" │ u32 bytes on disk │ u32 bytes unpacked │ u32 items │ u64 first slot │ u64 last slot
 *          │ u32 CRC-32 of the bytes on disk │ u32 CRC-32 of the 36 bytes before │ the bytes: one zstd frame
 *   .idx   "SPIDX" 0 0 1, u32 blocks, { u64 offset, u64 first slot, u64 last slot, u32 items } each, u32 CRC-32 of all before
 *
 * The index only saves reading: it is made of the block heads, and where the two disagree the recording is refused. A
 * segment without an index is one whose writer died: it is good up to its last whole block.
 */
import { CORE_ERROR, SandpiperError } from "#core/error.ts";

export const SEGMENT_HEAD_BYTES = 16;
export const BLOCK_HEAD_BYTES = 40;
const INDEX_ENTRY_BYTES = 28;
const INDEX_HEAD_BYTES = 12;
const SEGMENT_MAGIC = [0x53, 0x50, 0x53, 0x45, 0x47, 0, 0, 1];
const INDEX_MAGIC = [0x53, 0x50, 0x49, 0x44, 0x58, 0, 0, 1];
const BLOCK_MAGIC = 0x314b_4c42;
/** A block is written at a fraction of this; more is a lie. */
export const BLOCK_BYTES_MAX = 256 * 1024 * 1024;
/** Blocks in one segment. */
const BLOCKS_MAX = 1_000_000;

export type BlockHead = {
  readonly diskBytes: number;
  readonly rawBytes: number;
  readonly items: number;
  readonly firstSlot: bigint;
  readonly lastSlot: bigint;
  readonly crc: number;
};
/** A block and where its head begins in the file. */
export type BlockPlace = BlockHead & { readonly offset: number };

export const crc32 = (bytes: Uint8Array): number => Bun.hash.crc32(bytes);

export function segmentHead(): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEAD_BYTES);
  bytes.set(SEGMENT_MAGIC);
  viewOf(bytes).setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

export function isSegmentHead(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, segmentHead()) === 0;
}

export function blockHead(head: BlockHead): Uint8Array {
  const bytes = new Uint8Array(BLOCK_HEAD_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, BLOCK_MAGIC, true);
  [head.diskBytes, head.rawBytes, head.items].forEach((value, i) => {
    view.setUint32(4 + 4 * i, value, true);
  });
  view.setBigUint64(16, head.firstSlot, true);
  view.setBigUint64(24, head.lastSlot, true);
  view.setUint32(32, head.crc, true);
  view.setUint32(36, crc32(bytes.subarray(0, 36)), true);
  return bytes;
}

/** Undefined when the bytes are no head of a block. */
export function readBlockHead(bytes: Uint8Array): BlockHead | undefined {
  if (bytes.length < BLOCK_HEAD_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== BLOCK_MAGIC || view.getUint32(36, true) !== crc32(bytes.subarray(0, 36)))
    return undefined;
  return {
    diskBytes: view.getUint32(4, true),
    rawBytes: view.getUint32(8, true),
    items: view.getUint32(12, true),
    firstSlot: view.getBigUint64(16, true),
    lastSlot: view.getBigUint64(24, true),
    crc: view.getUint32(32, true),
  };
}

type IndexEntry = Pick<BlockPlace, "offset" | "firstSlot" | "lastSlot" | "items">;

export function indexBytes(blocks: readonly IndexEntry[]): Uint8Array {
  const bytes = new Uint8Array(INDEX_HEAD_BYTES + blocks.length * INDEX_ENTRY_BYTES + 4);
  const view = viewOf(bytes);
  bytes.set(INDEX_MAGIC);
  view.setUint32(8, blocks.length, true);
  blocks.forEach(({ offset, firstSlot, lastSlot, items }, i) => {
    const at = INDEX_HEAD_BYTES + i * INDEX_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(offset), true);
    view.setBigUint64(at + 8, firstSlot, true);
    view.setBigUint64(at + 16, lastSlot, true);
    view.setUint32(at + 24, items, true);
  });
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

/** Throws a SandpiperError for what is no index. */
export function readIndex(bytes: Uint8Array, path: string): readonly IndexEntry[] {
  const head = bytes.length >= INDEX_HEAD_BYTES + 4 && INDEX_MAGIC.every((byte, i) => bytes[i] === byte);
  if (!head) return refuseSegment(path, "an index of segments, version 1", `${bytes.length} bytes of something else`);
  const view = viewOf(bytes);
  const count = view.getUint32(8, true);
  if (count > BLOCKS_MAX || bytes.length !== INDEX_HEAD_BYTES + count * INDEX_ENTRY_BYTES + 4)
    return refuseSegment(path, `${count} entries as its head says`, `${bytes.length} bytes`);
  if (view.getUint32(bytes.length - 4, true) !== crc32(bytes.subarray(0, -4)))
    return refuseSegment(path, "an index whose checksum holds", "a damaged one");
  return Array.from({ length: count }, (_, i) => {
    const at = INDEX_HEAD_BYTES + i * INDEX_ENTRY_BYTES;
    return {
      offset: Number(view.getBigUint64(at, true)),
      firstSlot: view.getBigUint64(at + 8, true),
      lastSlot: view.getBigUint64(at + 16, true),
      items: view.getUint32(at + 24, true),
    };
  });
}

export function refuseSegment(path: string, want: string, was: string): never {
  throw new SandpiperError(CORE_ERROR.segment, `Cannot read recording ${path}: ${want}, was ${was}`);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
