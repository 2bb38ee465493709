/** The feed on the real local cluster, through its real doors: snapshot, stream, restart from genesis. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ManualClock } from "#core/clock.ts";
import { SandpiperError } from "#core/error.ts";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { cpmmReserve } from "#dex/raydium-cpmm/facts.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import {
  ARBITRAGE_RING,
  MARKET_RECORD,
  MARKET_RECORD_FLAG,
  MARKET_RECORD_KIND,
  MEV_RING,
} from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, slotRingBytes } from "#memory/slot-ring.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { type SimMarket, writeGenesis } from "#sim/genesis/genesis.ts";
import { PoolCatalogueBook } from "./catalogue.ts";
import type { MarketPosition } from "./catch-up.ts";
import { Feed } from "./feed.ts";
import { MarketRing } from "./market-ring.ts";
import { createSimSource, type SimSource } from "./sim-source.ts";

const PROGRAM = readFileSync(join(import.meta.dir, "../../programs/cp-swap.so"));
const DEADLINE_MS = 10_000;
const clock = new ManualClock(1_700_000_000_000_000_000n, 1e9);
const log = createLog({ process: "test", level: "error", format: "text" });

async function startMarket(startSlot: bigint, ports: { rpc: number; ws: number } = { rpc: 0, ws: 0 }) {
  const cluster = createCluster({ seed: "feed", slotMs: 400, clock, startSlot });
  const options = { seed: "feed", program: PROGRAM, wallet: "", traders: 1, rivals: 0 };
  const market = await writeGenesis(cluster, options);
  const rpc = startRpcDoor(cluster, { port: ports.rpc });
  const ws = startSocketDoor(cluster, { port: ports.ws, clock });
  return { cluster, market, rpc, ws, stop: () => Promise.all([rpc.stop(), ws.stop()]) };
}

function createRig() {
  const ring = (format: { slotBytes: number; capacity: number }) => {
    const buffer = new SharedArrayBuffer(slotRingBytes(format));
    formatSlotRing(buffer, format);
    return {
      ring: new MarketRing(buffer, () => {}, clock.monotonicNs.bind(clock)),
      consumer: new SlotConsumer(buffer),
    };
  };
  return { arbitrage: ring(ARBITRAGE_RING), mev: ring(MEV_RING), catalogue: new PoolCatalogueBook() };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await Bun.sleep(2);
  }
}

/** A swap of the first trader on a pool, landed now. */
function trade(
  { cluster, market }: Awaited<ReturnType<typeof startMarket>>,
  place: number,
  inputSide: 0 | 1,
  amountIn: bigint,
) {
  const pool = market.pools[place] as SimMarket["pools"][number];
  const trader = market.traders[0] as SimMarket["traders"][number];
  const accounts = pool.tokens.map((token) => trader.tokenAccounts[token] as Address) as [Address, Address];
  const instruction = swapInstruction(pool.facts, {
    owner: trader.keypair.address,
    inputSide,
    inputAccount: accounts[inputSide],
    outputAccount: accounts[inputSide === 0 ? 1 : 0],
    amountIn,
    minimumOut: 0n,
  });
  const { blockhash } = cluster.latestBlockhash();
  const message = compileMessage({ payer: trader.keypair.address, blockhash, instructions: [instruction] });
  const result = cluster.submit(signTransaction(message, [trader.keypair]));
  if (result.kind !== "executed" || result.executed.error !== null)
    throw new Error(
      `the swap did not execute: ${JSON.stringify(result, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`,
    );
  return { pool: pool.facts, signature: result.executed.signature };
}

/** What the cluster's own accounts say. */
function reservesOnChain({ cluster }: Awaited<ReturnType<typeof startMarket>>, address: Address): [bigint, bigint] {
  const bytes = (of: Address) => cluster.account(of)?.data ?? new Uint8Array();
  const state = decodePoolState(bytes(address));
  if (!state.ok) throw state.error;
  const { value } = state;
  return [0, 1].map((side) => {
    const amount = decodeTokenAmount(bytes(value.vaults[side as 0 | 1]));
    if (!amount.ok) throw amount.error;
    return cpmmReserve(value, side as 0 | 1, amount.value);
  }) as [bigint, bigint];
}

