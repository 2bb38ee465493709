/**
 * Reads a ledger's folder, while a writer is at it or long after: only what the signed checkpoint covers, so never half a
 * leaf. Every proof is checked against the signed root before it is handed out; a folder with changed hashes gives none.
 */
import { closeSync, openSync } from "node:fs";
import { errorText } from "#core/error.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { ENTRY_BYTES_MAX } from "./entry.ts";
import { damaged, type LedgerFiles, ledgerFiles, OFFSET_BYTES, readAt, readWhole } from "./files.ts";
import { emptyRoot, HASH_BYTES, leafHash } from "./hash.ts";
import { type NodeReader, nodeNumber } from "./node-store.ts";
import type { NoteVerifier } from "./note.ts";
import { proveConsistency, proveInclusion, rangeHash } from "./prove.ts";
import { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from "./verify.ts";

export class LedgerReader {
  readonly checkpoint: Checkpoint;
  readonly #files: LedgerFiles;
  readonly #leaves: number;
  readonly #offsets: number;
  readonly #hashes: number;

  /** What the folder's checkpoint covers now; open another reader to see more. */
  constructor(folder: string, trusted: NoteVerifier) {
    this.#files = ledgerFiles(folder);
    this.checkpoint = openCheckpoint(readWhole(this.#files.checkpoint), trusted);
    const open = (path: string): number => {
      try {
        return openSync(path, "r");
      } catch (cause) {
        throw damaged(path, "a readable file", errorText(cause));
      }
    };
    this.#leaves = open(this.#files.leaves);
    this.#offsets = open(this.#files.offsets);
    this.#hashes = open(this.#files.hashes);
  }

  /** The bytes of a leaf, proven to be at that place. */
  leaf(index: number): { readonly bytes: Uint8Array; readonly claim: InclusionClaim } {
    const { size, root } = this.checkpoint;
    const proof = proveInclusion(this.#node, index, size);
    const bytes = this.#line(index);
    const claim = { index: BigInt(index), size: BigInt(size), leafHash: leafHash(bytes), root, proof };
    if (!verifyInclusion(claim)) throw damaged(`leaf ${index} of ${this.#files.folder}`, "a proof to the root", "none");
    return { bytes, claim };
  }

  /** That the first `size1` leaves are the beginning of what is signed now. */
  consistency(size1: number): ConsistencyClaim {
    const { size, root } = this.checkpoint;
    const proof = proveConsistency(this.#node, size1, size);
    const root1 = size1 === 0 ? emptyRoot() : rangeHash(this.#node, 0, size1);
    const claim = { size1: BigInt(size1), size2: BigInt(size), root1, root2: root, proof };
    if (!verifyConsistency(claim)) throw damaged(this.#files.folder, "hashes that give the signed root", "others");
    return claim;
  }

  close(): void {
    for (const file of [this.#leaves, this.#offsets, this.#hashes]) closeSync(file);
  }

  readonly #node: NodeReader = (level, index) =>
    readAt(this.#hashes, nodeNumber(level, index) * HASH_BYTES, HASH_BYTES, this.#files.hashes);

  #line(index: number): Uint8Array {
    const endOf = (leaf: number): number =>
      Number(readAt(this.#offsets, leaf * OFFSET_BYTES, OFFSET_BYTES, this.#files.offsets).readBigUInt64BE());
    const start = index === 0 ? 0 : endOf(index - 1);
    const length = endOf(index) - 1 - start;
    if (length < 0 || length > ENTRY_BYTES_MAX)
      throw damaged(this.#files.offsets, `leaf ${index} of at most ${ENTRY_BYTES_MAX} bytes`, `${length}`);
    return readAt(this.#leaves, start, length, this.#files.leaves);
  }
}
