/**
 * Recorded Yellowstone streams: SubscribeUpdate messages one behind the other, each after its length as a u32, big end
 * first; plain, gzip or zstd. Checked before it is used: a length that leads out of the file is refused with its place.
 */
import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { errorText, SandpiperError } from "#core/error.ts";
import { MARKET_ERROR } from "#market/errors.ts";

const FILE_BYTES_MAX = 4 * 1024 ** 3;
const LENGTH_BYTES = 4;
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** The messages, as views of one buffer. */
export function readRecordedStream(path: string): readonly Uint8Array[] {
  const bytes = unpacked(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at + LENGTH_BYTES;
    const length = start <= bytes.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    if (start + length > bytes.length)
      return refuse(path, `whole messages to the end`, `one cut short at byte ${at} of ${bytes.length}`);
    messages.push(bytes.subarray(start, start + length));
    at = start + length;
  }
  return messages.length > 0 ? messages : refuse(path, "at least one message", "an empty file");
}

function unpacked(path: string): Uint8Array {
  try {
    const size = statSync(path).size;
    if (size > FILE_BYTES_MAX) refuse(path, `at most ${FILE_BYTES_MAX} bytes`, `${size}`);
    const bytes = readFileSync(path);
    const starts = (magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
    if (starts(GZIP)) return gunzipSync(bytes, { maxOutputLength: FILE_BYTES_MAX });
    return starts(ZSTD) ? Bun.zstdDecompressSync(bytes) : bytes;
  } catch (cause) {
    if (cause instanceof SandpiperError) throw cause;
    return refuse(path, "a readable file, plain, gzip or zstd", errorText(cause));
  }
}

function refuse(path: string, want: string, was: string): never {
  throw new SandpiperError(MARKET_ERROR.recordedStream, `Cannot read recorded stream ${path}: ${want}, was ${was}`);
}
