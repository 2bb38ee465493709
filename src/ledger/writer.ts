/**
 * Appends to a ledger's folder. append() returns when its leaves are on disk under a newly signed checkpoint; whatever is
 * killed before that leaves at most one batch beyond the old one. Opening checks the whole folder first, so that nobody's
 * edit is ever signed; then it cuts off what lies beyond the checkpoint, whole lines too: they were never acknowledged, so
 * their caller tries again, and lines that somebody else put there are never signed for.
 */
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { type Checkpoint, signCheckpoint } from "./checkpoint.ts";
import type { CompactRange } from "./compact-range.ts";
import { encodeEntry, type LedgerEntry } from "./entry.ts";
import { LEDGER_ERROR } from "./errors.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_LEAVES_MAX,
  damaged,
  LEAVES_MAX,
  type LedgerFiles,
  ledgerFiles,
  OFFSET_BYTES,
  offsetBytes,
  syncFolder,
  writeAt,
} from "./files.ts";
import { emptyRoot, HASH_BYTES, leafHash } from "./hash.ts";
import { assertWhole, type Inspection, inspectLedger } from "./inspect.ts";
import { lockFolder } from "./lock.ts";
import { nodeCount } from "./node-store.ts";
import type { NoteSigner } from "./note.ts";

/** Opens the folder, or begins one with a checkpoint of no leaves. Rejects while another process has it. */
export async function openLedgerWriter(folder: string, signer: NoteSigner): Promise<LedgerWriter> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = await lockFolder(folder);
  try {
    const files = ledgerFiles(folder);
    if (!existsSync(files.checkpoint)) begin(files, signer);
    const inspection = inspectLedger(files, signer.verifier);
    assertWhole(files, inspection);
    assertOneBatch(files, inspection);
    return new LedgerWriter(files, signer, inspection, release);
  } catch (thrown) {
    release();
    throw thrown;
  }
}

export class LedgerWriter {
  /** Bytes of an unsigned batch that opening cut off: 0 unless a writer died. */
  readonly cutBytes: number;
  readonly #files: LedgerFiles;
  readonly #signer: NoteSigner;
  readonly #release: () => void;
  readonly #range: CompactRange;
  readonly #leaves: number;
  readonly #offsets: number;
  readonly #hashes: number;
  #leavesBytes: number;
  /** Set by a failed write: what is on disk is known again only after opening anew. */
  #failed = false;

