import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonFile, writeFileAtomic } from "./atomic-file.ts";
import { createLog } from "./log.ts";
import { seededRandom } from "./random.ts";
import { formatSol } from "./units.ts";
import { VERSION } from "./version.ts";

describe("seededRandom()", () => {
  test("gives the same numbers for the same seed, and others for another", () => {
    const take = (seed: string) => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.uint32());
    };
    expect(take("1")).toEqual(take("1"));
    expect(take("1")).not.toEqual(take("2"));
  });

  test("unit() is even over ten bins (chi squared under the 0.1 % bound of 27.9)", () => {
    const random = seededRandom("bins");
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const bin = Math.floor(random.unit() * 10);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9);
  });

  test("normal() has mean 0 and deviation 1 within four standard errors", () => {
    const random = seededRandom("normal");
    const draws = Array.from({ length: 40_000 }, () => random.normal());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(draws.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
  });
});

test.each([
  [0n, "0"],
  [1n, "0.000000001"],
  [-1n, "-0.000000001"],
  [1_500_000_000n, "1.5"],
  [-20_000_000_000n, "-20"],
])("formatSol() writes %p lamports as %s", (lamports, text) => {
  expect(formatSol(lamports)).toBe(text);
});

describe("createLog()", () => {
  const lines: string[] = [];
  const log = createLog({ process: "test", level: "info", format: "json", write: (line) => lines.push(line) });

  test("hides the value of a field that is named like a secret, in every format", () => {
    const text: string[] = [];
    const people = createLog({ process: "test", level: "info", format: "text", write: (line) => text.push(line) });
    for (const name of ["password", "apiToken", "clientSecret", "privateKey", "CTRL_SIGN_SK"]) {
      log.info("x", { [name]: "hunter2" });
      people.info("x", { [name]: "hunter2" });
    }
    expect([...lines, ...text].join("\n")).not.toContain("hunter2");
    expect(text).toHaveLength(5);
  });

  test("keeps a flood of one message back, says how much it was, and lets others through", () => {
    const said: string[] = [];
    let nowMs = 0;
    const write = (line: string) => void said.push(line);
    const flooded = createLog({ process: "test", level: "info", format: "json", write, now: () => new Date(nowMs) });
    for (let i = 0; i < 1_000; i++) flooded.warn("again");
    flooded.warn("something else");
    expect(said).toHaveLength(21);
    nowMs = 10_000;
    flooded.warn("again", { why: "still" });
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject({ message: "again", why: "still", suppressed: 980 });
    flooded.warn("again");
    expect(JSON.parse(said.at(-1) ?? "")).not.toHaveProperty("suppressed");
  });

  test("writes nothing below its level", () => {
    const before = lines.length;
    log.debug("quiet");
    expect(lines).toHaveLength(before);
  });
});

test("writeFileAtomic() leaves the whole file and nothing beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-"));
  const path = join(folder, "deep", "file.json");
  writeFileAtomic(path, '{"a":1}');
  writeFileAtomic(path, '{"a":2}');
  expect(readJsonFile(path)).toEqual({ a: 2 });
  expect(readdirSync(join(folder, "deep"))).toEqual(["file.json"]);
  expect(readJsonFile(join(folder, "absent.json"))).toBeUndefined();
});

test("VERSION is the version of package.json", async () => {
  expect(VERSION).toBe((await Bun.file(join(import.meta.dir, "../../package.json")).json()).version);
});
