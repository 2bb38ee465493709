/** `sandpiper models`, as an operator uses it on a folder of versions. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPaths } from "#core/paths.ts";
import { findCompiler } from "#ffi/c-compiler.ts";
import { fileInUse, findVersion, hashInName } from "#model/models-folder.ts";
import { addModel, compileModel } from "#model/test-models.ts";
import { runModels } from "./models.ts";

const LONG_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-models-"));
const { models: dir } = runPaths(folder);
const hashes: string[] = [];
let [first, second, wrong] = ["", "", ""];

beforeAll(() => {
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error("needs a C compiler");
  const add = (body: string, score: (first: number) => number) =>
    addModel(dir, folder, compileModel(folder, compiler, { body }), score);
  hashes.push(
    add("return 0.25f;", () => 0.25),
    add("return 0.5f;", () => 0.5),
    add("return 0.75f;", () => 0.1),
  );
  [first = "", second = "", wrong = ""] = hashes;
}, LONG_MS);
afterAll(() => rmSync(folder, { recursive: true }));

async function models(...words: string[]): Promise<string> {
  const lines: string[] = [];
  await runModels([...words, "--dataDir", folder], (line) => lines.push(line));
  return lines.join("\n");
}
const inUse = (role: "latest" | "shadow") => hashInName(fileInUse(dir, "arb", role) ?? "");

test(
  "runModels() promotes, shadows, rolls back and retires versions, and lists who did",
  async () => {
    expect(await models("promote", first, "the", "first")).toBe(`promote: ${first}`);
    await models("shadow", second);
    expect([inUse("latest"), inUse("shadow")]).toEqual([first, second]);
    await models("promote", second);
    await models("shadow", "none");
    expect([inUse("latest"), inUse("shadow")]).toEqual([second, undefined]);
    expect(await models("rollback", "it", "lost")).toBe(`rollback: ${first}`);
    expect(inUse("latest")).toBe(first);
    await models("retire", second, "no", "good");
    expect(findVersion(dir, "arb", second)).toContain("/retired/");
    const listed = await models("list");
    for (const words of [`${first}  latest`, `${second}  retired`, `${wrong}  none`, "it lost", "the first"])
      expect(listed).toContain(words);
    expect(await models("diff", first, second)).toBe("");
  },
  LONG_MS,
);

test("runModels() refuses what cannot be, and leaves the version in use", async () => {
  await models("promote", first);
  await expect(models("promote", wrong)).rejects.toThrow("its golden rows within");
  await expect(models("promote", second)).rejects.toThrow();
  await expect(models("retire", first)).rejects.toThrow("that nobody uses");
  await expect(models("promote", "../../x")).rejects.toThrow("a version on record to promote");
  await expect(models("diff", first, "nobody")).rejects.toThrow("two versions on record");
  await expect(models("promotee")).rejects.toThrow("list, diff, shadow, promote, rollback or retire");
  expect(inUse("latest")).toBe(first);
});
