/**
 * Copies a ledger for an auditor: exactly what is signed, checked from the leaves up before and after. The copy needs no
 * key but the public one, and every command that reads works on it.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { LEDGER_ERROR } from "./errors.ts";
import { ledgerFiles, OFFSET_BYTES, readWhole, syncFolder } from "./files.ts";
import { HASH_BYTES } from "./hash.ts";
import { assertWhole, inspectLedger } from "./inspect.ts";
import { nodeCount } from "./node-store.ts";
import type { NoteVerifier } from "./note.ts";

/** Appears whole or not at all. Answers what it holds. */
export function exportLedger(folder: string, out: string, trusted: NoteVerifier): Checkpoint {
  const files = ledgerFiles(folder);
  // The note is kept as it was checked: a writer may put a newer one there meanwhile.
  const note = readWhole(files.checkpoint);
  const inspection = inspectLedger(files, trusted);
  assertWhole(files, inspection);
  const checkpoint = openCheckpoint(note, trusted);
  const { scan } = inspection;
  const target = resolve(out);
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  try {
    if (isTaken(target)) throw new SandpiperError(LEDGER_ERROR.write, "a new or an empty folder, was something else");
    mkdirSync(beside, { recursive: true });
    const copy = ledgerFiles(beside);
    const { size } = checkpoint;
    const leavesBytes = size === 0 ? 0 : Number(scan.offsets.readBigUInt64BE((size - 1) * OFFSET_BYTES));
    const put = (path: string, bytes: Uint8Array | string) => writeFileSync(path, bytes, { flush: true });
    put(copy.leaves, readWhole(files.leaves).subarray(0, leavesBytes));
    put(copy.offsets, scan.offsets.subarray(0, size * OFFSET_BYTES));
    put(copy.hashes, scan.hashes.subarray(0, nodeCount(size) * HASH_BYTES));
    put(copy.verifier, `${trusted.text}\n`);
    put(copy.checkpoint, note);
    assertWhole(copy, inspectLedger(copy, trusted));
    rmSync(target, { recursive: true, force: true });
    renameSync(beside, target);
    syncFolder(dirname(target));
    return checkpoint;
  } catch (cause) {
    throw new SandpiperError(LEDGER_ERROR.write, `Cannot export to ${out}: ${errorText(cause)}`, "never", { cause });
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function isTaken(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
