import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonFile, writeFileAtomic, writeFileAtomicUnsynced } from "#core/atomic-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([
  ["writeFileAtomic()", writeFileAtomic],
  ["writeFileAtomicUnsynced()", writeFileAtomicUnsynced],
])("%s", (_, write) => {
  test("makes the folder, replaces what was there, and leaves nothing beside", () => {
    const path = join(folder, "deep", "file.json");
    write(path, '{"a":1}');
    write(path, new TextEncoder().encode('{"a":2}'), 0o600);
    expect(readJsonFile(path)).toEqual({ a: 2 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "deep"))).toEqual(["file.json"]);
  });

  test("that fails leaves what was there, and nothing beside", () => {
    // A folder that is not empty cannot be replaced by a file.
    mkdirSync(join(folder, "taken", "by"), { recursive: true });
    expect(() => write(join(folder, "taken"), "text")).toThrow();
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});

test("readJsonFile() answers undefined for no file, and throws on one that is no JSON", () => {
  expect(readJsonFile(join(folder, "none"))).toBeUndefined();
  writeFileAtomic(join(folder, "text"), "{");
  expect(readFileSync(join(folder, "text"), "utf8")).toBe("{");
  expect(() => readJsonFile(join(folder, "text"))).toThrow();
});
