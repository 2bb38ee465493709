/**
 * Reads a recording's segments. All block heads are walked before anything is unpacked and compared with the index, so a
 * file cut short, an index that lies or a byte that flipped is refused with its place; a block's bytes are checked
 * against their checksum before zstd sees them.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "#core/error.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  type BlockPlace,
  crc32,
  isSegmentHead,
  readBlockHead,
  readIndex,
  refuseSegment,
  SEGMENT_HEAD_BYTES,
} from "./format.ts";

export type SegmentBlock = BlockPlace & { readonly path: string };
export type Segments = {
  readonly blocks: readonly SegmentBlock[];
  /** Bytes behind the last whole block of a segment whose writer died. */
  readonly tornBytes: number;
};

const SEGMENTS_MAX = 1_000_000;

/** Throws a SandpiperError when there is no recording, or a damaged one. */
export function openSegments(folder: string): Segments {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".seg")) : [];
  if (names.length === 0 || names.length > SEGMENTS_MAX)
    return refuseSegment(folder, "a folder with segments (*.seg)", `${names.length} of them`);
  names.sort();
  names.forEach((name, i) => {
    const want = `${String(i + 1).padStart(6, "0")}.seg`;
    if (name !== want) refuseSegment(folder, `segment ${want}`, name);
  });
  const found = names.map((name, i) => readSegment(join(folder, name), i === names.length - 1));
  return {
    blocks: found.flatMap(({ blocks }) => blocks),
    tornBytes: found.reduce((sum, { tornBytes }) => sum + tornBytes, 0),
  };
}

/** The items of a block, one behind the other as they were written. */
export function readSegmentBlock(block: SegmentBlock): Uint8Array {
  const { path, offset, diskBytes, rawBytes } = block;
  const file = openSync(path, "r");
  try {
    const packed = readAt(file, offset + BLOCK_HEAD_BYTES, diskBytes);
    if (packed.length !== diskBytes || crc32(packed) !== block.crc)
      return refuseSegment(path, `block at byte ${offset} with the checksum of its head`, "damaged bytes");
    let raw: Uint8Array;
    try {
      raw = Bun.zstdDecompressSync(packed);
    } catch (thrown) {
      return refuseSegment(path, `block at byte ${offset} to unpack`, errorText(thrown));
    }
    // A plain array: a Buffer's slices would share its memory.
    return raw.length === rawBytes
      ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)
      : refuseSegment(path, `block at byte ${offset} of ${rawBytes} bytes unpacked`, `${raw.length}`);
  } finally {
    closeSync(file);
  }
}

function readSegment(path: string, isLast: boolean): { blocks: SegmentBlock[]; tornBytes: number } {
  const indexPath = `${path.slice(0, -".seg".length)}.idx`;
  const index = existsSync(indexPath) ? readIndex(readFileSync(indexPath), indexPath) : undefined;
  const file = openSync(path, "r");
  try {
    const size = fstatSync(file).size;
    if (!isSegmentHead(readAt(file, 0, SEGMENT_HEAD_BYTES)))
      return refuseSegment(path, "a segment, version 1", "something else");
    const { blocks, end } = walk(file, path, size);
    if (index === undefined) {
      // Its writer died: nobody else may have followed it.
      if (!isLast) return refuseSegment(path, "an index beside it, as behind it another segment was begun", "none");
      return { blocks, tornBytes: size - end };
    }
    const wrong = index.findIndex((entry, i) => {
      const block = blocks[i];
      return (
        block === undefined ||
        entry.offset !== block.offset ||
        entry.firstSlot !== block.firstSlot ||
        entry.lastSlot !== block.lastSlot ||
        entry.items !== block.items
      );
    });
    if (wrong >= 0)
      return refuseSegment(
        path,
        `block ${wrong} as ${indexPath} says`,
        blocks[wrong] === undefined ? "none" : "another",
      );
    if (blocks.length > index.length || end !== size)
      return refuseSegment(path, `${index.length} blocks to its end as ${indexPath} says`, "more or damaged bytes");
    return { blocks, tornBytes: 0 };
  } finally {
    closeSync(file);
  }
}

/** All whole blocks from the start on. */
function walk(file: number, path: string, size: number): { blocks: SegmentBlock[]; end: number } {
  const blocks: SegmentBlock[] = [];
  let offset = SEGMENT_HEAD_BYTES;
  while (offset + BLOCK_HEAD_BYTES <= size) {
    const head = readBlockHead(readAt(file, offset, BLOCK_HEAD_BYTES));
    if (head === undefined) break;
    if (head.diskBytes > BLOCK_BYTES_MAX || head.rawBytes > BLOCK_BYTES_MAX || head.firstSlot > head.lastSlot)
      return refuseSegment(path, `a block at byte ${offset} that can be`, "one that cannot");
    if (offset + BLOCK_HEAD_BYTES + head.diskBytes > size) break;
    blocks.push({ ...head, offset, path });
    offset += BLOCK_HEAD_BYTES + head.diskBytes;
  }
  return { blocks, end: offset };
}

function readAt(file: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const read = readSync(file, bytes, got, length - got, position + got);
    if (read === 0) break;
    got += read;
  }
  return bytes.subarray(0, got);
}
