/** `sandpiper ledger` as a person runs it: on whole folders, exported ones and hostile ones. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LedgerFiles, ledgerFiles } from "#ledger/files.ts";
import { readSignerKey } from "#ledger/note.ts";
import { testEntries } from "#ledger/test-entries.ts";
import { runJudge } from "./judge.ts";
import { runLedger } from "./ledger.ts";

const top = mkdtempSync(join(tmpdir(), "sandpiper-ledger-cli-"));
afterAll(() => rmSync(top, { recursive: true }));
const [whole, folder, keyFile, early] = ["whole", "folder", "key", "early"].map((name) => join(top, name)) as [
  string,
  string,
  string,
  string,
];
let key = "";

async function ledger(args: readonly string[], input = "") {
  let said = "";
  const write = (text: string) => {
    said += text;
  };
  const code = await runLedger(args, { write, input: async () => input });
  return { code, said };
}

const ndjson = (from: number, to: number): string =>
  testEntries(from, to)
    .map((entry) => JSON.stringify(entry))
    .join("\n");

beforeAll(async () => {
  await ledger(["append", whole, "--key", keyFile, "--origin", "test/ledger"], ndjson(0, 5));
  cpSync(ledgerFiles(whole).checkpoint, early);
  await ledger(["append", whole, "--key", keyFile], ndjson(5, 12));
  key = readSignerKey(readFileSync(keyFile, "utf8")).verifier.text;
});
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(whole, folder, { recursive: true });
});

test("append makes the key once, readable by its owner only", () => {
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(ledgerFiles(whole).verifier, "utf8")).toBe(`${key}\n`);
});

test("verify says how many leaves are proven, and whether the key is only the folder's own", async () => {
  const trusting = await ledger(["verify", folder]);
  expect(trusting.code).toBe(0);
  expect(trusting.said).toContain("the key is the folder's own");
  const { code, said } = await ledger(["verify", folder, "--key", key, "--since", early]);
  expect([code, said.split(", root")[0]]).toEqual([0, "ok: test/ledger, 12 leaves"]);
});

test("export gives a folder that verifies, proves and holds exactly what is signed", async () => {
  writeFileSync(ledgerFiles(folder).leaves, `${readFileSync(ledgerFiles(folder).leaves, "utf8")}{"half`);
  const out = join(top, "out");
  expect((await ledger(["export", folder, out])).code).toBe(0);
  expect((await ledger(["verify", out, "--key", key])).code).toBe(0);
  expect(readFileSync(ledgerFiles(out).leaves, "utf8")).toBe(readFileSync(ledgerFiles(whole).leaves, "utf8"));
  expect(ledger(["export", folder, out])).rejects.toThrow("a new or an empty folder");
});

test("prove gives cases that judge merkle accepts, for leaves and for earlier sizes", async () => {
  const cases = join(top, "cases");
  mkdirSync(cases);
  for (let index = 0; index < 12; index++)
    writeFileSync(join(cases, `leaf-${index}.json`), (await ledger(["prove", folder, `${index}`])).said);
  for (let size = 1; size <= 12; size++)
    writeFileSync(join(cases, `from-${size}.json`), (await ledger(["prove", folder, "--from", `${size}`])).said);
  let said = "";
  const code = await runJudge(["merkle", cases], (text) => {
    said += text;
  });
  expect([code, said.endsWith("24 passed, 0 failed\n")]).toEqual([0, true]);
  const { leaf } = JSON.parse(readFileSync(join(cases, "leaf-3.json"), "utf8"));
  expect(JSON.parse(leaf).who).toBe("nobody 3");
});

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
const lines = (change: (all: string[]) => string[]) => (files: LedgerFiles) =>
  edit(files.leaves, (text) => `${change(text.split("\n").slice(0, -1)).join("\n")}\n`);

describe("verify finds", () => {
  test.each([
    [
      "an edited leaf",
      lines((all) => all.with(4, (all[4] as string).replace("nobody 4", "nobody 9"))),
      "leaf 4 is the",
    ],
    ["a deleted leaf", lines((all) => all.toSpliced(4, 1)), "leaf 11 is missing"],
    ["the last leaf deleted", lines((all) => all.slice(0, -1)), "leaf 11 is missing"],
    [
      "two leaves in another order",
      lines((all) => all.with(4, all[5] as string).with(5, all[4] as string)),
      "leaf 4 is the",
    ],
    ["an inserted leaf", lines((all) => all.toSpliced(4, 0, all[4] as string)), "leaf 5 is the"],
    ["an appended leaf", lines((all) => [...all, all[0] as string]), "bytes beyond what is signed"],
    ["another spelling of a leaf", lines((all) => all.with(4, ` ${all[4]}`)), "leaf 4 is missing or not whole"],
    ["a truncated file of leaves", (files) => edit(files.leaves, (text) => text.slice(0, -10)), "leaf 11 is missing"],
    ["truncated hashes", (files) => edit(files.hashes, (text) => text.slice(0, -1)), "hashes ends at byte"],
    ["truncated offsets", (files) => edit(files.offsets, (text) => text.slice(0, -1)), "offsets ends at byte"],
    [
      "a flipped bit in the hashes",
      (files) => edit(files.hashes, (text) => `\x00${text.slice(1)}`),
      "hashes is not what",
    ],
    [
      "a flipped bit in the offsets",
      (files) => edit(files.offsets, (text) => `\x01${text.slice(1)}`),
      "offsets is not",
    ],
    [
      "two files swapped",
      (files) => {
        cpSync(files.hashes, files.offsets);
        cpSync(ledgerFiles(whole).offsets, files.hashes);
      },
      "is not what the leaves give",
    ],
    ["an old checkpoint put back", (files) => cpSync(early, files.checkpoint), "bytes beyond what is signed"],
  ] as [string, (files: LedgerFiles) => void, string][])("%s", async (_, harm, text) => {
    harm(ledgerFiles(folder));
    const { code, said } = await ledger(["verify", folder, "--key", key]);
    expect(said).toContain(text);
    expect(code).toBe(1);
  });

  test("history that was cut off or written anew under the right key, by an earlier checkpoint", async () => {
    rmSync(folder, { recursive: true });
    await ledger(["append", folder, "--key", keyFile], ndjson(0, 3));
    const short = await ledger(["verify", folder, "--key", key, "--since", early]);
    expect([short.code, short.said.includes("leaves were cut off")]).toEqual([1, true]);
    await ledger(["append", folder, "--key", keyFile], ndjson(20, 25));
    const other = await ledger(["verify", folder, "--key", key, "--since", early]);
    expect([other.code, other.said.includes("history was rewritten")]).toEqual([1, true]);
  });
});

describe("verify and prove refuse to trust", () => {
  test.each([
    ["a lying size", (files: LedgerFiles) => edit(files.checkpoint, (text) => text.replace("\n12\n", "\n11\n"))],
    ["a lying root", (files: LedgerFiles) => edit(files.checkpoint, (text) => text.replace(/\n[A-Za-z0-9+/]/g, "\nA"))],
    ["no checkpoint", (files: LedgerFiles) => rmSync(files.checkpoint)],
    ["an empty checkpoint", (files: LedgerFiles) => writeFileSync(files.checkpoint, "")],
  ])("%s", async (_, harm) => {
    harm(ledgerFiles(folder));
    for (const args of [
      ["verify", folder],
      ["prove", folder, "0"],
    ])
      expect(ledger([...args, "--key", key])).rejects.toThrow(/Cannot (open the signed note|trust)/);
  });

  test("a folder that another key signed", async () => {
    const other = join(top, "other");
    await ledger(["append", other, "--key", join(top, "other-key"), "--origin", "test/ledger"], ndjson(0, 12));
    expect(ledger(["verify", other, "--key", key])).rejects.toThrow("a signature of test/ledger");
    rmSync(other, { recursive: true });
  });
});

test("prove gives no proof out of changed hashes, offsets or leaves", async () => {
  const files = ledgerFiles(folder);
  for (const path of [files.hashes, files.offsets, files.leaves]) {
    const right = readFileSync(path);
    for (let at = 0; at < Math.min(right.length, 64); at++) {
      writeFileSync(
        path,
        right.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      const answer = await ledger(["prove", folder, "0"]).catch((thrown: Error) => thrown.message);
      // A changed byte that this proof does not rest on leaves the proof as it was.
      if (typeof answer === "string") expect(answer).toStartWith("Cannot trust");
      else expect(answer.said).toBe((await ledger(["prove", whole, "0"])).said);
    }
    writeFileSync(path, right);
  }
});

test("command lines that make no sense are refused, and nothing is written", async () => {
  const nowhere = join(top, "nowhere");
  for (const args of [
    [],
    ["burn"],
    ["verify"],
    ["verify", folder, "--from", "1"],
    ["prove", folder],
    ["prove", folder, "x"],
    ["append", nowhere],
    ["export", folder],
    ["verify", folder, "--key"],
  ])
    expect(ledger(args)).rejects.toThrow("Cannot run ledger");
  expect(ledger(["verify", nowhere])).rejects.toThrow("Cannot read");
  expect(ledger(["append", nowhere, "--key", keyFile], "{}")).rejects.toThrow("a known kind");
  expect(existsSync(nowhere)).toBe(false);
});
