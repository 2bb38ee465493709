/**
 * A ledger's folder. The first three files only ever grow; the checkpoint is replaced by rename, last.
 *
 *   leaves.ndjson   the leaves, one canonical line each (entry.ts); the leaf is the line without its line feed
 *   offsets         per leaf 8 bytes, big-endian: where its line ends in leaves.ndjson
 *   hashes          per complete subtree 32 bytes, in the order of node-store.ts
 *   checkpoint      the signed size and root (checkpoint.ts)
 *   verifier        the public key that signs here; believe it only if you have it from elsewhere too
 *
 * What counts is below the checkpoint's size. Bytes beyond it are a batch that a writer is at, or died in.
 */
import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";

export const OFFSET_BYTES = 8;
/** Bounds of one append, and so of what a crash can leave beyond the checkpoint. */
export const BATCH_LEAVES_MAX = 1_024;
export const BATCH_BYTES_MAX = 4_194_304;
/** A check holds 72 bytes a leaf in memory. */
export const LEAVES_MAX = 10_000_000;

export type LedgerFiles = {
  readonly folder: string;
  readonly leaves: string;
  readonly offsets: string;
  readonly hashes: string;
  readonly checkpoint: string;
  readonly verifier: string;
};

export function ledgerFiles(folder: string): LedgerFiles {
  return {
    folder,
    leaves: join(folder, "leaves.ndjson"),
    offsets: join(folder, "offsets"),
    hashes: join(folder, "hashes"),
    checkpoint: join(folder, "checkpoint"),
    verifier: join(folder, "verifier"),
  };
}

/** The content; a file that cannot be read is damage. */
export function readWhole(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw damaged(path, "a readable file", errorText(cause));
  }
}

/** Exactly `length` bytes from `position`; anything less is damage. */
export function readAt(file: number, position: number, length: number, path: string): Buffer {
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const more = readSync(file, bytes, got, length - got, position + got);
    if (more === 0) throw damaged(path, `${length} bytes at ${position}`, `${got}`);
    got += more;
  }
  return bytes;
}

/** At `position`, until all is written; durable only after fsync. */
export function writeAt(file: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written, position + written);
}

/** Makes a rename or a new name in the folder durable. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The 8 bytes of offsets for one leaf. */
export function offsetBytes(end: number): Uint8Array {
  const bytes = Buffer.alloc(OFFSET_BYTES);
  bytes.writeBigUInt64BE(BigInt(end));
  return bytes;
}

export function damaged(what: string, want: string, was: string): SandpiperError {
  return new SandpiperError(LEDGER_ERROR.damaged, `Cannot trust ${what}: ${want}, was ${was}`);
}
