/** `sandpiper pools` beside a node that knows some names. */
import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAddress, testPool } from "#arbitrage/test-pools.ts";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { base58Decode } from "#core/base58.ts";
import { runPaths } from "#core/paths.ts";
import { metaplexAddress } from "#dex/token-metadata.ts";
import { runPools } from "./pools.ts";

test("sandpiper pools names tokens as Metaplex has them, wrapped SOL always, and others by address", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sandpiper-pools-"));
  const pools = [testPool(0, 0, 1), testPool(1, 0, 2)];
  writeFileAtomic(runPaths(dataDir).poolCatalogue, JSON.stringify({ version: 1, pools }));
  const known = pools[0]?.mints[1] ?? testAddress(0);
  const field = (text: string) => Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.from(text)]);
  const head = Buffer.concat([Buffer.from([4]), Buffer.alloc(32), base58Decode(known)]);
  const data = Buffer.concat([head, field("A Coin"), field("COIN"), field("")]).toString("base64");
  const account = { data: [data, "base64"], owner: testAddress(1), lamports: 1, executable: false };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { params } = (await request.json()) as { params: [string[]] };
      const value = params[0].map((address) => (address === metaplexAddress(known) ? account : null));
      return Response.json({ jsonrpc: "2.0", id: 1, result: { context: { slot: 1 }, value } });
    },
  });
  let said = "";
  const flags = ["--dataDir", dataDir, "--sim.rpcPort", String(server.port)];
  expect(await runPools(flags, (text) => (said += text))).toBe(0);
  const [first, second] = said.split("\n");
  expect(first).toMatch(/ {4}0 {2}SOL\/COIN +raydium-cpmm +25\.00 bp {2}/);
  expect(second).toContain(`SOL/${pools[1]?.mints[1].slice(0, 4)}…`);
  said = "";
  await runPools(["--json", ...flags], (text) => (said += text));
  expect(JSON.parse(said.split("\n")[0] as string).tokens[1]).toEqual({ mint: known, name: "A Coin", symbol: "COIN" });
  await server.stop(true);
});
