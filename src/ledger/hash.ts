/**
 * The hashes of RFC 6962, section 2.1: SHA-256 with one byte in front that keeps leaves and inner nodes apart, so that no
 * leaf can be passed off as a node.
 *
 *   leaf    SHA-256(0x00 ‖ data)
 *   node    SHA-256(0x01 ‖ left ‖ right)
 *   empty   SHA-256()
 */
import { createHash } from "node:crypto";

export const HASH_BYTES = 32;
const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

export const leafHash = (data: Uint8Array): Uint8Array =>
  createHash("sha256").update(LEAF_PREFIX).update(data).digest();

export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  createHash("sha256").update(NODE_PREFIX).update(left).update(right).digest();

/** The root of a tree without leaves. */
export const emptyRoot = (): Uint8Array => createHash("sha256").digest();

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