describe("createSimSource()", () => {
  let live: Awaited<ReturnType<typeof startMarket>>;
  let source: SimSource;
  let running: Promise<void>;
  let feed: Feed;
  const rig = createRig();

  beforeAll(async () => {
    live = await startMarket(1_000n);
    source = createSimSource({ rpcUrl: live.rpc.url, wsUrl: live.ws.url, clock, random: seededRandom("test"), log });
    feed = new Feed({
      arbitrage: rig.arbitrage.ring,
      mev: rig.mev.ring,
      catalogue: rig.catalogue,
      cpmmAuthority: (await cpmmAuthority()).address,
      unixSeconds: () => Number(clock.wallNs() / 1_000_000_000n),
      replayed: false,
    });
    running = source.run(feed.handle);
    await until(() => source.counters.connections === 1, "first snapshot");
  });
  afterAll(async () => {
    source.stop();
    await running;
    await live.stop();
  });

  test("begins with every pool of the market, its facts and its reserves", () => {
    expect(rig.catalogue.pools).toHaveLength(live.market.pools.length);
    expect(feed.book.known()).toHaveLength(live.market.pools.length);
    for (const { facts, reserves } of live.market.pools) {
      const found = rig.catalogue.find(facts.address);
      expect(found).toEqual({ ...facts, index: found?.index ?? -1 });
      expect(feed.book.reserves(found?.index ?? -1)).toEqual([...reserves]);
    }
    expect(feed.book.counters).toEqual({ malformedAccounts: 0, refusedPools: 0 });
  });

  test("follows swaps to the unit, both ways, with the swap's own record", async () => {
    const before = feed.counters.swaps;
    let work = 0;
    for (const [place, side] of [
      [0, 0],
      [0, 1],
      [3, 0],
      [7, 1],
    ] as const) {
      const facts = live.market.pools[place]?.facts as SimMarket["pools"][number]["facts"];
      const [reserveIn, reserveOut] =
        side === 0 ? reservesOnChain(live, facts.address) : reservesOnChain(live, facts.address).reverse();
      const amountIn = (reserveIn as bigint) / 1_000n;
      while (rig.mev.consumer.peek() >= 0) rig.mev.consumer.advance();
      rig.mev.consumer.release();
      trade(live, place, side, amountIn);
      work++;
      await until(() => feed.counters.swaps === before + work, "the swap");
      const index = rig.catalogue.find(facts.address)?.index ?? -1;
      expect(feed.book.reserves(index)).toEqual(reservesOnChain(live, facts.address));
      const { u32 } = rig.mev.consumer;
      const kindAt = (place: number) => u32[(place + MARKET_RECORD.kind) >> 2];
      expect(kindAt(rig.mev.consumer.peek())).toBe(MARKET_RECORD_KIND.transaction);
      rig.mev.consumer.advance();
      const at = rig.mev.consumer.peek();
      const word64 = (offset: number) =>
        (BigInt(u32[(at + offset + 4) >> 2] ?? 0) << 32n) | BigInt(u32[(at + offset) >> 2] ?? 0);
      expect(kindAt(at)).toBe(MARKET_RECORD_KIND.swap);
      expect(u32[(at + MARKET_RECORD.flags) >> 2]).toBe(MARKET_RECORD_FLAG.lastOfGroup);
      expect(u32[(at + MARKET_RECORD.pool) >> 2]).toBe(index);
      expect(u32[(at + MARKET_RECORD.inputSide) >> 2]).toBe(side);
      expect(word64(MARKET_RECORD.amountIn)).toBe(amountIn);
      expect(word64(MARKET_RECORD.amountOut)).toBe(
        quoteExactIn(facts, reserveIn as bigint, reserveOut as bigint, amountIn),
      );
    }
    expect(feed.counters.unreadableSwaps).toBe(0);
    expect(source.counters.malformedMessages).toBe(0);
  });

  test("starts anew when the cluster comes back from genesis at a higher slot", async () => {
    const ports = { rpc: live.rpc.port, ws: live.ws.port };
    const numbers = rig.catalogue.pools.map(({ address }) => address);
    await live.stop();
    live = await startMarket(5_000n, ports);
    await until(() => source.counters.connections === 2, "second snapshot");
    expect(rig.catalogue.pools.map(({ address }) => address)).toEqual(numbers);
    for (const { facts, reserves } of live.market.pools)
      expect(feed.book.reserves(rig.catalogue.find(facts.address)?.index ?? -1)).toEqual([...reserves]);
    const { pool } = trade(live, 2, 0, 1_000_000n);
    const index = rig.catalogue.find(pool.address)?.index ?? -1;
    await until(() => `${feed.book.reserves(index)}` === `${reservesOnChain(live, pool.address)}`, "the swap after it");
  });
});

