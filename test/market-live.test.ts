/**
 * One local cluster through its gRPC (a fake Yellowstone server in a process of its own), through its RPC and WebSocket,
 * and through both at once: the same trades, the same state, whatever breaks in between.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { resumeSlotOf } from "#market/catch-up.ts";
import { Feed } from "#market/feed.ts";
import { createLiveSource, type LiveSource } from "#market/live/live-source.ts";
import type { LiveStream } from "#market/live/live-stream.ts";
import { RpcNode } from "#market/live/rpc-node.ts";
import { createRpcStream } from "#market/live/rpc-stream.ts";
import { createYellowstoneStream } from "#market/live/yellowstone-stream.ts";
import { MarketRing } from "#market/market-ring.ts";
import { readAccounts, readRpcSnapshot } from "#market/rpc-snapshot.ts";
import type { MarketEvent } from "#market/source.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { formatSlotRing, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { testMarket } from "#sim/fixture.ts";
import { startFakeGeyser } from "./support/fake-geyser/fake-geyser.ts";

const clock = createSystemClock();
const log = createLog({ process: "test", level: "error", format: "text" });
const WAIT_MS = 60_000;
const PROGRAMS = [RAYDIUM_CPMM_PROGRAM];

type Market = Awaited<ReturnType<typeof startMarket>>;

async function startMarket() {
  const market = await testMarket({ seed: "live" });
  const ws = startSocketDoor(market.cluster, { port: 0, clock: market.clock });
  const rpc = startRpcDoor(market.cluster, { port: 0, socketPort: ws.port });
  const geyser = await startFakeGeyser(market.cluster);
  return { ...market, ws, rpc, geyser };
}

/** The rings of the agents, which outlive a feed. */
function newRings() {
  const ring = (format: SlotRingFormat) => {
    const buffer = new SharedArrayBuffer(slotRingBytes(format));
    formatSlotRing(buffer, format);
    return () => new MarketRing(buffer, () => {}, clock.monotonicNs);
  };
  return { arbitrage: ring(ARBITRAGE_RING), mev: ring(MEV_RING) };
}

/** A feed behind a live source, and what came through it. */
class Follower {
  readonly swaps: string[] = [];
  readonly events: MarketEvent[] = [];
  readonly catalogue = new PoolCatalogueBook();
  readonly feed: Feed;
  readonly source: LiveSource;
  readonly running: Promise<void>;

  constructor(
    market: Market,
    authority: Address,
    makeStreams: (vaults: Set<Address>, fromSlot: number) => LiveStream[],
    rings = newRings(),
    beforeSnapshot = async () => {},
  ) {
    const mev = rings.mev();
    const passed = mev.lastTransactions(1_000);
    this.feed = new Feed({
      arbitrage: rings.arbitrage(),
      mev,
      catalogue: this.catalogue,
      cpmmAuthority: authority,
      unixSeconds: () => Number(market.clock.wallNs() / 1_000_000_000n),
      replayed: false,
      onSwap: (swap, { transaction }) =>
        this.swaps.push([transaction.slot, transaction.signature, swap.pool, swap.amountIn, swap.amountOut].join()),
    });
    const vaults = new Set<Address>();
    const node = new RpcNode(market.rpc.url, seededRandom("node"));
    this.source = createLiveSource({
      streams: makeStreams(vaults, resumeSlotOf(passed)),
      passed,
      snapshot: () => beforeSnapshot().then(() => readRpcSnapshot(node)),
      accounts: (addresses) => readAccounts(node, addresses),
      vaults,
      clock,
      random: seededRandom("source"),
      log,
    });
    this.running = this.source.run((event) => {
      this.events.push(event);
      this.feed.handle(event);
    });
  }

  get counters() {
    return this.source.counters;
  }

  state(): string {
    const rows = this.catalogue.pools.map(({ address, index }) => `${address} ${this.feed.book.reserves(index)}`);
    return rows.sort().join("\n");
  }

  async stop(): Promise<void> {
    this.source.stop();
    await this.running;
  }
}

const common = { clock, random: seededRandom("streams"), log, commitment: "processed" } as const;
const grpc = (market: Market, vaults: Set<Address>, fromSlot = 0): LiveStream =>
  createYellowstoneStream({
    ...common,
    fromSlot,
    name: "grpc",
    url: market.geyser.url,
    token: "secret-token",
    filter: { programs: PROGRAMS, accounts: vaults },
  });
