/**
 * The ledger at 100,000 leaves: appending in batches and one by one (each append is on disk and signed when it returns),
 * proving, checking a proof, opening and checking the whole folder. Compared with the same bytes appended to a plain file
 * with one fsync a batch: what proof costs over a plain log.
 *
 *   bun bench/ledger.ts [leaves = 100000]
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEntry } from "#ledger/entry.ts";
import { BATCH_LEAVES_MAX, ledgerFiles } from "#ledger/files.ts";
import { inspectLedger } from "#ledger/inspect.ts";
import { generateSignerKey, readSignerKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import { testEntries } from "#ledger/test-entries.ts";
import { verifyInclusion } from "#ledger/verify.ts";
import { openLedgerWriter } from "#ledger/writer.ts";
import { machine, median, short, table } from "./report.ts";

const LEAVES = Number(process.argv[2] ?? 100_000);
const SINGLES = 200;
const PROOFS = 2_000;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-ledger-"));
const signer = readSignerKey(generateSignerKey("bench/ledger"));
const rows: string[][] = [];

/** Milliseconds of each call. */
function times(calls: number, call: (index: number) => void): number[] {
  return Array.from({ length: calls }, (_, index) => {
    const before = Bun.nanoseconds();
    call(index);
    return (Bun.nanoseconds() - before) / 1e6;
  });
}

function report(what: string, each: readonly number[], leavesPerCall: number): void {
  const total = each.reduce((sum, one) => sum + one, 0);
  const p99 = each.toSorted((x, y) => x - y)[Math.floor(each.length * 0.99)] ?? 0;
  rows.push([what, short(median(each)), short(p99), short((each.length * leavesPerCall * 1_000) / total)]);
}

try {
  const path = join(folder, "ledger");
  const batches = Math.floor(LEAVES / BATCH_LEAVES_MAX);
  const batch = (index: number) => testEntries(index * BATCH_LEAVES_MAX, (index + 1) * BATCH_LEAVES_MAX);
  const plain = openSync(join(folder, "plain"), "a");
  const plainly = (entries: ReturnType<typeof batch>) => {
    writeSync(plain, Buffer.concat(entries.flatMap((entry) => [encodeEntry(entry), Buffer.from("\n")])));
    fsyncSync(plain);
  };
  report(
    `plain file, ${BATCH_LEAVES_MAX} lines`,
    times(batches, (index) => plainly(batch(index))),
    BATCH_LEAVES_MAX,
  );
  report(
    "plain file, 1 line",
    times(SINGLES, (index) => plainly(testEntries(index, index + 1))),
    1,
  );
  closeSync(plain);
  const writer = await openLedgerWriter(path, signer);
  report(
    `append ${BATCH_LEAVES_MAX}`,
    times(batches, (index) => writer.append(batch(index))),
    BATCH_LEAVES_MAX,
  );
  writer.append(testEntries(writer.size, LEAVES));
  report(
    "append 1",
    times(SINGLES, (index) => writer.append(testEntries(LEAVES + index, LEAVES + index + 1))),
    1,
  );
  const { size } = writer;
  writer.close();
  const reader = new LedgerReader(path, signer.verifier);
  const place = (index: number) => (index * 7_919) % size;
  report(
    "prove a leaf",
    times(PROOFS, (index) => void reader.leaf(place(index))),
    1,
  );
  report(
    "prove consistency",
    times(PROOFS, (index) => void reader.consistency(1 + place(index))),
    1,
  );
  const { claim } = reader.leaf(place(1));
  report(
    "check a proof",
    times(PROOFS, () => void verifyInclusion(claim)),
    1,
  );
  reader.close();
  report(
    "check the folder",
    times(3, () => void inspectLedger(ledgerFiles(path), signer.verifier)),
    size,
  );
  process.stdout.write(
    `${table(["what", "median, ms", "p99, ms", "leaves/s"], rows)}\n\n${size} leaves. ${machine()}\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
