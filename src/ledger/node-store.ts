/**
 * Where the hash of a complete subtree stands in the append-only file of hashes. A node is numbered when it becomes
 * complete: leaf, then the parents it completes.
 *
 *   leaves      0   1       2   3           4
 *   order       0   1 ·2·   3   4 ·5· ·6·   7       (·2· is the parent of 0 and 1, ·6· of 2 and 5)
 *
 * Node (level, index) covers leaves [index · 2^level, (index + 1) · 2^level). Sizes are safe integers: 2^53 is out of reach.
 */

/** Reads the hash of a complete subtree. */
export type NodeReader = (level: number, index: number) => Uint8Array;

/** Nodes that are complete once there are `size` leaves. */
export function nodeCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest;
  return count;
}

/** The number of node (level, index). */
export function nodeNumber(level: number, index: number): number {
  // It follows its last leaf by `level` places, and all nodes that were complete before that leaf come first.
  const lastLeaf = (index + 1) * 2 ** level - 1;
  return nodeCount(lastLeaf) + level;
}
