/**
 * A real block of mainnet (slot 285000037) through `sandpiper mev scan`. Read by hand: ten wallets buy and sell one token
 * back and forth among each other's trades (volume bots, which others count as sandwiches; each of them loses), and three
 * transactions are atomic arbitrages. The block is not ours: SANDPIPER_SHARED_DATA, else ../shared/data.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runMev } from "#cli/mev-scan.ts";

const DATA = process.env["SANDPIPER_SHARED_DATA"] ?? join(import.meta.dir, "../../shared/data");
const BLOCK = join(DATA, "block-285000037");
const there = existsSync(BLOCK);
if (!there) console.warn(`SKIPPED: the real block of mainnet: not found at ${BLOCK}`);

async function scan(...more: string[]): Promise<string> {
  const parts: string[] = [];
  expect(await runMev(["scan", BLOCK, ...more], (part) => void parts.push(part))).toBe(0);
  return parts.join("");
}

describe.skipIf(!there)("mev scan of the real block", () => {
  test("finds its three atomic arbitrages, each with the lamports it gained, and no sandwich at any score", async () => {
    const lines = (await scan("--json", "--score-min", "0")).trimEnd().split("\n");
    const prefixes = { 182: "3nzoqQFP", 547: "ScJTo2bm", 548: "tG1bJHom" };
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.map(({ kind, tx_index, net_lamports }) => [kind, tx_index, net_lamports])).toEqual([
      ["arbitrage", 182, 75_136 - 27_624],
      ["arbitrage", 547, 495_604 - 396_035],
      ["arbitrage", 548, 362_697 - 287_157],
    ]);
    for (const { tx_index, signature } of found)
      expect(String(signature)).toStartWith(prefixes[tx_index as keyof typeof prefixes]);
  });

  test("says for people what it read and left out", async () => {
    const text = await scan();
    expect(text).toContain("557 transactions (99 failed), 125 swaps, 0 swap instructions unreadable");
    expect(text).toContain("0 sandwiches, 3 atomic arbitrages");
  });
});
