import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { SandpiperError } from "#core/error.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { runJudge } from "./judge.ts";

const OFFICIAL = join(SHARED_DATA, "orca-swap-vectors");
const there = existsSync(OFFICIAL);
if (!there) console.warn(`SKIPPED: Orca's swap cases: not found at ${OFFICIAL}`);

const root = mkdtempSync(join(tmpdir(), "sandpiper-judge-orca-"));
afterAll(() => rmSync(root, { recursive: true }));

const CASE = {
  testId: 9,
  description: "a made case",
  tickSpacing: 1,
  feeRate: 0,
  protocolFeeRate: 0,
  liquidity: "0",
  currTickIndex: 0,
  tradeAmount: "1000000000",
  amountIsInput: true,
  aToB: true,
  expectation: {
    exception: "",
    amountA: "0",
    amountB: "0",
    nextLiquidity: "0",
    nextTickIndex: -177,
    nextSqrtPrice: "18285132938156488658",
    nextFeeGrowthGlobal: "0",
    nextProtocolFee: "0",
  },
};
const REFUSED = { ...CASE, tradeAmount: "0", expectation: { ...CASE.expectation, exception: "ZeroTradableAmount" } };

async function judge(files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = mkdtempSync(join(root, "cases-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return judgeFolder(folder);
}

async function judgeFolder(folder: string) {
  let said = "";
  const code = await runJudge(["orca", folder], (more) => {
    said += more;
  });
  return { code, said };
}

describe("judge orca", () => {
  test.skipIf(!there)("passes all of Orca's own cases", async () => {
    const { code, said } = await judgeFolder(OFFICIAL);
    expect(said).toEndWith("6720 passed, 0 failed\n");
    expect(code).toBe(0);
  });

  test("judges plain and gzipped lists and no other file, a row per expected outcome", async () => {
    const { code, said } = await judge({
      "a.json": JSON.stringify([CASE, REFUSED, REFUSED]),
      "b.json.gz": gzipSync(JSON.stringify([CASE])),
      "README.md": "not a list of cases",
    });
    expect(said.split("\n").map((line) => line.trim().split(/\s+/).join(" "))).toEqual([
      "file expected cases passed failed",
      "a.json fills 1 1 0",
      "a.json ZeroTradableAmount 2 2 0",
      "b.json.gz fills 1 1 0",
      "4 passed, 0 failed",
      "",
    ]);
    expect(code).toBe(0);
  });

  test.each([
    ["another result", { ...CASE, expectation: { ...CASE.expectation, amountB: "1" } }, "amountB expected 1, was 0"],
    ["another refusal", { ...REFUSED, expectation: { exception: "DivideByZero" } }, "expected DivideByZero, was Zero"],
    ["a refusal where there is a fill", { ...CASE, expectation: { exception: "TokenMaxExceeded" } }, "was 0 of A"],
    ["a fill where there is a refusal", { ...CASE, tradeAmount: "0" }, "was ZeroTradableAmount"],
  ])("names a case that expects %s", async (_, item, difference) => {
    const { code, said } = await judge({ "a.json": JSON.stringify([item]) });
    expect(said).toContain(`a.json: testId 9: `);
    expect(said).toContain(difference);
    expect(said).toEndWith("0 passed, 1 failed\n");
    expect(code).toBe(1);
  });

  test("names at most 20 mismatches and counts all", async () => {
    const wrong = { ...CASE, expectation: { exception: "DivideByZero" } };
    const { said } = await judge({ "a.json": JSON.stringify(Array.from({ length: 25 }, () => wrong)) });
    expect(said.match(/^a\.json: /gm)).toHaveLength(20);
    expect(said).toEndWith("… and 5 more\n0 passed, 25 failed\n");
  });

  test.each<[string, string | Uint8Array, string]>([
    ["no JSON", "[{", "JSON, plain or gzipped"],
    ["damaged gzip", gzipSync("[]").subarray(0, 12), "JSON, plain or gzipped"],
    ["no list", "{}", "a list of cases"],
    ["a list of numbers", "[1]", "case 0 to be an object"],
    ["no spacing", JSON.stringify([{ ...CASE, tickSpacing: 0 }]), "tickSpacing"],
    ["a tick outside", JSON.stringify([{ ...CASE, currTickIndex: 443_637 }]), "currTickIndex"],
    ["a negative amount", JSON.stringify([{ ...CASE, tradeAmount: "-1" }]), "tradeAmount"],
    ["an amount over 64 bits", JSON.stringify([{ ...CASE, tradeAmount: "18446744073709551616" }]), "tradeAmount"],
    ["a flag in quotes", JSON.stringify([{ ...CASE, aToB: "true" }]), "aToB"],
    ["no expectation", JSON.stringify([{ ...CASE, expectation: undefined }]), "the expectation of case 0"],
    ["half an expectation", JSON.stringify([{ ...CASE, expectation: { amountA: "1" } }]), "amountB"],
  ])("fails a file with %s, by name", async (_, content, why) => {
    const { code, said } = await judge({ "a.json": content });
    expect(said).toContain("a.json: Cannot read swap cases: ");
    expect(said).toContain(why);
    expect(said).toEndWith("0 passed, 1 failed\n");
    expect(code).toBe(1);
  });

  test("does not pass a folder without cases, and refuses one that is not there", async () => {
    expect((await judge({})).code).not.toBe(0);
    await expect(runJudge(["orca", join(root, "absent")])).rejects.toThrow(SandpiperError);
  });
});
