/**
 * Program-derived addresses at once, without a promise: what a pool's load has to know while it reads (addresses.ts
 * derives for everybody who can wait). As in the runtime: sha256 over seeds, bump, program and a mark, taking the first
 * bump from 255 down whose hash is no point of the curve.
 */
import { createHash } from "node:crypto";
import { base58Decode, base58Encode } from "#core/base58.ts";
import { assert } from "#core/error.ts";
import type { Address } from "#core/units.ts";

const MARK = "ProgramDerivedAddress";
const BUMP_MAX = 255;

/** Curve25519: −x² + y² = 1 + d·x²·y² modulo p. */
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

export function derivedAddress(seeds: readonly (string | Uint8Array)[], program: Address): Address {
  const programBytes = base58Decode(program);
  for (let bump = BUMP_MAX; bump >= 0; bump--) {
    const hash = createHash("sha256");
    for (const seed of seeds) hash.update(seed);
    const digest = hash
      .update(new Uint8Array([bump]))
      .update(programBytes)
      .update(MARK)
      .digest();
    if (!isCurvePoint(digest)) return base58Encode(digest) as Address;
  }
  assert(false, "one of 256 hashes is no point of the curve");
}

/** Whether some x belongs to this y: (y² − 1) / (d·y² + 1) is a square. */
function isCurvePoint(bytes: Uint8Array): boolean {
  const ySquared = (littleEndian(bytes) & ((1n << 255n) - 1n)) ** 2n % P;
  const numerator = (ySquared - 1n + P) % P;
  const denominator = (D * ySquared + 1n) % P;
  return power((numerator * denominator) % P, (P - 1n) / 2n) <= 1n;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
