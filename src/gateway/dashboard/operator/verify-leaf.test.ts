import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { leafIsIn } from "./verify-leaf.ts";

const sha256 = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leafHash = (text: string) => sha256(Uint8Array.of(0), Buffer.from(text));
const nodeHash = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);
const text64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

// RFC 6962's tree of three leaves: the third stands alone on the lowest level.
const [a, b, c] = [leafHash("a"), leafHash("b"), leafHash("c")];
const root = text64(nodeHash(nodeHash(a, b), c));
const claims = [
  { index: 0, leaf: "a", proof: [b, c] },
  { index: 1, leaf: "b", proof: [a, c] },
  { index: 2, leaf: "c", proof: [nodeHash(a, b)] },
].map(({ proof, ...claim }) => ({ ...claim, size: 3, root, leaf_hash: "", proof: proof.map(text64) }));

test.each(claims)(
  "leafIsIn() takes leaf $index of three, and not at another place, size, length or text",
  async (claim) => {
    expect(await leafIsIn(claim)).toBe(true);
    for (const differs of [
      { index: (claim.index + 1) % 3 },
      { index: claim.index + 3 },
      { size: 5 },
      { leaf: `${claim.leaf}x` },
      { proof: [...claim.proof, claim.root] },
      { proof: claim.proof.slice(1) },
    ])
      expect(await leafIsIn({ ...claim, ...differs })).toBe(false);
  },
);

test("leafIsIn() takes no leaf beyond the only one", async () => {
  const only = { index: 0, size: 1, leaf: "a", leaf_hash: "", root: text64(a), proof: [] };
  expect(await leafIsIn(only)).toBe(true);
  expect(await leafIsIn({ ...only, index: 1 })).toBe(false);
});
