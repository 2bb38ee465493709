/**
 * Fork mode's cluster against a real remote: another local cluster behind its RPC, with our programs and pools. Real bytes
 * come lazily, trades land on the fork, the origin is untouched, and the fork follows the origin's market.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { compileMessage } from "#execute/message.ts";
import { createRpc } from "#execute/rpc.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { createSimSource } from "#market/sim-source.ts";
import type { MarketEvent } from "#market/source.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { testMarket } from "#sim/fixture.ts";
import { RemoteFork } from "#sim/fork/remote-fork.ts";
import { eventually } from "./support/supervised-run.ts";

const LONG_MS = 120_000;

async function start() {
  const origin = await testMarket({ seed: "origin", tradesPerSlot: 8 });
  const originRpc = startRpcDoor(origin.cluster, { port: 0 });
  const clock = new ManualClock(origin.clock.wallNs(), 1e9);
  const cluster = createCluster({ seed: "fork", slotMs: 400, clock, startSlot: origin.cluster.slot });
  const fork = new RemoteFork(cluster, createRpc({ url: originRpc.url, timeoutMs: 20_000 }));
  const ws = startSocketDoor(cluster, { port: 0, clock });
  const rpc = startRpcDoor(cluster, { port: 0, socketPort: ws.port, prepare: fork.prepare });
  return { origin, originRpc, cluster, fork, rpc, ws, ask: createRpc({ url: rpc.url, timeoutMs: 20_000 }) };
}

let all: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  all = await start();
}, LONG_MS);
afterAll(async () => {
  all.fork.close();
  await Promise.all([all.rpc.stop(), all.ws.stop(), all.originRpc.stop()]);
});

const bytesOf = (cluster: LocalCluster, address: Address) =>
  Buffer.from(cluster.account(address)?.data ?? []).toString("hex");

/** A swap of the origin's first trader, signed for the fork. */
function trade(place: number, blockhash: string) {
  const { market } = all.origin.box;
  const pool = market.pools[place] as (typeof market.pools)[number];
  const trader = market.traders[0] as (typeof market.traders)[number];
  const accounts = pool.tokens.map((token) => trader.tokenAccounts[token] as Address) as [Address, Address];
  const instruction = swapInstruction(pool.facts, {
    owner: trader.keypair.address,
    inputSide: 0,
    inputAccount: accounts[0],
    outputAccount: accounts[1],
    amountIn: 1_000_000n,
    minimumOut: 0n,
  });
  const message = compileMessage({ payer: trader.keypair.address, blockhash, instructions: [instruction] });
  return { pool: pool.facts, wire: signTransaction(message, [trader.keypair]) };
}

describe("a fork of a cluster", () => {
  test("has nothing of the origin until it is asked, then its very bytes", async () => {
    const { origin, cluster, ask, fork } = all;
    const facts = origin.box.market.pools[0]?.facts as { address: Address; vaults: readonly [Address, Address] };
    expect(cluster.account(facts.address)).toBeUndefined();
    const answer = await ask("getMultipleAccounts", [[facts.address, ...facts.vaults], { encoding: "base64" }]);
    expect(answer.ok).toBe(true);
    for (const address of [facts.address, ...facts.vaults]) {
      expect(bytesOf(cluster, address)).not.toBe("");
      expect(bytesOf(cluster, address)).toBe(bytesOf(origin.cluster, address));
    }
    expect(fork.counters).toMatchObject({ fetched: 3, programs: 0 });
  });

  test("lands a trade with the origin's program and accounts, and leaves the origin untouched", async () => {
    const { origin, cluster, ask, fork } = all;
    const { pool, wire } = trade(1, cluster.latestBlockhash().blockhash);
    const before = [pool.address, ...pool.vaults].map((address) => bytesOf(origin.cluster, address));
    const transactions = origin.cluster.ledger.transactionCount;
    const sent = await ask("sendTransaction", [
      Buffer.from(wire).toString("base64"),
      { encoding: "base64", skipPreflight: true },
    ]);
    expect(sent).toMatchObject({ ok: true });
    const signature = sent.ok ? String(sent.value) : "";
    expect(cluster.ledger.transaction(signature)?.error).toBeNull();
    expect(fork.counters.programs).toBe(1);
    expect([pool.address, ...pool.vaults].map((address) => bytesOf(origin.cluster, address))).toEqual(before);
    expect(origin.cluster.ledger.transactionCount).toBe(transactions);
    const differences = new Map(fork.differences().map((one) => [one.address, one]));
    expect(differences.get(pool.vaults[0])?.tokens).toBe(1_000_000n);
    expect(differences.get(pool.vaults[1])?.tokens).toBeLessThan(0n);
    expect(differences.get(pool.address)?.dataDiffers).toBe(true);
  });

  test(
    "follows the origin's market, tells the feed, and keeps apart what its own trades changed",
    async () => {
      const { origin, cluster, fork, rpc, ws, ask } = all;
      await ask("getProgramAccounts", [RAYDIUM_CPMM_PROGRAM, { encoding: "base64" }]);
      const pools = origin.box.market.pools.map(({ facts }) => facts);
      await fork.ensure(pools.flatMap(({ vaults }) => vaults));
      const own = pools[1] as (typeof pools)[number];
      const ownBefore = own.vaults.map((vault) => bytesOf(cluster, vault));
      const events: MarketEvent[] = [];
      const source = createSimSource({
        rpcUrl: rpc.url,
        wsUrl: ws.url,
        clock: createSystemClock(),
        random: seededRandom("fork"),
        log: createLog({ process: "test", level: "error", format: "text" }),
      });
      const running = source.run((event) => events.push(event));
      await eventually("the snapshot", () => (events.some(({ kind }) => kind === "snapshot") ? true : undefined));
      await origin.runSlots(6);
      await fork.refresh();
      expect(fork.counters.moved).toBeGreaterThan(0);
      for (const { address, vaults } of pools.filter((pool) => pool !== own))
        for (const one of [address, ...vaults]) expect(bytesOf(cluster, one)).toBe(bytesOf(origin.cluster, one));
      expect(own.vaults.map((vault) => bytesOf(cluster, vault))).toEqual(ownBefore);
      const told = await eventually("the writes told", () => events.find((event) => event.kind === "writes"));
      expect(told.kind === "writes" && told.accounts.length).toBeGreaterThan(0);
      source.stop();
      await running;
    },
    LONG_MS,
  );

  test("says in words that the origin is away", async () => {
    const dead = createRpc({ url: "http://127.0.0.1:9/", timeoutMs: 500 });
    const { cluster } = all;
    const fork = new RemoteFork(cluster, dead);
    const door = startRpcDoor(cluster, { port: 0, prepare: fork.prepare });
    const answer = await createRpc({ url: door.url })("getBalance", ["Stake11111111111111111111111111111111111112"]);
    expect(JSON.stringify(answer)).toMatch(/Cannot fork: an answer of the origin to getMultipleAccounts, was/);
    fork.close();
    await door.stop();
  });
});
