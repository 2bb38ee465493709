/**
 * Strict Ed25519 (RFC 8032, section 5.1.7, with the rules of dalek's verify_strict). The runtime's own verification
 * checks S < L and compares R as bytes, but takes small-order keys and keys that are not encoded canonically: under a
 * small-order key one signature fits every message. Refused here before the runtime is asked:
 *
 *   S >= L                     the same signature in other bytes
 *   y(A) >= p or y(R) >= p     the same point in other bytes
 *   A or R of small order      the eight points whose order divides 8
 *
 * Accepted, as RFC 8032 allows: a key with a component of small order beside the large one. The equation is the one
 * without the cofactor.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { CONTROL_ERROR } from "./errors.ts";

export const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** The order of the base point. */
const L = (1n << 252n) + 27742317777372353535851937790883648493n;
/** The prime of the field. */
const P = (1n << 255n) - 19n;
const Y_MASK = (1n << 255n) - 1n;
/** The y of the points of order 8 (twice), 4, 1 and 2; each y has a point for either sign of x, or one. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  littleEndian(Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex")),
  littleEndian(Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex")),
  0n,
  1n,
  P - 1n,
]);
/** SubjectPublicKeyInfo and PKCS #8 (RFC 8410) of an Ed25519 key, up to its 32 bytes. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export type VerifyingKey = {
  readonly publicKeyHex: string;
  /** True when the signature is this key's over exactly these bytes, by the strict rule. */
  verifies(message: Uint8Array, signature: Uint8Array): boolean;
};

/** The secret stays inside the KeyObject; nothing here can print it. */
export type SigningKey = {
  readonly publicKeyHex: string;
  sign(message: Uint8Array): Uint8Array;
};

/** Throws a SandpiperError for a public key that the strict rule refuses. */
export function verifyingKey(publicKey: Uint8Array): VerifyingKey {
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw keyError(`a public key of ${PUBLIC_KEY_BYTES} bytes`, `${publicKey.length} bytes`);
  const fault = pointFault(publicKey);
  if (fault !== undefined) throw keyError("a public key that is canonical and of large order", fault);
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  return {
    publicKeyHex: Buffer.from(publicKey).toString("hex"),
    verifies: (message, signature) => verifiesStrictly(key, message, signature),
  };
}

/** Throws a SandpiperError, without the bytes, for a seed of another length. */
export function signingKey(seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_BYTES) throw keyError(`a secret seed of ${SEED_BYTES} bytes`, `${seed.length} bytes`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    publicKeyHex: spki.subarray(-PUBLIC_KEY_BYTES).toString("hex"),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

function verifiesStrictly(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  if (pointFault(signature.subarray(0, 32)) !== undefined) return false;
  return verify(null, message, key, signature);
}

/** What the strict rule has against an encoded point; whether it is on the curve is left to the runtime. */
function pointFault(encoded: Uint8Array): string | undefined {
  const y = littleEndian(encoded) & Y_MASK;
  if (y >= P) return "not canonical";
  return SMALL_ORDER_Y.has(y) ? "of small order" : undefined;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function keyError(want: string, was: string): SandpiperError {
  return new SandpiperError(CONTROL_ERROR.key, `Cannot use an Ed25519 key: ${want}, was ${was}`);
}
