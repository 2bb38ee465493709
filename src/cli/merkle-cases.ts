/**
 * The JSON form of github.com/transparency-dev/merkle, testdata/inclusion and testdata/consistency: one object a file.
 *
 *   inclusion     leafIdx, treeSize, root, leafHash, proof, desc, wantErr
 *   consistency   size1, size2, root1, root2, proof, desc, wantErr
 *
 * Sizes are whole numbers of 64 bits, beyond a double's reach: they are read as they are written. Hashes are base64 of
 * any length, null counts as empty; more fields are passed over.
 */
import { SandpiperError } from "#core/error.ts";
import { verifyConsistency, verifyInclusion } from "#ledger/verify.ts";
import { CLI_ERROR } from "./errors.ts";

export type MerkleCase = {
  readonly kind: "inclusion" | "consistency";
  readonly wantError: boolean;
  /** How a mismatch is named. */
  readonly about: string;
  verify(): boolean;
};

/** "subtree" for the proofs about subtrees, which are another form. Throws for what is neither. */
export function readMerkleCase(text: string): MerkleCase | "subtree" {
  const fields = readObject(text);
  if ("start" in fields && "end" in fields) return "subtree";
  const { wantErr: wantError, desc: about } = fields;
  if (typeof wantError !== "boolean" || typeof about !== "string") return refuse("desc and wantErr", "not there");
  const proof = hashes(fields["proof"]);
  if ("leafIdx" in fields) {
    const claim = {
      index: size(fields["leafIdx"]),
      size: size(fields["treeSize"]),
      leafHash: hash(fields["leafHash"]),
      root: hash(fields["root"]),
      proof,
    };
    return { kind: "inclusion", wantError, about, verify: () => verifyInclusion(claim) };
  }
  const claim = {
    size1: size(fields["size1"]),
    size2: size(fields["size2"]),
    root1: hash(fields["root1"]),
    root2: hash(fields["root2"]),
    proof,
  };
  return { kind: "consistency", wantError, about, verify: () => verifyConsistency(claim) };
}

function readObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    // The third argument is the number as it is written, which the library's type does not know yet.
    const exact = (_: string, item: unknown, context?: { readonly source?: string }): unknown =>
      typeof item === "number" ? (context?.source ?? item) : item;
    value = JSON.parse(text, exact as (key: string, item: unknown) => unknown);
  } catch {
    refuse("JSON", "something else");
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? // An object out of JSON has only own fields of unknown content.
      (value as Record<string, unknown>)
    : refuse("an object", "something else");
}

function size(value: unknown): bigint {
  const read = typeof value === "string" && /^[0-9]{1,20}$/.test(value) ? BigInt(value) : -1n;
  return read >= 0n && read < 1n << 64n ? read : refuse("sizes of 64 bits", `${value}`.slice(0, 40));
}

function hash(value: unknown): Uint8Array {
  if (value === null) return new Uint8Array();
  const bytes = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
  return bytes?.toString("base64") === value && bytes !== undefined ? bytes : refuse("hashes in base64", "not");
}

const hashes = (value: unknown): readonly Uint8Array[] =>
  value === null ? [] : Array.isArray(value) ? value.map(hash) : refuse("a list of hashes", "not");

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.merkleCases, `Cannot read a Merkle case: ${want}, was ${was}`);
}
