/**
 * The folder that a replay leaves: written under another name beside it and renamed at the end, so that it is there whole
 * or not at all. Each file's size and SHA-256 are known when it is closed.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";

/** Bytes gathered before they are written. */
const BUFFER_BYTES = 262_144;
/** The file that marks a folder as a replay's: only such a folder, or an empty one, is replaced. */
const MARK = "summary.json";

export type OutputDigest = { readonly bytes: number; readonly sha256: string };

export class OutputFile {
  readonly #file: number;
  readonly #hash = createHash("sha256");
  #parts: Uint8Array[] = [];
  #waiting = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#file = openSync(path, "wx");
  }

  write(content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#parts.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting >= BUFFER_BYTES) this.#flush();
  }

  close(): OutputDigest {
    this.#flush();
    closeSync(this.#file);
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#parts);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#parts = [];
    this.#waiting = 0;
  }
}

/** Lets `fill` write into a new folder and puts it at `path` when that succeeded; otherwise nothing is left. */
export async function writeFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  if (existsSync(target) && !isReplaceable(target))
    throw new SandpiperError(
      CLI_ERROR.output,
      `Cannot write the replay to ${path}: a new folder, an empty one or an earlier replay's, was something else`,
    );
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  const old = join(dirname(target), `.${basename(target)}.${process.pid}.old`);
  try {
    rmSync(beside, { recursive: true, force: true });
    mkdirSync(beside, { recursive: true });
    await fill(beside);
    if (existsSync(target)) renameSync(target, old);
    renameSync(beside, target);
  } catch (thrown) {
    if (thrown instanceof SandpiperError || !(thrown instanceof Error) || !("code" in thrown)) throw thrown;
    throw new SandpiperError(
      CLI_ERROR.output,
      `Cannot write the replay to ${path}: a place with room, was ${errorText(thrown)}`,
      "never",
      { cause: thrown },
    );
  } finally {
    rmSync(beside, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function isReplaceable(path: string): boolean {
  try {
    const names = readdirSync(path);
    return names.length === 0 || names.includes(MARK);
  } catch {
    return false;
  }
}
