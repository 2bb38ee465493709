/**
 * `judge dex DIR`: executions of the deployed programs against the venues of this build. Every file ending in .json in DIR
 * is judged; one that cannot be read is a failure by name.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { checkPoolFile, checkRouteFile, count, type FileChecks, noChecks, type Tally } from "./dex-checks.ts";
import { readDexVectors } from "./dex-vectors.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";

const FILE_BYTES_MAX = 268_435_456;
const FILES_MAX = 10_000;
/** Differences that are named; all are counted. */
const NAMED_MAX = 20;
/** So that one file does not take all the places. */
const NAMED_PER_FILE_MAX = 5;
const NAME_WIDTH = 44;
const COLUMNS = ["filled", "refused", "same error", "sequences", "routes", "other"] as const;
const COLUMN_WIDTH = 12;

/** Writes a row per file, the first differences and the closing line. */
export function judgeDex(folder: string, write: (text: string) => void): Verdict {
  const named: string[] = [];
  let passed = 0;
  let failed = 0;
  write(row("file", "venue", COLUMNS));
  for (const name of jsonFiles(folder)) {
    const checks = checkFile(join(folder, name));
    const { filled, refused, sequences, routes, others, sameError } = checks;
    const judged = [filled, refused, sequences, routes, others];
    passed += judged.reduce((sum, kind) => sum + kind.passed, 0);
    failed += judged.reduce((sum, kind) => sum + kind.total - kind.passed, 0);
    named.push(...checks.differences.slice(0, NAMED_PER_FILE_MAX).map((difference) => `${name}: ${difference}`));
    write(row(name, checks.venue, [filled, refused, sameError, sequences, routes, others].map(ofTotal)));
  }
  for (const text of named.slice(0, NAMED_MAX)) write(`${text}\n`);
  if (failed > Math.min(named.length, NAMED_MAX)) write("… and more, counted above\n");
  if (passed + failed === 0) write("no vectors: nothing was judged\n");
  write(`${passed} passed, ${failed} failed\n`);
  return { passed, failed };
}

function checkFile(path: string): FileChecks {
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX)
      throw new SandpiperError(CLI_ERROR.vectors, `Cannot read vectors: at most ${FILE_BYTES_MAX} bytes, was ${size}`);
    const file = readDexVectors(readFileSync(path, "utf8"));
    return file.kind === "pool" ? checkPoolFile(file) : checkRouteFile(file);
  } catch (thrown) {
    const checks = noChecks("unreadable");
    count(checks, checks.others, "the file", errorText(thrown));
    return checks;
  }
}

function jsonFiles(folder: string): readonly string[] {
  const names = (() => {
    try {
      return readdirSync(folder);
    } catch (cause) {
      const want = `Cannot read ${folder}: a folder that can be listed, was ${errorText(cause)}`;
      throw new SandpiperError(CLI_ERROR.vectors, want, "never", { cause });
    }
  })();
  const files = names.filter((name) => name.endsWith(".json")).sort();
  if (files.length > FILES_MAX)
    throw new SandpiperError(
      CLI_ERROR.vectors,
      `Cannot read ${folder}: at most ${FILES_MAX} files, was ${files.length}`,
    );
  return files;
}

const ofTotal = (kind: Tally): string => (kind.total === 0 ? "-" : `${kind.passed}/${kind.total}`);

const row = (name: string, venue: string, cells: readonly string[]): string =>
  `${name.padEnd(NAME_WIDTH)} ${venue.slice(0, 16).padEnd(16)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("")}\n`;
