/**
 * Writes a recording's segments: items are gathered into blocks, blocks packed with zstd and appended, a full segment
 * closed with its index and the next one begun. What was flushed survives the writer's death; what was synced, the box's.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { CORE_ERROR, SandpiperError } from "#core/error.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  type BlockPlace,
  blockHead,
  crc32,
  indexBytes,
  SEGMENT_HEAD_BYTES,
  segmentHead,
} from "./format.ts";

export type SegmentWriterOptions = {
  /** Unpacked bytes of a block; default 256 KiB. */
  readonly blockBytes?: number;
  /** Bytes on disk of a segment; default 256 MiB. */
  readonly segmentBytes?: number;
  /** Called when a block begins: what was said once per block has to be said again. */
  readonly onBlock?: () => void;
};

const BLOCK_BYTES = 256 * 1024;
const SEGMENT_BYTES = 256 * 1024 * 1024;
/** Fast, and within a few percent of slower levels on market events. */
const ZSTD_LEVEL = 3;

export class SegmentWriter {
  readonly counters = { items: 0, rawBytes: 0, diskBytes: 0, segments: 0 };
  readonly #folder: string;
  readonly #options: SegmentWriterOptions;
  #file: number | undefined;
  #number = 0;
  #offset = 0;
  #blocks: BlockPlace[] = [];
  #parts: Uint8Array[] = [];
  #rawBytes = 0;
  #firstSlot = 0n;
  #lastSlot = 0n;

  /** Makes the folder; throws a SandpiperError when it holds segments already: recordings are never mixed. */
  constructor(folder: string, options: SegmentWriterOptions = {}) {
    this.#folder = folder;
    this.#options = options;
    mkdirSync(folder, { recursive: true });
    const there = readdirSync(folder).filter((name) => name.endsWith(".seg"));
    if (there.length > 0)
      throw new SandpiperError(
        CORE_ERROR.segment,
        `Cannot record into ${folder}: a folder without a recording, was one with ${there.length} segments`,
      );
  }

  /** Takes one item, whole. */
  append(bytes: Uint8Array, slot: bigint): void {
    if (this.#parts.length === 0) {
      this.#firstSlot = slot;
      this.#lastSlot = slot;
    }
    if (slot < this.#firstSlot) this.#firstSlot = slot;
    if (slot > this.#lastSlot) this.#lastSlot = slot;
    this.#parts.push(bytes);
    this.#rawBytes += bytes.length;
    this.counters.items++;
    if (this.#rawBytes >= Math.min(this.#options.blockBytes ?? BLOCK_BYTES, BLOCK_BYTES_MAX)) this.flush();
  }

  /** Writes the items gathered so far as a block. */
  flush(): void {
    if (this.#parts.length === 0) return;
    const raw = Buffer.concat(this.#parts);
    const packed = Bun.zstdCompressSync(raw, { level: ZSTD_LEVEL });
    const [firstSlot, lastSlot] = [this.#firstSlot, this.#lastSlot];
    const items = this.#parts.length;
    const head = { diskBytes: packed.length, rawBytes: raw.length, items, firstSlot, lastSlot, crc: crc32(packed) };
    const file = this.#open();
    this.#write(file, Buffer.concat([blockHead(head), packed]));
    this.#blocks.push({ ...head, offset: this.#offset });
    this.#offset += BLOCK_HEAD_BYTES + packed.length;
    this.counters.rawBytes += raw.length;
    this.#parts = [];
    this.#rawBytes = 0;
    this.#options.onBlock?.();
    if (this.#offset >= (this.#options.segmentBytes ?? SEGMENT_BYTES)) this.#closeSegment();
  }

  close(): void {
    this.flush();
    this.#closeSegment();
  }

  #open(): number {
    if (this.#file !== undefined) return this.#file;
    this.#number++;
    this.counters.segments++;
    this.#file = openSync(join(this.#folder, `${this.#name()}.seg`), "wx");
    this.#write(this.#file, segmentHead());
    this.#offset = SEGMENT_HEAD_BYTES;
    this.#blocks = [];
    return this.#file;
  }

  #closeSegment(): void {
    if (this.#file === undefined) return;
    fsyncSync(this.#file);
    closeSync(this.#file);
    this.#file = undefined;
    // Only now: an index beside a segment says that the segment is whole.
    writeFileAtomic(join(this.#folder, `${this.#name()}.idx`), indexBytes(this.#blocks));
  }

  #name(): string {
    return String(this.#number).padStart(6, "0");
  }

  #write(file: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    this.counters.diskBytes += bytes.length;
  }
}
