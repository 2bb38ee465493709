/**
 * What a producer keeps on disk while Kafka is away: one append-only file per producer, read from its head in order.
 *
 *   <owner>.spool   frames: u32 length of body, u32 CRC-32 of body (both little-endian), body
 *   body            f64 published ms, u8 topic length, topic, u16 key length, key, value
 *   <owner>.place   how many bytes from the start Kafka has already; replaced by rename
 *
 * append() returns when the frames are synced. A kill leaves a whole prefix of what was appended: a torn tail is cut at
 * the next open. A kill between a delivery and its place gives that batch to Kafka again: at least once, in order.
 */
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Topic } from "#wire/topics.ts";
import { BUS_ERROR } from "./errors.ts";

const FRAME_HEAD_BYTES = 8;
const BODY_HEAD_BYTES = 8 + 1 + 2;
/** No frame can be longer: the bus refuses larger messages. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** A message on its way to Kafka. */
export type Outgoing = {
  readonly topic: Topic;
  readonly key: string;
  readonly value: Uint8Array;
  readonly publishedMs: number;
};

/** Messages from the head of the spool, and how many bytes of it they take. */
type SpoolHead = { readonly messages: readonly Outgoing[]; readonly bytes: number };

export class Spool {
  /** Messages that wait. */
  pending = 0;
  /** Bytes at the end of the file that were no whole frame when it was opened. */
  readonly cutBytes: number;
  readonly #file: number;
  readonly #placePath: string;
  readonly #bytesMax: number;
  #place: number;
  #end: number;

  constructor(folder: string, owner: string, bytesMax: number) {
    const path = join(folder, `${owner}.spool`);
    this.#placePath = join(folder, `${owner}.place`);
    this.#bytesMax = bytesMax;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#file = openSync(path, "a+", 0o600);
      const bytes = statSync(path).size;
      this.#place = this.#readPlace(bytes);
      this.#end = this.#place;
      for (let frame = this.#frameAt(this.#end); frame; frame = this.#frameAt(this.#end)) {
        this.#end += FRAME_HEAD_BYTES + frame.length;
        this.pending++;
      }
      this.cutBytes = bytes - this.#end;
      if (this.cutBytes > 0) ftruncateSync(this.#file, this.#end);
      if (this.pending === 0) this.#reset();
    } catch (thrown) {
      throw spoolError(`open the spool ${path}`, thrown);
    }
  }

  /** Durable when it returns. Answers how many of the messages, from the first, had room. */
  append(messages: readonly Outgoing[]): number {
    const frames: Buffer[] = [];
    let bytes = 0;
    for (const message of messages) {
      const frame = encodeFrame(message);
      if (this.#end + bytes + frame.length > this.#bytesMax) break;
      frames.push(frame);
      bytes += frame.length;
    }
    if (frames.length === 0) return 0;
    try {
      const block = Buffer.concat(frames, bytes);
      for (let written = 0; written < bytes; ) written += writeSync(this.#file, block, written);
      fdatasyncSync(this.#file);
    } catch (thrown) {
      // Half a frame must not stand before whole ones.
      ftruncateSync(this.#file, this.#end);
      throw spoolError("write the spool", thrown);
    }
    this.#end += bytes;
    this.pending += frames.length;
    return frames.length;
  }

  /** The oldest messages that wait, at most `messagesMax` and about `bytesMax`, at least one. */
  head(messagesMax: number, bytesMax: number): SpoolHead {
    const messages: Outgoing[] = [];
    let bytes = 0;
    while (messages.length < messagesMax && (bytes < bytesMax || messages.length === 0)) {
      if (this.#place + bytes >= this.#end) break;
      const body = this.#frameAt(this.#place + bytes);
      if (!body) throw spoolError("read the spool", new Error("a frame that was whole is damaged"));
      messages.push(decodeBody(body));
      bytes += FRAME_HEAD_BYTES + body.length;
    }
    return { messages, bytes };
  }

  /** Kafka has what head() answered. */
  advance({ messages, bytes }: SpoolHead): void {
    this.pending -= messages.length;
    this.#place += bytes;
    if (this.pending === 0) this.#reset();
    else writeFileAtomic(this.#placePath, String(this.#place), 0o600);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The file first: a place behind its end means "from the start" (see #readPlace), never a lost message. */
  #reset(): void {
    ftruncateSync(this.#file, 0);
    this.#place = 0;
    this.#end = 0;
    writeFileAtomic(this.#placePath, "0", 0o600);
  }

  #readPlace(bytes: number): number {
    let text: string;
    try {
      text = readFileSync(this.#placePath, "utf8");
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw thrown;
    }
    const place = Number(text);
    if (!Number.isSafeInteger(place) || place < 0) throw new Error(`a place file that holds a number, was ${text}`);
    return place > bytes ? 0 : place;
  }

  /** The body of the whole, undamaged frame at a byte, if there is one. */
  #frameAt(at: number): Buffer | undefined {
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    if (readSync(this.#file, head, 0, FRAME_HEAD_BYTES, at) < FRAME_HEAD_BYTES) return undefined;
    const length = head.readUInt32LE(0);
    if (length < BODY_HEAD_BYTES || length > BODY_BYTES_MAX) return undefined;
    const body = Buffer.alloc(length);
    if (readSync(this.#file, body, 0, length, at + FRAME_HEAD_BYTES) < length) return undefined;
    return Bun.hash.crc32(body) === head.readUInt32LE(4) ? body : undefined;
  }
}

function encodeFrame({ topic, key, value, publishedMs }: Outgoing): Buffer {
  const [topicBytes, keyBytes] = [Buffer.from(topic), Buffer.from(key)];
  const length = BODY_HEAD_BYTES + topicBytes.length + keyBytes.length + value.length;
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + length);
  const body = frame.subarray(FRAME_HEAD_BYTES);
  let at = body.writeDoubleLE(publishedMs, 0);
  at = body.writeUInt8(topicBytes.length, at);
  at += topicBytes.copy(body, at);
  at = body.writeUInt16LE(keyBytes.length, at);
  at += keyBytes.copy(body, at);
  body.set(value, at);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(Bun.hash.crc32(body), 4);
  return frame;
}

/** Of a body whose checksum is right: written by encodeFrame(). */
function decodeBody(body: Buffer): Outgoing {
  const publishedMs = body.readDoubleLE(0);
  const topicEnd = 9 + body.readUInt8(8);
  const keyStart = topicEnd + 2;
  const keyEnd = keyStart + body.readUInt16LE(topicEnd);
  return {
    topic: body.toString("utf8", 9, topicEnd) as Topic,
    key: body.toString("utf8", keyStart, keyEnd),
    value: new Uint8Array(body.subarray(keyEnd)),
    publishedMs,
  };
}

const spoolError = (doing: string, thrown: unknown) =>
  new SandpiperError(
    BUS_ERROR.spool,
    `Cannot ${doing}: a writable folder on a disk with room, was ${errorText(thrown)}`,
    "later",
    { cause: thrown },
  );
