/** `sandpiper mev backruns` on blocks of our own making: two pools of one pair, and a large swap on one of them. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAmmPool, testBlock, testSwapTransaction } from "#market/test-block.ts";
import { runMev } from "./mev-scan.ts";

const SOL = 1_000_000_000n;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-mev-backruns-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Small swaps make both pools known; then somebody buys for 3 % of one of them. */
function writeBlock(): string {
  const [one, other] = ["one", "other"].map((name) => testAmmPool(name, "token", 1_000_000_000_000n, 1_000n * SOL));
  const swap = (by: string, pool: NonNullable<typeof one>, amount: bigint) =>
    testSwapTransaction(by, { pool, inputSide: 1, amount });
  const path = join(folder, "10.json");
  const swaps =
    one && other ? [swap("a", one, SOL / 10n), swap("b", other, SOL / 10n), swap("whale", one, 30n * SOL)] : [];
  writeFileSync(path, JSON.stringify(testBlock(9, 1_700_000_000, swaps)));
  return path;
}

async function backruns(...args: string[]): Promise<string> {
  const parts: string[] = [];
  const all = ["backruns", ...args, "--dataDir", folder];
  expect(await runMev(all, (part) => void parts.push(part))).toBe(0);
  return parts.join("");
}

describe("mev backruns", () => {
  const path = writeBlock();

  test("prices the backrun of a large swap by the arbitrage agent's own decision on the state behind it", async () => {
    const lines = (await backruns(path, "--json")).trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    const { kind, tx_index, share, price } = JSON.parse(lines[0] ?? "");
    expect([kind, tx_index]).toEqual(["backrun", 2]);
    expect(share).toBeCloseTo(0.03, 3);
    expect(price.cycle).toHaveLength(2);
    // The pools are 6 % apart, less 0.5 % of fees.
    expect(price.gross_lamports).toBeGreaterThan(100_000_000);
    expect(price.net_lamports).toBeLessThanOrEqual(price.gross_lamports - price.tip_lamports);
    expect(price.p_land_est).toBeGreaterThan(0);
    expect(price.p_land_est).toBeLessThanOrEqual(1);
    expect(["send", "skip"]).toContain(price.action);
  }, 60_000);

  test("says so where no cycle leads back", async () => {
    const text = await backruns(path, "--share-min", "0.00005");
    expect(text).toContain("no cycle from there comes near a profit");
    expect(text).toMatch(/^3 swaps of 0\.00005 or more of a pool's reserve/m);
  }, 60_000);

  test.each([[[]], [["x", "--share-min", "0"]], [["x", "--share-min", "much"]]])("refuses %p", async (args) => {
    await expect(runMev(["backruns", ...args])).rejects.toThrow("Cannot run mev backruns");
  });
});
