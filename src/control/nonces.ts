/**
 * The last nonce of every stream, kept over restarts. An append-only file, one line per nonce taken:
 *
 *   <crc32 of the rest, 8 hex digits> <nonce> <JSON text of the stream>\n
 *
 * A nonce is on disk and synced before take() answers, so a command that was carried out never comes again. A process that
 * dies while it writes leaves a torn last line, which belongs to a command that was not carried out: it is cut off. Any other
 * line that does not check is damage, and damage is refused, because a forgotten nonce is a replay. When the file is
 * mostly history it is written anew beside and renamed, and the folder synced. One process owns the file.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { CONTROL_ERROR } from "./errors.ts";

/** Streams that are remembered; a key holder can name as many issuers as it likes. */
const STREAMS_MAX = 10_000;
const FILE_BYTES_MAX = 67_108_864;
/** Lines of history that are let stand before the file is compacted. */
const HISTORY_LINES_MAX = 4_096;
/** No file: after a compaction that could not be finished every take() is refused until the next start. */
const CLOSED = -1;
const LINE = /^([0-9a-f]{8}) ((\d{1,20}) (".*"))$/;

export type NonceOptions = { readonly historyLinesMax?: number; readonly streamsMax?: number };

export class NonceFile {
  readonly #path: string;
  readonly #last: Map<string, bigint>;
  readonly #historyLinesMax: number;
  readonly #streamsMax: number;
  #file: number;
  #bytes: number;
  #lines: number;

  /** Throws a SandpiperError when the file is damaged or the disk refuses. */
  constructor(path: string, options: NonceOptions = {}) {
    this.#path = path;
    this.#historyLinesMax = options.historyLinesMax ?? HISTORY_LINES_MAX;
    this.#streamsMax = options.streamsMax ?? STREAMS_MAX;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#file = openSync(path, "a+", 0o600);
    } catch (thrown) {
      throw fault(path, "a file that can be opened", errorText(thrown));
    }
    try {
      const { last, lines, bytes } = readLines(path);
      this.#last = last;
      this.#lines = lines;
      this.#bytes = bytes;
      ftruncateSync(this.#file, bytes);
      fsyncSync(this.#file);
      syncFolder(path);
    } catch (thrown) {
      closeSync(this.#file);
      if (thrown instanceof SandpiperError) throw thrown;
      throw fault(path, "a disk that syncs", errorText(thrown));
    }
  }

  last(stream: string): bigint | undefined {
    return this.#last.get(stream);
  }

  /** Whether another stream would find a place beside those that are here and `more` new ones. */
  hasRoom(more: number): boolean {
    return this.#last.size + more < this.#streamsMax;
  }

  take(stream: string, nonce: bigint): void {
    this.takeAll([[stream, nonce]]);
  }

  /**
   * Takes nonces, for good, with one sync. Throws a SandpiperError, having taken nothing, when one is not above the last of
   * its stream, when there is no room for another stream, or when the disk refuses.
   */
  takeAll(taken: readonly (readonly [stream: string, nonce: bigint])[]): void {
    if (taken.length === 0) return;
    if (this.#file === CLOSED) throw fault(this.#path, "a file that is open", "one that a failed compaction closed");
    const last = this.#checked(taken);
    const lines = Buffer.from(taken.map(([stream, nonce]) => lineOf(stream, nonce)).join(""));
    try {
      let written = 0;
      while (written < lines.length) written += writeSync(this.#file, lines, written);
      fdatasyncSync(this.#file);
    } catch (thrown) {
      this.#cutBack();
      throw fault(this.#path, "a disk that takes a line", errorText(thrown));
    }
    this.#bytes += lines.length;
    this.#lines += taken.length;
    for (const [stream, nonce] of last) this.#last.set(stream, nonce);
    if (this.#lines > this.#last.size + this.#historyLinesMax) this.#compact();
  }

  #checked(taken: readonly (readonly [stream: string, nonce: bigint])[]): Map<string, bigint> {
    const checked = new Map<string, bigint>();
    let added = 0;
    for (const [stream, nonce] of taken) {
      const last = checked.get(stream) ?? this.#last.get(stream) ?? 0n;
      if (nonce <= last) throw fault(this.#path, `a nonce above ${last}`, `${nonce}`);
      if (!this.#last.has(stream) && !checked.has(stream)) {
        if (!this.hasRoom(added)) throw fault(this.#path, `at most ${this.#streamsMax} issuers`, "one more");
        added++;
      }
      checked.set(stream, nonce);
    }
    return checked;
  }

  close(): void {
    if (this.#file !== CLOSED) closeSync(this.#file);
  }

  /** After a failed write: a half line must not stand before the next one. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#file, this.#bytes);
    } catch {
      // The next open cuts a torn last line; a whole unsynced one only costs its issuer a number.
    }
  }

  #compact(): void {
    const text = [...this.#last].map(([stream, nonce]) => lineOf(stream, nonce)).join("");
    this.#lines = this.#last.size;
    try {
      writeFileAtomic(this.#path, text, 0o600);
    } catch {
      // The old file stands and goes on growing; the next try comes after as many lines again.
      return;
    }
    // From here on the old file has no name: a nonce written to it would be lost.
    closeSync(this.#file);
    this.#file = CLOSED;
    try {
      syncFolder(this.#path);
      this.#file = openSync(this.#path, "a+", 0o600);
    } catch (thrown) {
      throw fault(this.#path, "a disk that takes the compacted file", errorText(thrown));
    }
    this.#bytes = Buffer.byteLength(text);
  }
}

function lineOf(stream: string, nonce: bigint): string {
  const body = `${nonce} ${JSON.stringify(stream)}`;
  return `${crc32(body).toString(16).padStart(8, "0")} ${body}\n`;
}

/** Every whole line; `bytes` is where a torn last one would begin. */
function readLines(path: string): { last: Map<string, bigint>; lines: number; bytes: number } {
  const content = readFileSync(path);
  if (content.length > FILE_BYTES_MAX) throw fault(path, `at most ${FILE_BYTES_MAX} bytes`, `${content.length}`);
  const bytes = content.lastIndexOf(0x0a) + 1;
  const last = new Map<string, bigint>();
  const lines = content.toString("utf8", 0, bytes).split("\n").slice(0, -1);
  for (const [index, line] of lines.entries()) {
    const [, check, body, nonce, stream] = LINE.exec(line) ?? [];
    if (body === undefined || nonce === undefined || stream === undefined || crc32(body) !== Number(`0x${check}`))
      throw fault(path, "whole lines", `damage in line ${index + 1}`);
    const name: unknown = JSON.parse(stream);
    if (typeof name !== "string") throw fault(path, "a stream in each line", `something else in line ${index + 1}`);
    const before = last.get(name) ?? 0n;
    last.set(name, BigInt(nonce) > before ? BigInt(nonce) : before);
  }
  return { last, lines: lines.length, bytes };
}

/** A renamed or new file is only there after a power cut when its folder was synced. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

const fault = (path: string, want: string, was: string) =>
  new SandpiperError(CONTROL_ERROR.nonceFile, `Cannot keep nonces in ${path}: ${want}, was ${was}`, "later");
