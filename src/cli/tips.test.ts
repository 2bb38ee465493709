import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { runTips } from "./tips.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-tips-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LADDER = ["10000", "100000", "1000000"];
const row = (change: Record<string, unknown> = {}) => ({
  gross_lamports: "4000000",
  fee_lamports: "5000",
  tip_lamports: "100000",
  tip_floor_lamports: "60000",
  tip_ladder: LADDER,
  tip_propensity: 0.5,
  landed: true,
  ...change,
});

async function evaluate(rows: readonly unknown[], ...flags: string[]): Promise<string> {
  const file = join(folder, "choices.ndjson");
  writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
  let out = "";
  await runTips(["evaluate", file, ...flags], (text) => {
    out += text;
  });
  return out;
}

describe("sandpiper tips evaluate", () => {
  test("judges fixed tips, half the profit and the tip floor on a file of choices", async () => {
    const random = seededRandom("cli tips");
    const rows = Array.from({ length: 3_000 }, () => {
      const rung = random.unit() < 0.5 ? 1 : 2;
      return row({ tip_lamports: LADDER[rung], landed: rung === 2 || random.unit() < 0.5 });
    });
    const results = (await evaluate(rows, "--json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const of = (policy: string) => results.find((result) => result.policy === policy);
    expect(of("fixed 100000").doublyRobust.mean).toBeCloseTo(0.5 * 0.975, 1);
    expect(of("fixed 1000000").ips.mean).toBeCloseTo(0.75, 1);
    expect(of("fixed 10000").agreeing).toBe(0);
    // The floor is 60,000: the rung above it.
    expect(of("tip floor p75, the rung above")).toEqual({
      ...of("fixed 100000"),
      policy: "tip floor p75, the rung above",
    });
    const text = await evaluate(rows);
    expect(text).toStartWith("3000 choices on record");
    expect(text).toMatch(/^ +1000000 +\d+ +\d+$/m);
  });

  test.each([
    [{ tip_lamports: 5 }, "choice 1: a tip_lamports of its ladder, was 5"],
    [{ tip_propensity: 0 }, "choice 1: a tip_propensity above 0 and at most 1, was 0"],
    [{ tip_ladder: "x" }, 'choice 1: a list tip_ladder, was "x"'],
    [{ gross_lamports: -1 }, "choice 1: gross_lamports in whole lamports, was -1"],
  ])("refuses %p", async (change, text) => {
    expect(evaluate([row(change)])).rejects.toThrow(text);
  });

  test("refuses an empty record, a missing file and another command", async () => {
    expect(evaluate([])).rejects.toThrow("Cannot judge tips");
    expect(runTips(["evaluate", join(folder, "none")])).rejects.toThrow("a file of JSON lines");
    expect(await runTips(["else"], () => {})).toBe(64);
  });
});
