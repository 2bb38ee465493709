import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";
import { runJudge } from "./judge.ts";
import { SWAPS_CSV_COLUMNS } from "./swaps-csv.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const HEADER = SWAPS_CSV_COLUMNS.join(",");
const SIGNATURE = "5".repeat(88);
const PAYER = "3whiLH8NEAps2hN2BktrH6dLqURf5nUUtK3uQS9xpykh";
const POOL = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2";
const ids = `7,${SIGNATURE},${PAYER},${POOL}`;
// The program paid 10 for 100 and asked 68 for 6 on these reserves.
const EXACT_IN = `${ids},coin_in,100,10,93893491403489,9796886329048`;
const EXACT_OUT = `${ids},pc_in,2,9,93893491403489,9796886329048`;

async function judge(text: string | Uint8Array) {
  const path = join(folder, "swaps.csv");
  writeFileSync(path, text);
  let said = "";
  const code = await runJudge(["swaps", path], (more) => {
    said += more;
  });
  return { code, said };
}

describe("judge swaps", () => {
  test("passes right rows and prints a row per direction and the closing line", async () => {
    const { code, said } = await judge(`${HEADER}\n${EXACT_IN}\n${EXACT_OUT}\n`);
    expect(said).toBe(
      [
        "direction    pools    swaps   passed   failed",
        "coin_in          1        1        1        0",
        "pc_in            1        1        1        0",
        "2 passed, 0 failed\n",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  test.each([
    ["Windows line ends", `${HEADER}\r\n${EXACT_IN}\r\n`],
    ["a byte order mark", `\uFEFF${HEADER}\n${EXACT_IN}\n`],
    ["no last line end", `${HEADER}\n${EXACT_IN}`],
  ])("reads a file with %s", async (_, text) => {
    expect((await judge(text)).said).toEndWith("1 passed, 0 failed\n");
  });

  test("names a mismatch with its line, its pool and both quotes, and fails", async () => {
    const { code, said } = await judge(`${HEADER}\n${EXACT_IN}\n${ids},coin_in,100,11,93893491403489,9796886329048\n`);
    expect(said).toContain(`line 3: pool ${POOL} coin_in in 100 out 11; the quote pays 10`);
    expect(said).toEndWith("1 passed, 1 failed\n");
    expect(code).toBe(1);
  });

  test("fails a swap that the program would have refused", async () => {
    const { code } = await judge(`${HEADER}\n${ids},coin_in,1,0,93893491403489,9796886329048\n`);
    expect(code).toBe(1);
  });

  test("names at most 20 mismatches and counts all", async () => {
    const wrong = `${ids},pc_in,100,1,93893491403489,9796886329048`;
    const { said } = await judge(`${HEADER}\n${Array.from({ length: 25 }, () => wrong).join("\n")}\n`);
    expect(said.match(/^line /gm)).toHaveLength(20);
    expect(said).toEndWith("… and 5 more\n0 passed, 25 failed\n");
  });

  test("does not pass when there was nothing to judge", async () => {
    const { code, said } = await judge(`${HEADER}\n`);
    expect(said).toEndWith("0 passed, 0 failed\n");
    expect(code).not.toBe(0);
  });

  test.each<[string, string | Uint8Array, string]>([
    ["empty", "", "line 1"],
    ["without its header", EXACT_IN, "line 1"],
    ["with columns in another order", HEADER.split(",").reverse().join(","), "line 1"],
    ["with a blank line inside", `${HEADER}\n\n${EXACT_IN}\n`, "line 2"],
    ["with too few values", `${HEADER}\n${EXACT_IN.slice(0, -15)}\n`, "line 2"],
    ["with too many values", `${HEADER}\n${EXACT_IN},1\n`, "line 2"],
    ["with a negative amount", `${HEADER}\n${EXACT_IN.replace(",100,", ",-100,")}\n`, "amount_in"],
    ["with a fraction", `${HEADER}\n${EXACT_IN.replace(",100,", ",1.5,")}\n`, "amount_in"],
    ["with an exponent", `${HEADER}\n${EXACT_IN.replace(",100,", ",1e2,")}\n`, "amount_in"],
    ["with a hex number", `${HEADER}\n${EXACT_IN.replace(",100,", ",0x64,")}\n`, "amount_in"],
    ["with an amount over 64 bits", `${HEADER}\n${EXACT_IN.replace(",100,", ",18446744073709551616,")}\n`, "64 bits"],
    ["with an empty value", `${HEADER}\n${EXACT_IN.replace(",100,", ",,")}\n`, "amount_in"],
    ["with spaces", `${HEADER}\n${EXACT_IN.replace(",100,", ", 100,")}\n`, "amount_in"],
    ["with a third direction", `${HEADER}\n${EXACT_IN.replace("coin_in", "both_in")}\n`, "direction"],
    ["with a pool that is no address", `${HEADER}\n${EXACT_IN.replace(POOL, "0pool")}\n`, "pool"],
    ["with a signature that is none", `${HEADER}\n${EXACT_IN.replace(SIGNATURE, "5")}\n`, "signature"],
    ["in quotes", `${HEADER}\n"${EXACT_IN}"\n`, "line 2"],
    ["binary", new Uint8Array([0xff, 0xfe, 0, 0, 1]), "line 1"],
  ])("refuses a file that is %s, and says where", async (_, text, where) => {
    try {
      await judge(text);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(SandpiperError);
      expect((thrown as SandpiperError).code).toBe(CLI_ERROR.csv);
      expect((thrown as SandpiperError).message).toContain(where);
      return;
    }
    throw new Error("was accepted");
  });

  test.each([
    ["nothing", []],
    ["an unknown judge", ["horoscope", "file"]],
    ["no file", ["swaps"]],
    ["two files", ["swaps", "a", "b"]],
    ["a file that is not there", ["swaps", join(folder, "absent.csv")]],
  ])("refuses %s", async (_, args) => {
    await expect(runJudge(args)).rejects.toThrow(SandpiperError);
  });
});
