/**
 * Checks a whole folder against its signed checkpoint, from the leaves up. Any leaf that was edited, deleted, inserted or
 * moved changes the root, and the root is signed. What the checkpoint cannot show is that it is the newest: for that,
 * `earlier` takes one that somebody else kept.
 */
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { damaged, type LedgerFiles, OFFSET_BYTES, readWhole } from "./files.ts";
import { emptyRoot, HASH_BYTES, sameBytes } from "./hash.ts";
import { nodeCount, nodeNumber } from "./node-store.ts";
import type { NoteVerifier } from "./note.ts";
import { rangeHash } from "./prove.ts";
import { type Scan, scanLeaves } from "./scan.ts";

export type Inspection = {
  readonly checkpoint: Checkpoint;
  readonly scan: Scan;
  /** What is wrong, each a sentence; empty when all is proven. */
  readonly findings: readonly string[];
};

/** Throws when the checkpoint itself cannot be trusted; all else becomes a finding. */
export function inspectLedger(files: LedgerFiles, trusted: NoteVerifier, earlier?: Checkpoint): Inspection {
  // Read first: a writer adds leaves before it signs, never after.
  const checkpoint = openCheckpoint(readWhole(files.checkpoint), trusted);
  const { size } = checkpoint;
  const scan = scanLeaves(files.leaves, size);
  const findings: string[] = [];
  const offsets = readWhole(files.offsets);
  const hashes = readWhole(files.hashes);
  if (scan.size < size) findings.push(`leaf ${scan.size} is missing or not whole; ${size} leaves are signed for`);
  else if (!sameBytes(rootOf(scan, size), checkpoint.root))
    findings.push(`the leaves do not give the signed root${firstDifference(scan, hashes, size)}`);
  compare("offsets", offsets, scan.offsets, scan.size * OFFSET_BYTES, findings);
  compare("hashes", hashes, scan.hashes, nodeCount(scan.size) * HASH_BYTES, findings);
  if (earlier !== undefined) findings.push(...historyFindings(scan, checkpoint, earlier));
  return { checkpoint, scan, findings };
}

/** Throws with the first finding. */
export function assertWhole(files: LedgerFiles, { findings: [first] }: Inspection): void {
  if (first !== undefined) throw damaged(`the ledger ${files.folder}`, "files that agree with the checkpoint", first);
}

const rootOf = (scan: Scan, size: number): Uint8Array => (size === 0 ? emptyRoot() : rangeHash(scan.node, 0, size));

function historyFindings(scan: Scan, now: Checkpoint, earlier: Checkpoint): string[] {
  if (earlier.size > now.size)
    return [`the earlier checkpoint has ${earlier.size} leaves, this one ${now.size}: leaves were cut off`];
  if (earlier.size > scan.size) return [];
  return sameBytes(rootOf(scan, earlier.size), earlier.root)
    ? []
    : [`the first ${earlier.size} leaves are not those of the earlier checkpoint: history was rewritten`];
}

/** Names the leaf, where the stored hashes still know it. */
function firstDifference(scan: Scan, stored: Buffer, size: number): string {
  for (let index = 0; index < size; index++) {
    const at = nodeNumber(0, index) * HASH_BYTES;
    if (!sameBytes(scan.node(0, index), stored.subarray(at, at + HASH_BYTES)))
      return `; leaf ${index} is the first that differs from its stored hash`;
  }
  return "; every leaf has its stored hash: the hashes or the checkpoint were changed too";
}

function compare(name: string, stored: Buffer, computed: Buffer, bytes: number, findings: string[]): void {
  if (stored.length < bytes) findings.push(`${name} ends at byte ${stored.length}; ${bytes} are signed for`);
  else if (!sameBytes(stored.subarray(0, bytes), computed.subarray(0, bytes)))
    findings.push(`${name} is not what the leaves give`);
}
