/** Roots and proofs against RFC 6962's own definitions, written down as they stand there and recomputed for every size. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { CompactRange } from "./compact-range.ts";
import { emptyRoot, HASH_BYTES, leafHash, nodeHash } from "./hash.ts";
import { type NodeReader, nodeCount, nodeNumber } from "./node-store.ts";
import { proveConsistency, proveInclusion } from "./prove.ts";
import { verifyConsistency, verifyInclusion } from "./verify.ts";

const SIZE_MAX = 300;
const data = Array.from({ length: SIZE_MAX }, (_, i) => new TextEncoder().encode(`leaf ${i}`));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const roots = new Map<string, Uint8Array>();
/** MTH(D[start:end]) of section 2.1, remembered. */
function naiveRoot(start: number, end: number): Uint8Array {
  const name = `${start}-${end}`;
  const known = roots.get(name);
  if (known !== undefined) return known;
  let root = emptyRoot();
  if (end - start === 1) root = leafHash(data[start] as Uint8Array);
  else if (end > start) {
    const k = start + 2 ** (31 - Math.clz32(end - start - 1));
    root = nodeHash(naiveRoot(start, k), naiveRoot(k, end));
  }
  roots.set(name, root);
  return root;
}

const stored: Uint8Array[] = [];
const range = new CompactRange();
const rangeRoots = [range.root()];
for (const leaf of data) {
  range.append(leafHash(leaf), (hash) => stored.push(hash));
  rangeRoots.push(range.root());
}
const node: NodeReader = (level, index) => stored[nodeNumber(level, index)] as Uint8Array;
const rootOf = (size: number): Uint8Array => rangeRoots[size] as Uint8Array;

test("hashes are RFC 6962's: the empty tree and the empty leaf", () => {
  expect(hex(emptyRoot())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(hex(leafHash(new Uint8Array()))).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
});

test("CompactRange gives the naive root for every size from 0 to 300", () => {
  for (let size = 0; size <= SIZE_MAX; size++) expect(hex(rootOf(size))).toBe(hex(naiveRoot(0, size)));
});

test("nodeNumber() finds every complete subtree where it was stored", () => {
  expect(stored.length).toBe(nodeCount(SIZE_MAX));
  for (let level = 0; 2 ** level <= SIZE_MAX; level++)
    for (let index = 0; (index + 1) * 2 ** level <= SIZE_MAX; index++)
      expect(hex(node(level, index))).toBe(hex(naiveRoot(index * 2 ** level, (index + 1) * 2 ** level)));
});

const inclusion = (index: number, size: number) => ({
  index: BigInt(index),
  size: BigInt(size),
  leafHash: leafHash(data[index] as Uint8Array),
  root: rootOf(size),
  proof: proveInclusion(node, index, size),
});
const consistency = (size1: number, size2: number) => ({
  size1: BigInt(size1),
  size2: BigInt(size2),
  root1: rootOf(size1),
  root2: rootOf(size2),
  proof: proveConsistency(node, size1, size2),
});

test("every leaf of every size up to 300 has an inclusion proof, and it is PATH of section 2.1.1", () => {
  const path = (index: number, start: number, end: number): string[] => {
    if (end - start === 1) return [];
    const k = start + 2 ** (31 - Math.clz32(end - start - 1));
    return index < k
      ? [...path(index, start, k), hex(naiveRoot(k, end))]
      : [...path(index, k, end), hex(naiveRoot(start, k))];
  };
  let wrong = 0;
  for (let size = 1; size <= SIZE_MAX; size++)
    for (let index = 0; index < size; index++) {
      const claim = inclusion(index, size);
      if (!verifyInclusion(claim) || claim.proof.map(hex).join() !== path(index, 0, size).join()) wrong += 1;
    }
  expect(wrong).toBe(0);
}, 60_000);

test("every pair of sizes up to 300 has a consistency proof", () => {
  let wrong = 0;
  for (let size2 = 1; size2 <= SIZE_MAX; size2++)
    for (let size1 = 1; size1 <= size2; size1++) if (!verifyConsistency(consistency(size1, size2))) wrong += 1;
  expect(wrong).toBe(0);
}, 60_000);

const places = fc
  .tuple(fc.integer({ min: 1, max: SIZE_MAX }), fc.nat(), fc.nat())
  .map(([size, a, b]) => ({ size, index: a % size, earlier: 1 + (b % size) }));

test("verifyInclusion() refuses a proof with any bit, place, size or length changed", () => {
  fc.assert(
    fc.property(places, fc.nat(), ({ size, index }, pick) => {
      const claim = inclusion(index, size);
      const flip = (hash: Uint8Array) =>
        hash.map((byte, i) => (i === pick % HASH_BYTES ? byte ^ (1 << (pick % 8)) : byte));
      const at = claim.proof.length === 0 ? -1 : pick % claim.proof.length;
      expect(verifyInclusion({ ...claim, leafHash: flip(claim.leafHash) })).toBe(false);
      expect(verifyInclusion({ ...claim, root: flip(claim.root) })).toBe(false);
      expect(verifyInclusion({ ...claim, index: claim.index + BigInt(size) })).toBe(false);
      expect(verifyInclusion({ ...claim, proof: [...claim.proof, claim.root] })).toBe(false);
      if (at < 0) return;
      expect(verifyInclusion({ ...claim, proof: claim.proof.map((hash, i) => (i === at ? flip(hash) : hash)) })).toBe(
        false,
      );
      expect(verifyInclusion({ ...claim, proof: claim.proof.slice(0, -1) })).toBe(false);
      expect(
        verifyInclusion({ ...claim, proof: claim.proof.map((hash, i) => (i === at ? hash.slice(1) : hash)) }),
      ).toBe(false);
    }),
  );
});

test("verifyConsistency() refuses a proof with any bit, size or length changed", () => {
  fc.assert(
    fc.property(places, fc.nat(), ({ size, earlier }, pick) => {
      const claim = consistency(earlier, size);
      const flip = (hash: Uint8Array) =>
        hash.map((byte, i) => (i === pick % HASH_BYTES ? byte ^ (1 << (pick % 8)) : byte));
      expect(verifyConsistency({ ...claim, root1: flip(claim.root1) })).toBe(false);
      expect(verifyConsistency({ ...claim, root2: flip(claim.root2) })).toBe(false);
      expect(verifyConsistency({ ...claim, proof: [...claim.proof, claim.root1] })).toBe(false);
      if (earlier === size) return;
      expect(verifyConsistency({ ...claim, size1: claim.size2, size2: claim.size1 })).toBe(false);
      expect(verifyConsistency({ ...claim, proof: [] })).toBe(false);
      const at = pick % claim.proof.length;
      expect(verifyConsistency({ ...claim, proof: claim.proof.map((hash, i) => (i === at ? flip(hash) : hash)) })).toBe(
        false,
      );
    }),
  );
});

test("proofs of what is not there are refused", () => {
  expect(() => proveInclusion(node, 5, 5)).toThrow("an index below the size 5, was 5");
  expect(() => proveInclusion(node, -1, 5)).toThrow("was -1");
  expect(() => proveConsistency(node, 0, 5)).toThrow("from 1 to 5, was 0");
  expect(() => proveConsistency(node, 6, 5)).toThrow("was 6");
});
