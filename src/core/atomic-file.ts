/** Files that readers of other processes see whole or not at all: written beside, then renamed. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Synced before it is renamed: what it holds survives the machine. */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): void {
  replace(path, content, mode, fsyncSync);
}

/** Not synced: what it holds survives this process, in the page cache, and not the machine. For a hot thread. */
export function writeFileAtomicUnsynced(path: string, content: string | Uint8Array, mode = 0o644): void {
  replace(path, content, mode, () => undefined);
}

function replace(path: string, content: string | Uint8Array, mode: number, sync: (file: number) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  const file = openSync(beside, "w", mode);
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
    sync(file);
    renameSync(beside, path);
  } catch (thrown) {
    // On a full disk nothing half-written stays behind, and the old file is as it was.
    rmSync(beside, { force: true });
    throw thrown;
  } finally {
    closeSync(file);
  }
}

/** The parsed JSON of a file, or undefined when it is not there. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
