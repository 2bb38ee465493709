/**
 * The journal of open bundles: what makes every sent bundle end in exactly one Outcome, even across kill -9.
 *
 * A line is appended BEFORE a bundle leaves, with all that following it takes and the Arb envelope of its decision, and
 * a line when its Outcome is durable on the bus. Appends are single write(2) calls of one line: a killed process leaves
 * whole lines in the page cache, at worst a cut last one, which was then not sent yet. Nothing is synced to disk, for
 * that would cost a millisecond per bundle: a power cut may lose the tail.
 *
 * The next life follows what is open to its end. Between "the Outcome is durable" and "the line says so" a kill leaves
 * an open line with an Outcome: whoever recovers asks the bus what it has (see recovery.ts) and closes those first.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { SandpiperError } from "#core/error.ts";
import type { SentBundle } from "./bundle.ts";
import { EXECUTE_ERROR } from "./errors.ts";

export type JournalEntry = {
  readonly bundle: SentBundle;
  /** The Arb envelope of its decision and the key it is published under. */
  readonly arbKey: string;
  readonly arbBase64: string;
  /** The bus has the Arb envelope. */
  readonly recorded?: boolean;
};

/** The file is written anew when it passes this size. */
const BYTES_MAX = 1 << 20;

export class BundleJournal {
  readonly #path: string;
  readonly #open = new Map<string, JournalEntry>();
  #file: number;
  #bytes = 0;

  /** Reads what an earlier life left; a cut last line is dropped. Throws a SandpiperError when the file is not usable. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    for (const line of readLines(path)) this.#replay(line);
    this.#rewrite();
    this.#file = this.#openFile();
  }

  get open(): readonly JournalEntry[] {
    return [...this.#open.values()];
  }

  opened(entry: JournalEntry): void {
    this.#open.set(entry.bundle.decisionId, entry);
    this.#append(openLine(entry));
  }

  /** The Arb envelope is durable. */
  recorded(decisionId: string): void {
    const entry = this.#open.get(decisionId);
    if (entry === undefined || entry.recorded === true) return;
    this.#open.set(decisionId, { ...entry, recorded: true });
    this.#append(JSON.stringify({ recorded: decisionId }));
  }

  /** The Outcome is durable. */
  closed(decisionId: string): void {
    if (!this.#open.delete(decisionId)) return;
    this.#append(JSON.stringify({ close: decisionId }));
    if (this.#bytes < BYTES_MAX) return;
    closeSync(this.#file);
    this.#rewrite();
    this.#file = this.#openFile();
  }

  close(): void {
    closeSync(this.#file);
  }

  #openFile(): number {
    this.#bytes = 0;
    return openSync(this.#path, "a", 0o600);
  }

  #append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (writeSync(this.#file, bytes) !== bytes.length)
      throw new SandpiperError(
        EXECUTE_ERROR.journal,
        `Cannot write the journal ${this.#path}: a whole line of ${bytes.length} bytes, was cut off`,
        "later",
      );
    this.#bytes += bytes.length;
  }

  #rewrite(): void {
    writeFileAtomic(this.#path, this.open.map((entry) => `${openLine(entry)}\n`).join(""), 0o600);
  }

  #replay(line: string): void {
    let parsed: { readonly open?: JournalEntry; readonly recorded?: string; readonly close?: string };
    try {
      parsed = JSON.parse(line, (_, value: unknown) =>
        typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
      );
    } catch {
      // The cut last line of a killed process: its bundle never left.
      return;
    }
    if (parsed.open !== undefined) this.#open.set(parsed.open.bundle.decisionId, parsed.open);
    const recorded = parsed.recorded === undefined ? undefined : this.#open.get(parsed.recorded);
    if (recorded !== undefined) this.#open.set(recorded.bundle.decisionId, { ...recorded, recorded: true });
    if (parsed.close !== undefined) this.#open.delete(parsed.close);
  }
}

/** JSON has no bigint: they are written as texts that end in n. */
const openLine = (entry: JournalEntry): string =>
  JSON.stringify({ open: entry }, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new SandpiperError(
      EXECUTE_ERROR.journal,
      `Cannot read the journal ${path}: a readable file, was ${(thrown as Error).message}`,
      "later",
    );
  }
}
