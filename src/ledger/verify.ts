/**
 * Checking proofs, RFC 9162 sections 2.1.3.2 and 2.1.4.2. Needs nothing but the hashes that are handed in: this is what an
 * auditor runs, so sizes are the 64 bits that foreign proofs may have. Every answer but true is a refusal.
 */
import { isOdd, proofSides } from "#core/proof-path.ts";
import { HASH_BYTES, nodeHash, sameBytes } from "./hash.ts";

export type InclusionClaim = {
  readonly index: bigint;
  readonly size: bigint;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

export type ConsistencyClaim = {
  readonly size1: bigint;
  readonly size2: bigint;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** True when the leaf is at that place of the tree with that root. */
export function verifyInclusion({ index, size, leafHash, root, proof }: InclusionClaim): boolean {
  if (index < 0n || index >= size || leafHash.length !== HASH_BYTES || !areHashes(proof)) return false;
  const sides = proofSides(index, size - 1n, proof.length);
  if (sides === undefined) return false;
  const hash = proof.reduce(
    (below, sibling, i) => (sides[i] === "left" ? nodeHash(sibling, below) : nodeHash(below, sibling)),
    leafHash,
  );
  return sameBytes(hash, root);
}

/**
 * True when the tree with root1 is the beginning of the tree with root2. From an empty tree nothing follows: size1 of 0 is
 * refused, as transparency-dev does, so that nobody takes it for evidence.
 */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (size1 < 1n || size1 > size2 || !areHashes(proof)) return false;
  if (size1 === size2) return proof.length === 0 && sameBytes(root1, root2);
  if (proof.length === 0) return false;
  // A complete first tree is a node of the second: the proof leaves its hash out.
  const [first, ...rest] = (size1 & (size1 - 1n)) === 0n ? [root1, ...proof] : proof;
  if (first === undefined) return false;
  let place = size1 - 1n;
  let last = size2 - 1n;
  while (isOdd(place)) [place, last] = [place >> 1n, last >> 1n];
  const sides = proofSides(place, last, rest.length);
  if (sides === undefined) return false;
  let [hash1, hash2] = [first, first];
  for (const [i, sibling] of rest.entries())
    if (sides[i] === "left") {
      hash1 = nodeHash(sibling, hash1);
      hash2 = nodeHash(sibling, hash2);
    } else hash2 = nodeHash(hash2, sibling);
  return sameBytes(hash1, root1) && sameBytes(hash2, root2);
}

const areHashes = (proof: readonly Uint8Array[]): boolean => proof.every((hash) => hash.length === HASH_BYTES);
