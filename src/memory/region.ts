/**
 * Regions: files of a fixed size in shared memory (/dev/shm) that several processes map at once. Atomics work on them
 * between processes; Atomics.wait does not (see #ffi/doorbell.ts for waiting).
 *
 * A region is made whole before it gets its name: every page is written beside and renamed into place, so that no
 * process maps a half-made one, and a full /dev/shm is an error here and not a SIGBUS in whoever touches the page later.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";

/** Far above any region of ours; refuses a size that came from a wrong calculation. */
const REGION_BYTES_MAX = 1_073_741_824;
const ZEROS_BYTES = 1_048_576;

/**
 * Maps the region at `path`, making it first: parents with mode 0700, the file 0600 and all zeros. One that exists with
 * this size keeps its content; one of another size is replaced (who still maps the old one keeps the old one).
 */
export function createRegion(path: string, bytes: number): ArrayBuffer {
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > REGION_BYTES_MAX)
    throw new SandpiperError(
      MEMORY_ERROR.regionCreate,
      `Cannot create region ${path}: a size from 1 to ${REGION_BYTES_MAX} bytes, was ${bytes}`,
    );
  try {
    if (sizeOf(path) !== bytes) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeZeros(path, bytes);
    }
  } catch (cause) {
    throw new SandpiperError(
      MEMORY_ERROR.regionCreate,
      `Cannot create region ${path}: room for ${bytes} bytes there, was ${errorText(cause)}`,
      "later",
      { cause },
    );
  }
  return openRegion(path);
}

/** Maps a region that another process has created. */
export function openRegion(path: string): ArrayBuffer {
  try {
    const mapped = Bun.mmap(path, { shared: true });
    if (mapped.buffer instanceof ArrayBuffer && mapped.byteLength === mapped.buffer.byteLength) return mapped.buffer;
  } catch (cause) {
    throw new SandpiperError(
      MEMORY_ERROR.regionOpen,
      `Cannot open region ${path}: a file that can be mapped, was ${errorText(cause)}`,
      "later",
      { cause },
    );
  }
  throw new SandpiperError(MEMORY_ERROR.regionOpen, `Cannot open region ${path}: a whole mapping, was a part of one`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

function writeZeros(path: string, bytes: number): void {
  const beside = `${path}.${process.pid}.new`;
  const file = openSync(beside, "w", 0o600);
  try {
    const zeros = new Uint8Array(Math.min(bytes, ZEROS_BYTES));
    for (let written = 0; written < bytes; )
      written += writeSync(file, zeros, 0, Math.min(zeros.length, bytes - written));
    renameSync(beside, path);
  } catch (thrown) {
    rmSync(beside, { force: true });
    throw thrown;
  } finally {
    closeSync(file);
  }
}
