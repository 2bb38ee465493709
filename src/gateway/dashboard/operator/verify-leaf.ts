/**
 * Checks in the browser what the gateway says of the ledger: that a leaf is in the tree (RFC 9162, 2.1.3.2), and that the
 * root is what the ledger's key has signed (a signed note of golang.org/x/mod/sumdb/note). Nothing of the answer is
 * believed but the verifier key, which is shown so that it can be compared with one from elsewhere.
 */
import { proofSides } from "#core/proof-path.ts";

export type Inclusion = {
  readonly index: number;
  readonly size: number;
  /** Base64, as leaf_hash and the proof. */
  readonly root: string;
  readonly leaf: string;
  readonly leaf_hash: string;
  readonly proof: readonly string[];
};
export type SignedRoot = {
  readonly root: string;
  readonly size: number;
  readonly note: string;
  readonly verifier: string;
};

type Bytes = Uint8Array<ArrayBuffer>;

/** Whether hashing the leaf up its proof gives the root. */
export async function leafIsIn({ index, size, root, leaf, proof }: Inclusion): Promise<boolean> {
  const sides = index < size ? proofSides(BigInt(index), BigInt(size - 1), proof.length) : undefined;
  if (sides === undefined) return false;
  let hash = await sha256(joined(Uint8Array.of(0), new TextEncoder().encode(leaf)));
  for (const [i, sibling] of proof.map(bytesOf).entries())
    hash = await sha256(joined(Uint8Array.of(1), ...(sides[i] === "left" ? [sibling, hash] : [hash, sibling])));
  return text64(hash) === root;
}

/** Whether the note says this size and root and bears the verifier's signature. */
export async function rootIsSigned({ root, size, note, verifier }: SignedRoot): Promise<boolean> {
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  const [, saidSize, saidRoot] = text.split("\n");
  if (split < 0 || saidSize !== String(size) || saidRoot !== root) return false;
  const [name, , ...key64] = verifier.split("+");
  // The first byte of the key names its algorithm.
  const raw = bytesOf(key64.join("+")).slice(1);
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  for (const line of note.slice(split + 2).split("\n")) {
    const [dash, signer, signature] = line.split(" ");
    if (dash !== "—" || signer !== name || signature === undefined) continue;
    return await crypto.subtle.verify("Ed25519", key, bytesOf(signature).slice(4), new TextEncoder().encode(text));
  }
  return false;
}

const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const bytesOf = (base64: string): Bytes => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const text64 = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes));
