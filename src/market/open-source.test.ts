/** Nodes that misbehave: another cluster, storms of 429, errors with keys in them; and lists of pools. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { decodePoolState as decodeClmmPool } from "#dex/raydium-clmm/decode.ts";
import { AMM_CONFIG_BYTES as CLMM_CONFIG_BYTES } from "#dex/raydium-clmm/layout.ts";
import { AMM_CONFIG_BYTES as CPMM_CONFIG_BYTES, CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { testMarket } from "#sim/fixture.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { checkNode } from "./live/open-streams.ts";
import { RpcNode } from "./live/rpc-node.ts";
import { poolFilter } from "./pool-filter.ts";
import { makesPrices, readRpcSnapshot } from "./rpc-snapshot.ts";
import type { AccountWrite } from "./source.ts";
import { testAddress } from "./test-block.ts";

const limits = { retryMsMin: 1, retryMsMax: 4, triesMax: 5 };
let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(async () => await server?.stop(true));

function nodeThat(answer: (calls: number) => Response): { node: RpcNode; calls: () => number } {
  let calls = 0;
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => answer(++calls) });
  const url = `http://127.0.0.1:${server.port}/?api-key=very-secret`;
  return { node: new RpcNode(url, seededRandom("node"), limits), calls: () => calls };
}

const result = (value: unknown) => Response.json({ jsonrpc: "2.0", id: 1, result: value });

describe("RpcNode", () => {
  test("waits out a storm of 429 and then answers", async () => {
    const { node, calls } = nodeThat((call) => (call < 4 ? new Response("slow down", { status: 429 }) : result("ok")));
    expect((await node.call("getHealth", [])).text()).toBe("ok");
    expect(calls()).toBe(4);
    expect(node.counters).toEqual({ calls: 4, tooMany: 3, failed: 0 });
  });

  test("gives up a storm that does not end, in clear words and without the key", async () => {
    const { node, calls } = nodeThat(() => new Response("slow down", { status: 429 }));
    const thrown = await node.call("getSlot", []).catch((error: Error) => error);
    expect(String(thrown)).toMatch(
      /Cannot ask http:\/\/127\.0\.0\.1:\d+ for getSlot: an answer within 5 tries, was HTTP 429/,
    );
    expect(String(thrown)).not.toContain("secret");
    expect(calls()).toBe(5);
  });

  for (const [what, body] of [
    ["text that is no JSON", "<html>"],
    ["an error", JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32_601, message: "no such method" } })],
    ["nothing of use", "[]"],
  ] as const)
    test(`refuses ${what}`, async () => {
      const { node } = nodeThat(() => new Response(body));
      await expect(node.call("getSlot", [])).rejects.toThrow("Cannot read what");
    });
});

describe("checkNode()", () => {
  /** A node with this genesis and this health. */
  const nodeOf = (genesis: string, health: unknown) => {
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { method } = (await request.json()) as { method: string };
        return method === "getGenesisHash"
          ? result(genesis)
          : Response.json({ jsonrpc: "2.0", id: 1, ...(health as object) });
      },
    });
    return new RpcNode(`http://127.0.0.1:${server.port}/?api-key=very-secret`, seededRandom("node"), limits);
  };

  test("takes the cluster that was asked for, and any when none was", async () => {
    const node = nodeOf("genesis A", { result: "ok" });
    await checkNode(node, "genesis A");
    await checkNode(node, "");
    expect(node.counters.calls).toBe(3);
  });

  test("refuses another cluster by name", async () => {
    await expect(checkNode(nodeOf("genesis B", { result: "ok" }), "genesis A")).rejects.toThrow(
      /Cannot follow the network: a node of the cluster with genesis hash genesis A .* with genesis B/,
    );
  });

  test("refuses a stale node in its own words, and without the key", async () => {
    const stale = { error: { code: -32_005, message: "Node is behind by 42 slots", data: { numSlotsBehind: 42 } } };
    const thrown = await checkNode(nodeOf("genesis A", stale), "").catch((error: Error) => error);
    expect(String(thrown)).toMatch(/a node that keeps up with its cluster, was http.*Node is behind by 42 slots/);
    expect(String(thrown)).not.toContain("secret");
  });

  test("does not ask more of a node that has no getHealth", async () => {
    await checkNode(nodeOf("", { error: { code: -32_601, message: "Method not found" } }), "");
  });
});