const webSocket = (market: Market, vaults: Set<Address>, fromSlot = 0): LiveStream =>
  createRpcStream({
    ...common,
    fromSlot,
    name: "ws",
    wsUrl: market.ws.url,
    node: new RpcNode(market.rpc.url, seededRandom("ws")),
    filter: { programs: PROGRAMS, accounts: vaults },
  });

/** Turns slots until the condition holds. */
async function slotsUntil(market: Market, condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    market.cluster.nextSlot();
    await Bun.sleep(20);
  }
}

/** What the cluster's own accounts say. */
function onChain(market: Market, follower: Follower): string {
  const rows = market.box.market.pools.map(({ facts }) => {
    const known = follower.catalogue.find(facts.address);
    const amount = (vault: Address) =>
      new DataView((market.cluster.account(vault)?.data ?? new Uint8Array(72)).slice().buffer).getBigUint64(64, true);
    return { address: facts.address, known: known !== undefined, vaults: facts.vaults.map(amount) };
  });
  return JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? `${value}` : value));
}

describe("live streams of one cluster", () => {
  let market: Market;
  let authority: Address;
  beforeAll(async () => {
    market = await startMarket();
    authority = (await cpmmAuthority()).address;
  }, 60_000);
  afterAll(async () => {
    await market.geyser.stop();
    await market.rpc.stop();
    await market.ws.stop();
  });

  test("gRPC, WebSocket and both at once tell the same trades and end in the same state", async () => {
    const followers = {
      grpc: new Follower(market, authority, (vaults) => [grpc(market, vaults)]),
      ws: new Follower(market, authority, (vaults) => [webSocket(market, vaults)]),
      both: new Follower(market, authority, (vaults) => [grpc(market, vaults), webSocket(market, vaults)]),
    };
    const all = Object.values(followers);
    // The second snapshot is the one behind the filter that knows the vaults.
    await slotsUntil(market, () => all.every(({ counters }) => counters.snapshots >= 2), "snapshots");
    const from = market.cluster.slot;
    for (let i = 0; i < 12; i++) {
      await market.runSlots(1);
      await Bun.sleep(10);
    }
    const to = market.cluster.slot;
    const traded = (follower: Follower) =>
      [
        ...new Set(
          follower.swaps.filter((row) => BigInt(row.split(",")[0] ?? 0) >= from && BigInt(row.split(",")[0] ?? 0) < to),
        ),
      ].sort();
    await slotsUntil(
      market,
      () =>
        traded(followers.grpc).length > 20 && all.every((one) => traded(one).length === traded(followers.grpc).length),
      "the same number of trades",
    );
    expect(traded(followers.ws)).toEqual(traded(followers.grpc));
    expect(traded(followers.both)).toEqual(traded(followers.grpc));
    for (const follower of all) expect(follower.swaps).toHaveLength(new Set(follower.swaps).size);
    await slotsUntil(market, () => all.every((one) => one.state() === followers.grpc.state()), "the same state");
    expect(followers.grpc.feed.book.known()).toHaveLength(market.box.market.pools.length);
    expect(onChain(market, followers.grpc)).toContain('"known":true');
    expect(followers.both.source.merge.counters.repeatedTransactions).toBeGreaterThan(0);
    await Promise.all(all.map((one) => one.stop()));
  }, 120_000);

  test("all writes of one transaction arrive together: no pool is ever seen between two of its accounts", async () => {
    const follower = new Follower(market, authority, (vaults) => [grpc(market, vaults)]);
    await slotsUntil(market, () => follower.counters.snapshots >= 2, "snapshots");
    const seen = follower.events.length;
    await market.runSlots(4);
    const swapped = () =>
      follower.events
        .slice(seen)
        .filter((event) => event.kind === "transaction" && !event.transaction.failed && event.accounts.length > 0);
    await slotsUntil(market, () => swapped().length > 5, "trades");
    const vaults = new Set(market.box.market.pools.flatMap(({ facts }) => facts.vaults));
    for (const event of swapped())
      if (event.kind === "transaction" && event.accounts.some(({ owner }) => owner === RAYDIUM_CPMM_PROGRAM))
        expect(event.accounts.filter(({ address }) => vaults.has(address)).length % 2).toBe(0);
    await follower.stop();
  }, 120_000);

  test("a broken gRPC stream goes on where it broke, and no trade is missing", async () => {
    const follower = new Follower(market, authority, (vaults) => [grpc(market, vaults)]);
    await slotsUntil(market, () => follower.counters.snapshots >= 2, "snapshots");
    const before = market.box.traders.counters.landed;
    for (let i = 0; i < 4; i++) {
      market.geyser.command({ break: true });
      await market.runSlots(2);
      await Bun.sleep(50);
    }
    const landed = market.box.traders.counters.landed - before;
    const known = () => new Set(follower.swaps).size;
    await slotsUntil(market, () => known() >= landed, `${landed} trades`);
    expect(follower.feed.counters.gaps).toBe(0);
    expect(follower.swaps).toHaveLength(known());
    await follower.stop();
  }, 120_000);

  test.each([
    ["gRPC", [grpc]],
    ["WebSocket", [webSocket]],
    ["both", [grpc, webSocket]],
  ])(
    "a feed goes on where the feed before it ended, over %s: no trade is missing, none comes twice",
    async (_, ways) => {
      const rings = newRings();
      const next = () =>
        new Follower(market, authority, (vaults, from) => ways.map((way) => way(market, vaults, from)), rings);
      const first = next();
      await slotsUntil(market, () => first.counters.snapshots >= 2, "snapshots");
      const { landed } = market.box.traders.counters;
      const from = market.cluster.slot;
      await market.runSlots(4);
      // In the middle of what it has to tell.
      await slotsUntil(market, () => first.swaps.length > 0, "a trade");
      await first.stop();
      await market.runSlots(12);
      const second = next();
      const known = () => [...first.swaps, ...second.swaps].filter((row) => BigInt(row.split(",")[0] ?? 0) >= from);
      const wanted = market.box.traders.counters.landed - landed;
      expect(wanted).toBeGreaterThan(20);
      await slotsUntil(market, () => new Set(known()).size >= wanted, `${wanted} trades`);
      await slotsUntil(market, () => second.counters.snapshots >= 2, "snapshots of the second feed");
      expect(known()).toHaveLength(new Set(known()).size);
      expect(second.feed.counters.gaps).toBe(0);
      await second.stop();
    },
    120_000,
  );

  test("what was traded while a snapshot was read is told, too", async () => {
    let asked = false;
    const held = Promise.withResolvers<void>();
    const slowly = () => {
      asked = true;
      return held.promise;
    };
    const follower = new Follower(market, authority, (vaults) => [grpc(market, vaults)], newRings(), slowly);
    await slotsUntil(market, () => asked, "a snapshot asked for");
    const { landed } = market.box.traders.counters;
    const from = market.cluster.slot;
    await market.runSlots(4);
    const wanted = market.box.traders.counters.landed - landed;
    expect(wanted).toBeGreaterThan(5);
    await slotsUntil(market, () => follower.source.merge.newestSlot > Number(from) + 4, "the slots heard");
    held.resolve();
    const known = () => new Set(follower.swaps.filter((row) => BigInt(row.split(",")[0] ?? 0) >= from));
    await slotsUntil(market, () => known().size >= wanted, `${wanted} trades`);
    await follower.stop();
  }, 120_000);

  test("a server that forgot tells a gap, and a snapshot mends the state", async () => {
    const follower = new Follower(market, authority, (vaults) => [grpc(market, vaults)]);
    await slotsUntil(market, () => follower.counters.snapshots >= 2, "snapshots");
    const { snapshots } = follower.counters;
    market.geyser.command({ silent: true });
    await market.runSlots(3);
    market.geyser.command({ forget: true });
    market.geyser.command({ silent: false });
    market.geyser.command({ break: true });
    await slotsUntil(market, () => follower.counters.snapshots > snapshots, "another snapshot");
    await slotsUntil(market, () => follower.feed.counters.gaps > 0, "the gap told");
    const fresh = new Follower(market, authority, (vaults) => [webSocket(market, vaults)]);
    await slotsUntil(
      market,
      () => fresh.counters.snapshots >= 2 && fresh.state() === follower.state(),
      "the same state",
    );
    await Promise.all([follower.stop(), fresh.stop()]);
  }, 120_000);

  test("a slot that dies is told, and what it had written is read anew", async () => {
    const follower = new Follower(market, authority, (vaults) => [grpc(market, vaults)]);
    await slotsUntil(market, () => follower.counters.snapshots >= 2, "snapshots");
    const { snapshots } = follower.counters;
    const count = follower.swaps.length;
    const slot = Number(market.cluster.slot);
    await market.runSlots(3);
    await slotsUntil(market, () => follower.swaps.length > count, "trades");
    market.geyser.kill(slot);
    await slotsUntil(market, () => follower.counters.snapshots > snapshots, "a snapshot after it");
    expect(follower.events.filter(({ kind }) => kind === "dead")).toHaveLength(1);
    await follower.stop();
  }, 120_000);
});
