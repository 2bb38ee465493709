/** `judge merkle` on cases of our own making in transparency-dev's form, right ones and wrong ones. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runJudge } from "./judge.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-merkle-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
});

// Three leaves a, b, c by hand, so that these cases do not rest on the code that they judge.
const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const leaf = (text: string): Buffer => sha256(Buffer.from([0]), Buffer.from(text));
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.from([1]), left, right);
const [a, b, c] = [leaf("a"), leaf("b"), leaf("c")];
const ab = node(a, b);
const abc = node(ab, c);
const base64 = (hash: Buffer): string => hash.toString("base64");

const INCLUSION = {
  leafIdx: 1,
  treeSize: 3,
  root: base64(abc),
  leafHash: base64(b),
  proof: [base64(a), base64(c)],
  desc: "b of three",
  wantErr: false,
};
const CONSISTENCY = {
  size1: 2,
  size2: 3,
  root1: base64(ab),
  root2: base64(abc),
  proof: [base64(c)],
  desc: "two of three",
  wantErr: false,
};

async function judge(files: Readonly<Record<string, unknown>>) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  let said = "";
  const code = await runJudge(["merkle", folder], (text) => {
    said += text;
  });
  return { code, said };
}

test("judge merkle accepts what is right, refuses what is wrong, in all folders below", async () => {
  const { code, said } = await judge({
    "inclusion/0/happy-path.json": INCLUSION,
    "inclusion/0/wrong-place.json": { ...INCLUSION, leafIdx: 0, wantErr: true },
    "inclusion/0/no-proof.json": { ...INCLUSION, proof: null, wantErr: true },
    "inclusion/0/far.json": JSON.stringify({ ...INCLUSION, wantErr: true }).replace(
      '"leafIdx":1',
      `"leafIdx":${2n ** 64n - 1n}`,
    ),
    "consistency/happy-path.json": CONSISTENCY,
    "consistency/garbage.json": { ...CONSISTENCY, proof: [base64(c), ""], wantErr: true },
    "consistency/from-nothing.json": { ...CONSISTENCY, size1: 0, proof: [], wantErr: true },
    "notes.txt": "not a case",
  });
  expect(said).toBe(
    [
      "proofs        to accept  to refuse     passed     failed",
      "inclusion             1          3          4          0",
      "consistency           1          2          3          0",
      "7 passed, 0 failed\n",
    ].join("\n"),
  );
  expect(code).toBe(0);
});

test("judge merkle names what it should have refused and what it should have accepted", async () => {
  const { code, said } = await judge({
    "1.json": { ...INCLUSION, wantErr: true },
    "2.json": { ...CONSISTENCY, proof: [base64(a)] },
  });
  expect(said).toContain("1.json: accepted, must be refused; b of three\n");
  expect(said).toContain("2.json: refused, must be accepted; two of three\n");
  expect([code, said.endsWith("0 passed, 2 failed\n")]).toEqual([1, true]);
});

test.each([
  ["no JSON", "{"],
  ["another JSON", "[]"],
  ["a size below nothing", { ...INCLUSION, treeSize: -1 }],
  ["a size with a fraction", { ...CONSISTENCY, size2: 2.5 }],
  ["a size beyond 64 bits", JSON.stringify(CONSISTENCY).replace('"size2":3', `"size2":${2n ** 64n}`)],
  ["a hash that is no base64", { ...INCLUSION, root: "?" }],
  ["no wantErr", { ...INCLUSION, wantErr: undefined }],
  ["a proof that is no list", { ...INCLUSION, proof: "x" }],
])("judge merkle fails a file of %s by name, and goes on", async (_, content) => {
  const { code, said } = await judge({ "bad.json": content, "good.json": INCLUSION });
  expect(said).toContain("bad.json: Cannot read a Merkle case: ");
  expect([code, said.endsWith("1 passed, 1 failed\n")]).toEqual([1, true]);
});

test("judge merkle counts subtree proofs as not judged, and fails when there is nothing else", async () => {
  const { leafIdx, root, leafHash, proof, desc, wantErr } = INCLUSION;
  const { code, said } = await judge({ "1.json": { leafIdx, start: 0, end: 3, root, leafHash, proof, desc, wantErr } });
  expect(said).toContain("not judged: 1 files of subtree proofs");
  expect([code, said.endsWith("0 passed, 0 failed\n")]).toEqual([1, true]);
  expect(runJudge(["merkle", join(folder, "nowhere")], () => {})).rejects.toThrow("a folder that can be listed");
});
