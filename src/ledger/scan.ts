/**
 * Reads the signed leaves of a folder and computes everything anew from them: no stored hash is believed. Stops at the first line
 * that is not whole: one without a line feed, or not the canonical bytes of an entry.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { errorText } from "#core/error.ts";
import { CompactRange } from "./compact-range.ts";
import { decodeEntry, ENTRY_BYTES_MAX } from "./entry.ts";
import { damaged, LEAVES_MAX, offsetBytes } from "./files.ts";
import { HASH_BYTES, leafHash } from "./hash.ts";
import { type NodeReader, nodeNumber } from "./node-store.ts";

const READ_BYTES = 1_048_576;
const LINE_FEED = 10;

export type Scan = {
  /** Whole leaves from the start, at most the signed ones. */
  readonly size: number;
  /** Bytes of the file beyond the last leaf that was read. */
  readonly tailBytes: number;
  readonly fileBytes: number;
  readonly range: CompactRange;
  /** What the two derived files must hold for these leaves. */
  readonly offsets: Buffer;
  readonly hashes: Buffer;
  /** The hashes, computed. */
  readonly node: NodeReader;
};

/** Reads at most `signed` leaves: what lies beyond them is nobody's word. */
export function scanLeaves(path: string, signed: number): Scan {
  const range = new CompactRange();
  const offsets = new ByteList();
  const hashes = new ByteList();
  let end = 0;
  const file = open(path);
  try {
    for (const line of wholeLines(file)) {
      if (range.size === signed || !isEntry(line)) break;
      if (range.size === LEAVES_MAX) throw damaged(path, `at most ${LEAVES_MAX} leaves`, "more");
      end += line.length + 1;
      offsets.push(offsetBytes(end));
      range.append(leafHash(line), (hash) => hashes.push(hash));
    }
    const fileBytes = fstatSync(file).size;
    const stored = hashes.bytes();
    const node: NodeReader = (level, index) => {
      const at = nodeNumber(level, index) * HASH_BYTES;
      return stored.subarray(at, at + HASH_BYTES);
    };
    const tailBytes = fileBytes - end;
    return { size: range.size, tailBytes, fileBytes, range, offsets: offsets.bytes(), hashes: stored, node };
  } finally {
    closeSync(file);
  }
}

function* wholeLines(file: number): Generator<Buffer> {
  const chunk = Buffer.alloc(READ_BYTES);
  let carried = Buffer.alloc(0);
  while (carried.length <= ENTRY_BYTES_MAX) {
    const got = readSync(file, chunk, 0, READ_BYTES, null);
    if (got === 0) return;
    const bytes = Buffer.concat([carried, chunk.subarray(0, got)]);
    let start = 0;
    for (let feed = bytes.indexOf(LINE_FEED); feed >= 0; feed = bytes.indexOf(LINE_FEED, start)) {
      yield bytes.subarray(start, feed);
      start = feed + 1;
    }
    carried = bytes.subarray(start);
  }
}

function isEntry(line: Uint8Array): boolean {
  try {
    decodeEntry(line);
    return true;
  } catch {
    return false;
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw damaged(path, "a readable file", errorText(cause));
  }
}

/** Bytes that grow at the end. */
class ByteList {
  #bytes = Buffer.alloc(4_096);
  #length = 0;

  push(more: Uint8Array): void {
    if (this.#length + more.length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], 2 * this.#bytes.length + more.length);
    this.#bytes.set(more, this.#length);
    this.#length += more.length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
