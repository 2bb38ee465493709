/**
 * `judge merkle DIR`: inclusion and consistency proofs in transparency-dev's JSON form, one case a file, against the
 * verification of this build. Every file ending in .json in DIR and its folders is judged; one that cannot be read is a
 * failure by name. A case passes when it is accepted and wantErr is false, or refused and wantErr is true.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";
import { type MerkleCase, readMerkleCase } from "./merkle-cases.ts";

const FILES_MAX = 100_000;
const FILE_BYTES_MAX = 1_048_576;
/** Mismatches that are named; all are counted. */
const NAMED_MAX = 20;
const GROUPS = ["inclusion", "consistency", "unreadable"] as const;
type Group = (typeof GROUPS)[number];

/** Writes a row per group, the first mismatches and the closing line. */
export function judgeMerkle(folder: string, write: (text: string) => void): Verdict {
  const counts = new Map(GROUPS.map((group) => [group, { accept: 0, refuse: 0, passed: 0, failed: 0 }]));
  const mismatches: string[] = [];
  let otherForm = 0;
  for (const name of caseFiles(folder)) {
    const item = readCase(join(folder, name));
    if (item === "subtree") {
      otherForm += 1;
      continue;
    }
    const group: Group = typeof item === "string" ? "unreadable" : item.kind;
    const wrong = typeof item === "string" ? item : mismatch(item);
    const count = counts.get(group);
    if (count === undefined) continue;
    if (typeof item !== "string") count[item.wantError ? "refuse" : "accept"] += 1;
    count[wrong === undefined ? "passed" : "failed"] += 1;
    if (wrong !== undefined) mismatches.push(`${name}: ${wrong}`);
  }
  write(row("proofs", ["to accept", "to refuse", "passed", "failed"]));
  for (const [group, { accept, refuse, passed, failed }] of counts)
    if (passed + failed > 0) write(row(group, [accept, refuse, passed, failed]));
  for (const text of mismatches.slice(0, NAMED_MAX)) write(`${text}\n`);
  if (mismatches.length > NAMED_MAX) write(`… and ${mismatches.length - NAMED_MAX} more\n`);
  if (otherForm > 0) write(`not judged: ${otherForm} files of subtree proofs, which Sandpiper has no use for\n`);
  const passed = [...counts.values()].reduce((sum, count) => sum + count.passed, 0);
  if (passed + mismatches.length === 0) write("no cases: nothing was judged\n");
  write(`${passed} passed, ${mismatches.length} failed\n`);
  return { passed, failed: mismatches.length };
}

function mismatch(item: MerkleCase): string | undefined {
  const accepted = item.verify();
  if (accepted !== item.wantError) return undefined;
  return `${accepted ? "accepted, must be refused" : "refused, must be accepted"}; ${item.about}`;
}

/** The case, "subtree" for the form that is passed over, or why it cannot be read. */
function readCase(path: string): MerkleCase | string {
  try {
    const { size } = statSync(path);
    return size > FILE_BYTES_MAX
      ? `Cannot read a Merkle case: at most ${FILE_BYTES_MAX} bytes, was ${size}`
      : readMerkleCase(readFileSync(path, "utf8"));
  } catch (thrown) {
    return errorText(thrown);
  }
}

function caseFiles(folder: string): readonly string[] {
  const refuse = (want: string, was: string): never => {
    throw new SandpiperError(CLI_ERROR.merkleCases, `Cannot read ${folder}: ${want}, was ${was}`);
  };
  const list = (): readonly string[] => {
    try {
      return readdirSync(folder, { recursive: true, encoding: "utf8" });
    } catch (cause) {
      return refuse("a folder that can be listed", errorText(cause));
    }
  };
  const files = list().filter((name) => name.endsWith(".json"));
  return files.length > FILES_MAX ? refuse(`at most ${FILES_MAX} files`, `${files.length}`) : files.toSorted();
}

const row = (group: string, cells: readonly (string | number)[]): string =>
  `${group.padEnd(12)}${cells.map((cell) => String(cell).padStart(11)).join("")}\n`;
