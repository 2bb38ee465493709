/** `sandpiper mev scan` on blocks of our own making, from getBlock JSON to findings; and what it refuses. */
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base58Encode } from "#core/base58.ts";
import { WSOL_MINT } from "#core/units.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { AMM_V4_FEE } from "#dex/raydium-amm-v4/layout.ts";
import { type TestPool, testAddress, testAmmPool, testBlock, testSwapTransaction } from "#market/test-block.ts";
import { runMev } from "./mev-scan.ts";

const SOL = 1_000_000_000n;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-mev-scan-"));
afterAll(() => rmSync(folder, { recursive: true }));

const signatureOf = (name: string): string => base58Encode(createHash("sha512").update(name).digest());

/** One swap by the wallet that everybody derives from `by`, under a signature of its own. */
function swapBy(by: string, id: string, pool: TestPool, inputSide: 0 | 1, amount: bigint, failed = false) {
  const swap = testSwapTransaction(by, { pool, inputSide, amount, failed });
  const transaction = { ...(swap["transaction"] as Record<string, unknown>), signatures: [signatureOf(id)] };
  return { ...swap, transaction };
}

/** Slot 10: a front and its victim; slot 11: the back, and the same three again with a front that failed. */
function writeBlocks(): string {
  const pool = testAmmPool("pool", "token", 1_000_000_000_000n, 1_000n * SOL);
  const fee = { feeNumerator: AMM_V4_FEE.numerator, feeDenominator: AMM_V4_FEE.denominator };
  const tokens = quoteExactIn(fee, pool.reserves[1], pool.reserves[0], 20n * SOL);
  const first = [swapBy("attacker", "front", pool, 1, 20n * SOL), swapBy("victim", "victim", pool, 1, 30n * SOL)];
  const second = [
    swapBy("attacker", "back", pool, 0, tokens),
    swapBy("other", "failed front", pool, 1, 20n * SOL, true),
    swapBy("victim", "unhurt", pool, 1, 30n * SOL),
    swapBy("other", "lone sale", pool, 0, tokens),
  ];
  writeFileSync(join(folder, "10.json"), JSON.stringify(testBlock(9, 1_700_000_000, first)));
  writeFileSync(join(folder, "11.json"), JSON.stringify(testBlock(10, 1_700_000_001, second)));
  return folder;
}

async function scan(...args: string[]): Promise<string> {
  const parts: string[] = [];
  expect(await runMev(["scan", ...args], (part) => void parts.push(part))).toBe(0);
  return parts.join("");
}

describe("runMev() scan", () => {
  const path = writeBlocks();
  const attacker = testAddress("owner of attacker");
  const victim = testAddress("owner of victim");

  test("writes a wide sandwich of recorded blocks as one line of JSON with the documented fields", async () => {
    const lines = (await scan(path, "--json")).trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    const finding = JSON.parse(lines[0] ?? "");
    expect(Object.keys(finding)).toEqual([
      "kind",
      "slot",
      "attackers",
      "victims",
      "legs",
      "gross_lamports",
      "net_lamports",
      "score",
      "evidence",
    ]);
    expect(finding).toMatchObject({ kind: "wide", slot: 11, attackers: [attacker] });
    expect(finding.victims).toMatchObject([
      { trader: victim, signature: signatureOf("victim"), slot: 10, tx_index: 1 },
    ]);
    expect(finding.legs).toMatchObject([
      { role: "front", signature: signatureOf("front"), mint_in: WSOL_MINT, amount_in: `${20n * SOL}` },
      { role: "back", signature: signatureOf("back"), mint_out: WSOL_MINT, slot: 11 },
    ]);
    expect(finding.net_lamports).toBe(finding.gross_lamports - 10_000);
    expect(finding.net_lamports).toBe(Number(finding.legs[1].amount_out) - 20e9 - 10_000);
    expect(Number(finding.victims[0].loss)).toBeGreaterThan(0);
    expect(finding.evidence.length).toBeGreaterThan(3);
  });

  test("tells people the same in words", async () => {
    const text = await scan(path);
    expect(text).toContain(`attacker  ${attacker}`);
    expect(text).toContain("2 blocks, 6 transactions (1 failed), 5 swaps");
    expect(text).toContain("1 sandwiches, 0 atomic arbitrages");
  });

  test("keeps to the window that it is given", async () => {
    expect(await scan(path, "--json", "--window-slots", "0")).toBe("");
    expect(await scan(path, "--json", "--score-min", "1")).toBe("");
  });

  test.each([
    [["scan"]],
    [["find", "x"]],
    [["scan", "a", "b"]],
    [["scan", "a", "--window-slots", "many"]],
    [["scan", "a", "--score-min", "1.5"]],
    [["scan", "a", "--jsonn"]],
  ])("refuses %p", async (args) => {
    await expect(runMev(args)).rejects.toThrow("Cannot run mev: ");
  });

  test("refuses a place where there is nothing", async () => {
    await expect(runMev(["scan", join(folder, "nowhere")])).rejects.toThrow("Cannot read recorded block");
  });
});
