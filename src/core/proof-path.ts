/**
 * The way of a Merkle proof from its first node up to the root, without a hash: what a verifier on the box and one in a
 * browser, which hash by different means, have to agree on.
 */

/** Which side of what was hashed so far a hash of the proof stands on. */
export type Side = "left" | "right";

/**
 * The sides of the `length` hashes of a proof that begins at `place` of a level whose last place is `last` (RFC 9162,
 * sections 2.1.3.2 and 2.1.4.2). Undefined when a proof of that length does not end at the root.
 */
export function proofSides(place: bigint, last: bigint, length: number): readonly Side[] | undefined {
  const sides: Side[] = [];
  while (sides.length < length) {
    if (last === 0n) return undefined;
    if (isOdd(place) || place === last) {
      sides.push("left");
      // The lone right edge has no sibling on these levels.
      while (!isOdd(place) && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else sides.push("right");
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last === 0n ? sides : undefined;
}

export const isOdd = (value: bigint): boolean => (value & 1n) === 1n;
