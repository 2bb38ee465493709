/**
 * A real block of mainnet (slot 285000037) through `sandpiper replay` and `judge swaps`. The block is not ours and lies
 * outside the repository: SANDPIPER_SHARED_DATA, else ../shared/data beside it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runJudge } from "#cli/judge.ts";
import { runReplay } from "#cli/replay.ts";
import { SWAPS_CSV_COLUMNS } from "#cli/swaps-csv.ts";
import { SHARED_DATA } from "#dex/test-data.ts";

const BLOCK = join(SHARED_DATA, "block-285000037", "slot_285000037.json.gz");
const there = existsSync(BLOCK);
if (!there) console.warn(`SKIPPED: the real block of mainnet: not found at ${BLOCK}`);

type SwapLine = Readonly<Record<string, string | number | boolean>>;

describe.skipIf(!there)("the real block", () => {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-real-block-"));
  const at = (name: string) => join(folder, name);
  const replay = (out: string) => runReplay([BLOCK, "--out", at(out), "--dataDir", at("data")]);
  let lines: readonly SwapLine[] = [];

  beforeAll(async () => {
    expect(await replay("first")).toBe(0);
    lines = readFileSync(at("first/swaps.ndjson"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ dex }) => dex === "raydium-amm-v4");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("gives 557 transactions, 62 votes, 99 failed and 114 swaps on AMM v4, each equal to its quote", () => {
    const summary = JSON.parse(readFileSync(at("first/summary.json"), "utf8"));
    expect(summary).toMatchObject({
      blocks: 1,
      first_slot: 285_000_037,
      transactions: 557,
      votes: 62,
      failed: 99,
      swaps: 118,
      swaps_by_dex: { "raydium-amm-v4": 114, "raydium-cpmm": 0, "raydium-clmm": 4 },
      swaps_seen_by_mev: 118,
      exact_quotes: 114,
      unreadable_swaps: 0,
      dropped: 0,
    });
    expect(lines).toHaveLength(114);
    expect(lines.every(({ exact }) => exact === true)).toBe(true);
  });

  test("chains: each swap finds the reserves that the one before it on its pool left, 96 of 96", () => {
    const left = new Map<string, readonly [bigint, bigint]>();
    let pairs = 0;
    for (const line of lines) {
      const before = [BigInt(String(line["reserve_0_before"])), BigInt(String(line["reserve_1_before"]))] as const;
      const known = left.get(String(line["pool"]));
      if (known !== undefined) {
        pairs++;
        expect(before).toEqual(known);
      }
      const [amountIn, amountOut] = [BigInt(String(line["amount_in"])), BigInt(String(line["amount_out"]))];
      left.set(
        String(line["pool"]),
        line["input_side"] === 0
          ? [before[0] + amountIn, before[1] - amountOut]
          : [before[0] - amountOut, before[1] + amountIn],
      );
    }
    expect(pairs).toBe(96);
  });

  test("gives the same bytes on a second run", async () => {
    expect(await replay("second")).toBe(0);
    for (const name of ["swaps.ndjson", "envelopes.bin", "summary.json"])
      expect(readFileSync(at(`second/${name}`)).equals(readFileSync(at(`first/${name}`)))).toBe(true);
  });

  const csvRow = (line: SwapLine) =>
    [
      line["tx_index"],
      line["signature"],
      line["fee_payer"],
      line["pool"],
      line["input_side"] === 0 ? "coin_in" : "pc_in",
      line["amount_in"],
      line["amount_out"],
      line["reserve_0_before"],
      line["reserve_1_before"],
    ].join(",");
  const judge = async (name: string, rows: readonly string[]) => {
    writeFileSync(at(name), `${[SWAPS_CSV_COLUMNS.join(","), ...rows].join("\n")}\n`);
    let said = "";
    const code = await runJudge(["swaps", at(name)], (text) => {
      said += text;
    });
    return { code, said };
  };

  test("passes the judge: 114 passed, 0 failed", async () => {
    const { code, said } = await judge("real.csv", lines.map(csvRow));
    expect(said).toEndWith("114 passed, 0 failed\n");
    expect(code).toBe(0);
  });

  test("fails the judge when one amount is one unit more than the program paid", async () => {
    const wrong = lines.map((line, i) =>
      csvRow(i === 40 ? { ...line, amount_out: `${BigInt(String(line["amount_out"])) + 1n}` } : line),
    );
    const { code, said } = await judge("wrong.csv", wrong);
    expect(said).toEndWith("113 passed, 1 failed\n");
    expect(said).toContain(`line 42: pool ${lines[40]?.["pool"]}`);
    expect(code).toBe(1);
  });
});