test("createSimSource() passes on what happened while nobody followed, once and in order, then goes on", async () => {
  const live = await startMarket(1_000n);
  const parts = { rpcUrl: live.rpc.url, wsUrl: live.ws.url, clock, random: seededRandom("away"), log };
  const seen: string[] = [];
  let last: MarketPosition | undefined;
  const follow = async (complete: () => boolean, meanwhile: () => Promise<void> | void) => {
    const source = createSimSource({ ...parts, since: () => last });
    const running = source.run((event) => {
      if (event.kind !== "transaction") return;
      last = { slot: event.transaction.slot, signature: event.transaction.signature };
      seen.push(event.transaction.signature);
    });
    await until(() => source.counters.connections === 1, "the snapshot");
    await meanwhile();
    await until(complete, "what is expected");
    source.stop();
    await running;
    return source.counters.caughtUp;
  };
  const traded: string[] = [];
  const tradeSome = (count: number) => {
    for (let i = 0; i < count; i++) traded.push(trade(live, i, 0, 1_000_000n + BigInt(traded.length)).signature);
  };
  expect(
    await follow(
      () => seen.length === 2,
      () => tradeSome(2),
    ),
  ).toBe(0);
  tradeSome(2);
  live.cluster.nextSlot();
  tradeSome(3);
  const all = () => seen.length === 9;
  const caughtUp = await follow(all, async () => {
    tradeSome(1);
    live.cluster.nextSlot();
    tradeSome(1);
  });
  expect(seen).toEqual(traded);
  expect(caughtUp).toBe(5);
  await live.stop();
});

test("createSimSource() tells a gap when the cluster has another history than the one followed before", async () => {
  const live = await startMarket(1_000n);
  const kinds: string[] = [];
  const source = createSimSource({
    ...{ rpcUrl: live.rpc.url, wsUrl: live.ws.url, clock, random: seededRandom("other"), log },
    since: () => ({ slot: 1_000n, signature: "of another genesis" }),
  });
  const running = source.run(({ kind }) => kinds.push(kind));
  await until(() => source.counters.connections === 1, "the snapshot");
  trade(live, 0, 0, 1_000_000n);
  live.cluster.nextSlot();
  await until(() => kinds.filter((kind) => kind === "transaction").length === 1, "the trade");
  expect(kinds.indexOf("gap")).toBeLessThan(kinds.indexOf("transaction"));
  expect(kinds).toContain("gap");
  source.stop();
  await running;
  await live.stop();
});

test("createSimSource() gives up with one line when nothing answers within its limit", async () => {
  let nowNs = 0;
  const laterEachTime = () => {
    nowNs += 1e8;
    return nowNs;
  };
  const source = createSimSource({
    rpcUrl: "http://127.0.0.1:1",
    wsUrl: "ws://127.0.0.1:1",
    clock: { monotonicNs: laterEachTime, wallNs: () => 0n, wallQuality: () => undefined },
    random: seededRandom("away"),
    log,
    limits: { retryMsMin: 1, retryMsMax: 2, missingMsMax: 1_000 },
  });
  const ended = await source.run(() => {}).catch((thrown: unknown) => thrown);
  expect(ended).toBeInstanceOf(SandpiperError);
  expect((ended as SandpiperError).retry).toBe("later");
  expect((ended as SandpiperError).message).toContain("within 1000 ms");
});
