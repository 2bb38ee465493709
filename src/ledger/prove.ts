/**
 * Inclusion and consistency proofs, RFC 6962 sections 2.1.1 and 2.1.2, from the hashes of complete subtrees. Both answer
 * for any size up to what is stored, so that old checkpoints can be proved too. Hashes go from the leaves to the root.
 */
import { SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";
import { nodeHash } from "./hash.ts";
import type { NodeReader } from "./node-store.ts";

type Hashes = readonly Uint8Array[];

/** That leaf `index` is in the tree of the first `size` leaves: PATH(index, D[size]). */
export function proveInclusion(node: NodeReader, index: number, size: number): Hashes {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new SandpiperError(LEDGER_ERROR.range, `Cannot prove a leaf: an index below the size ${size}, was ${index}`);
  const path = (start: number, end: number): Hashes => {
    if (end - start === 1) return [];
    const split = start + splitOf(end - start);
    return index < split
      ? [...path(start, split), rangeHash(node, split, end)]
      : [...path(split, end), rangeHash(node, start, split)];
  };
  return path(0, size);
}

/** That the tree of `size1` leaves is the beginning of the tree of `size2`: PROOF(size1, D[size2]). */
export function proveConsistency(node: NodeReader, size1: number, size2: number): Hashes {
  if (!Number.isSafeInteger(size1) || size1 < 1 || size1 > size2)
    throw new SandpiperError(
      LEDGER_ERROR.range,
      `Cannot prove consistency: an earlier size from 1 to ${size2}, was ${size1}`,
    );
  // `known` says that the verifier has this very subtree's hash already: it is the root of size1.
  const subproof = (start: number, end: number, known: boolean): Hashes => {
    if (size1 === end) return known ? [] : [rangeHash(node, start, end)];
    const split = start + splitOf(end - start);
    return size1 <= split
      ? [...subproof(start, split, known), rangeHash(node, split, end)]
      : [...subproof(split, end, false), rangeHash(node, start, split)];
  };
  return subproof(0, size2, true);
}

/** The root of leaves [start, end), where start is a multiple of the largest power of two that fits. */
export function rangeHash(node: NodeReader, start: number, end: number): Uint8Array {
  const leaves = end - start;
  const level = Math.log2(leaves);
  if (Number.isInteger(level)) return node(level, start / leaves);
  const split = start + splitOf(leaves);
  return nodeHash(rangeHash(node, start, split), rangeHash(node, split, end));
}

/** The largest power of two below `leaves`. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}