describe("poolFilter()", () => {
  const [one, two] = ["one", "two"].map(testAddress) as [Address, Address];
  const none = { "market.poolsAllow": "", "market.poolsDeny": "", "market.tokensAllow": "", "market.tokensDeny": "" };
  const filterOf = (lists: Partial<typeof none>) => poolFilter({ ...none, ...lists });
  const pool = (address: Address) => ({
    address,
    owner: RAYDIUM_CPMM_PROGRAM,
    data: new Uint8Array([...CPMM_DISCRIMINATOR.poolState, 1, 2]),
  });

  test("lets all pools through without lists, and accounts of other kinds always", () => {
    const { passes } = filterOf({ "market.poolsDeny": `${one}` });
    expect([pool(one), pool(two), { ...pool(one), data: new Uint8Array(9) }].map(passes)).toEqual([false, true, true]);
    expect([pool(one), pool(two)].map(filterOf({}).passes)).toEqual([true, true]);
    expect(filterOf({}).pools).toBeUndefined();
  });

  test("an allow list lets only its own through, a deny list none of its own", () => {
    const { passes, pools } = filterOf({ "market.poolsAllow": ` ${one} , ${two}`, "market.poolsDeny": two });
    expect([pool(one), pool(two)].map(passes)).toEqual([true, false]);
    expect(pools).toEqual([one]);
  });

  test("reads a list from a file, an address a line", () => {
    const path = join(mkdtempSync(join(tmpdir(), "sandpiper-pools-")), "pools.txt");
    writeFileSync(path, `${one}\n${two}\n`);
    expect(filterOf({ "market.poolsAllow": `@${path}` }).pools).toEqual([one, two]);
    expect(() => filterOf({ "market.tokensDeny": "@/absent" })).toThrow(
      /Cannot use market.tokensDeny: a readable file/,
    );
  });

  test("refuses what is no address", () => {
    expect(() => filterOf({ "market.poolsAllow": "nonsense!" })).toThrow(
      'Cannot use market.poolsAllow: addresses with commas between, was "nonsense!"',
    );
  });
});

describe("a market that is only partly followed", () => {
  test("is read pool by pool, with configs and ticks, and tokens decide too", async () => {
    const { cluster, box } = await testMarket({
      concentrated: { pools: 2, program: readProgramFile("clmm") },
    });
    const door = startRpcDoor(cluster, { port: 0 });
    try {
      const node = new RpcNode(door.url, seededRandom("lists"));
      const { pools, tokens } = box.market;
      const whole = await readRpcSnapshot(node);
      const clmm = whole.accounts.flatMap(({ address, data }) => {
        const state = decodeClmmPool(data);
        return state.ok ? [{ address, mints: state.value.mints }] : [];
      });
      expect(clmm).toHaveLength(2);
      const facts = [...pools.map((one) => one.facts), ...clmm];
      const wanted = [pools[0]?.facts.address as Address, clmm[0]?.address as Address];
      const part = await readRpcSnapshot(node, "processed", wanted);
      const lists = { ...EMPTY_LISTS, "market.poolsAllow": wanted.join(",") };
      // The same accounts as the whole has of them; configs of other pools aside.
      const { passes } = poolFilter(lists);
      const own = (accounts: readonly AccountWrite[]) => {
        const kept = accounts.filter((account) => makesPrices(account) && passes(account));
        return kept
          .filter(({ data }) => !CONFIG_BYTES.includes(data.length))
          .map(({ address }) => address)
          .sort();
      };
      expect(own(part.accounts)).toEqual(own(whole.accounts));
      expect(own(part.accounts).length).toBeGreaterThan(2);
      expect(part.accounts.length).toBeLessThan(whole.accounts.length);

      const token = tokens.find(({ mint }) => mint !== WSOL_MINT)?.mint as Address;
      const isPool = new Map(facts.map((one) => [one.address, one.mints]));
      const left = (lists: Partial<typeof EMPTY_LISTS>) => {
        const passing = whole.accounts.filter(poolFilter({ ...EMPTY_LISTS, ...lists }).passes);
        return passing.flatMap(({ address }) => isPool.get(address) ?? []).filter((mint) => mint !== WSOL_MINT);
      };
      expect(left({})).toContain(token);
      expect(left({ "market.tokensDeny": token })).not.toContain(token);
      expect(new Set(left({ "market.tokensAllow": token }))).toEqual(new Set([token]));
    } finally {
      await door.stop();
    }
  }, 60_000);
});

const EMPTY_LISTS = {
  "market.poolsAllow": "",
  "market.poolsDeny": "",
  "market.tokensAllow": "",
  "market.tokensDeny": "",
};
const CONFIG_BYTES: readonly number[] = [CPMM_CONFIG_BYTES, CLMM_CONFIG_BYTES];