  constructor(files: LedgerFiles, signer: NoteSigner, inspection: Inspection, release: () => void) {
    const { scan, checkpoint } = inspection;
    this.#files = files;
    this.#signer = signer;
    this.#release = release;
    this.#range = scan.range;
    this.#leaves = openSync(files.leaves, "r+");
    this.#offsets = openSync(files.offsets, "r+");
    this.#hashes = openSync(files.hashes, "r+");
    this.#leavesBytes = scan.fileBytes - scan.tailBytes;
    this.cutBytes = scan.tailBytes;
    if (this.cutBytes > 0) ftruncateSync(this.#leaves, this.#leavesBytes);
    replaceFrom(this.#offsets, scan.offsets, checkpoint.size * OFFSET_BYTES);
    replaceFrom(this.#hashes, scan.hashes, nodeCount(checkpoint.size) * HASH_BYTES);
    this.#sync();
  }

  get size(): number {
    return this.#range.size;
  }

  /** Durable and signed when it returns. Throws for a bad entry before anything is written. */
  append(entries: readonly LedgerEntry[]): Checkpoint {
    const leaves = entries.map(encodeEntry);
    this.#assertFits(leaves);
    // Until the end: a throw in between leaves the files in a state that only opening can tell.
    this.#failed = true;
    const from = this.#range.size;
    let end = this.#leavesBytes;
    const offsets: Uint8Array[] = [];
    const hashes: Uint8Array[] = [];
    for (const leaf of leaves) {
      end += leaf.length + 1;
      offsets.push(offsetBytes(end));
      this.#range.append(leafHash(leaf), (hash) => hashes.push(hash));
    }
    try {
      writeAt(this.#leaves, Buffer.concat(leaves.flatMap((leaf) => [leaf, LINE_FEED])), this.#leavesBytes);
      writeAt(this.#offsets, Buffer.concat(offsets), from * OFFSET_BYTES);
      writeAt(this.#hashes, Buffer.concat(hashes), nodeCount(from) * HASH_BYTES);
      this.#sync();
      this.#leavesBytes = end;
      const checkpoint = this.#sign();
      this.#failed = false;
      return checkpoint;
    } catch (cause) {
      const text = `Cannot append to ${this.#files.folder}: a disk that takes it, was ${errorText(cause)}`;
      throw new SandpiperError(LEDGER_ERROR.write, text, "later", { cause });
    }
  }

  close(): void {
    for (const file of [this.#leaves, this.#offsets, this.#hashes]) closeSync(file);
    this.#release();
  }

  #assertFits(leaves: readonly Uint8Array[]): void {
    const refuse = (want: string, was: string): never => {
      throw new SandpiperError(LEDGER_ERROR.write, `Cannot append to ${this.#files.folder}: ${want}, was ${was}`);
    };
    if (this.#failed) refuse("a writer whose last append succeeded", "one that failed: open it again");
    if (leaves.length < 1 || leaves.length > BATCH_LEAVES_MAX)
      refuse(`1 to ${BATCH_LEAVES_MAX} leaves`, `${leaves.length}`);
    const bytes = leaves.reduce((sum, leaf) => sum + leaf.length + 1, 0);
    if (bytes > BATCH_BYTES_MAX) refuse(`at most ${BATCH_BYTES_MAX} bytes at once`, `${bytes}`);
    if (this.size + leaves.length > LEAVES_MAX) refuse(`at most ${LEAVES_MAX} leaves`, `${this.size + leaves.length}`);
    const onDisk = fstatSync(this.#leaves).size;
    if (onDisk !== this.#leavesBytes)
      refuse(`leaves of ${this.#leavesBytes} bytes as this writer left them`, `${onDisk}`);
  }

  #sync(): void {
    for (const file of [this.#leaves, this.#offsets, this.#hashes]) fsyncSync(file);
  }

  #sign(): Checkpoint {
    const { size } = this.#range;
    const root = this.#range.root();
    writeFileAtomic(this.#files.checkpoint, signCheckpoint(size, root, this.#signer));
    syncFolder(this.#files.folder);
    return { origin: this.#signer.verifier.name, size, root };
  }
}

const LINE_FEED = Uint8Array.of(10);

/** The checkpoint comes last: a folder without one holds nothing yet, and one with leaves but no checkpoint is refused. */
function begin(files: LedgerFiles, signer: NoteSigner): void {
  for (const path of [files.leaves, files.offsets, files.hashes]) {
    const file = openSync(path, "a", 0o600);
    const { size } = fstatSync(file);
    closeSync(file);
    if (size > 0) throw damaged(files.folder, "a checkpoint beside its leaves", "none");
  }
  writeFileAtomic(files.verifier, `${signer.verifier.text}\n`);
  writeFileAtomic(files.checkpoint, signCheckpoint(0, emptyRoot(), signer));
  syncFolder(files.folder);
}

/** More than one batch without a signature is no crash: somebody put an old checkpoint back. */
function assertOneBatch(files: LedgerFiles, { scan: { tailBytes } }: Inspection): void {
  if (tailBytes > BATCH_BYTES_MAX)
    throw damaged(
      `the ledger ${files.folder}`,
      `at most one batch of ${BATCH_BYTES_MAX} bytes beyond its checkpoint`,
      `${tailBytes}`,
    );
}

function replaceFrom(file: number, computed: Buffer, position: number): void {
  ftruncateSync(file, position);
  writeAt(file, computed.subarray(position), position);
}
