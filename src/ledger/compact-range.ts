/**
 * The right edge of a growing Merkle tree: one hash per complete subtree, largest first. It is all that appending needs,
 * and its size is the number of one bits in the leaf count. Every node that becomes complete is handed out once, in the
 * order in which node-store.ts numbers them: a leaf, then the parents that it completes.
 */
import { emptyRoot, nodeHash } from "./hash.ts";

export class CompactRange {
  #size = 0;
  readonly #peaks: Uint8Array[] = [];

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array, onNode: (hash: Uint8Array) => void): void {
    onNode(leaf);
    let node = leaf;
    // Leaf n completes one parent for each one bit that n ends in.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#peaks.pop();
      if (left === undefined) break;
      node = nodeHash(left, node);
      onNode(node);
    }
    this.#peaks.push(node);
    this.#size += 1;
  }

  /** RFC 6962's MTH: the edge folded from the right. */
  root(): Uint8Array {
    return this.#peaks.length === 0 ? emptyRoot() : this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}
