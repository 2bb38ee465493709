import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import type { PoolCatalogue } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_AMM_V4_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND, NO_POOL } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, slotRingBytes } from "#memory/slot-ring.ts";
import { parseBlock } from "./block-shape.ts";
import { PoolCatalogueBook } from "./catalogue.ts";
import { Feed } from "./feed.ts";
import { MarketRing } from "./market-ring.ts";
import { type RingTransaction, SwapReader } from "./swap-reader.ts";
import { type TestPool, testAmmPool, testBlock, testSwapTransaction } from "./test-block.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-feed-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Record = { kind: string; flags: number; sequence: number; slot: number; pool: number; words: [bigint, bigint] };

function readAll(consumer: SlotConsumer): Record[] {
  const records: Record[] = [];
  const { u32 } = consumer;
  for (let at = consumer.peek(); at >= 0; at = consumer.peek()) {
    const word = (offset: number) => u32[(at + offset) >> 2] as number;
    const word64 = (offset: number) => (BigInt(word(offset + 4)) << 32n) | BigInt(word(offset));
    const kinds = Object.entries(MARKET_RECORD_KIND);
    records.push({
      kind: kinds.find(([, number]) => number === word(MARKET_RECORD.kind))?.[0] ?? "none",
      flags: word(MARKET_RECORD.flags),
      sequence: Number(word64(MARKET_RECORD.sequence)),
      slot: Number(word64(MARKET_RECORD.slot)),
      pool: word(MARKET_RECORD.pool),
      words: [word64(MARKET_RECORD.reserve0), word64(MARKET_RECORD.reserve1)],
    });
    consumer.advance();
  }
  consumer.release();
  return records;
}

function createRig(capacity = 64, catalogue = new PoolCatalogueBook()) {
  const open = (slotBytes: number) => {
    const buffer = new SharedArrayBuffer(slotRingBytes({ capacity, slotBytes }));
    formatSlotRing(buffer, { capacity, slotBytes });
    let rings = 0;
    const ring = new MarketRing(
      buffer,
      () => rings++,
      () => 42,
    );
    return { ring, consumer: new SlotConsumer(buffer), rings: () => rings };
  };
  const arbitrage = open(64);
  const mev = open(256);
  const feed = new Feed({
    arbitrage: arbitrage.ring,
    mev: mev.ring,
    catalogue,
    cpmmAuthority: "authority" as Address,
    unixSeconds: () => 1,
    replayed: true,
  });
  let blocks = 0;
  const swap = (pool: TestPool, amount = 1_000_000n) => {
    const json = testBlock(++blocks, 1, [testSwapTransaction(`${blocks}`, { pool, inputSide: 0, amount })]);
    const { transactions } = parseBlock(json, 0, (place) => {
      throw new Error(place);
    });
    for (const transaction of transactions)
      feed.handle({ kind: "transaction", arrivedNs: blocks, transaction, accounts: [] });
  };
  return { feed, arbitrage, mev, catalogue, swap };
}

const newPool = (name = "pool") => testAmmPool(name, "token", 1_000_000_000_000n, 500_000_000_000n);
const { lastOfGroup, replayed, snapshot } = MARKET_RECORD_FLAG;

describe("Feed", () => {
  test("announces a new pool, then its state, and the swap to the mev ring", () => {
    const { arbitrage, mev, swap } = createRig();
    const pool = newPool();
    swap(pool);
    const records = readAll(arbitrage.consumer);
    expect(records.map(({ kind, pool: index, flags }) => [kind, index, flags])).toEqual([
      ["catalogue", 1, lastOfGroup | replayed],
      ["poolState", 0, lastOfGroup | replayed],
    ]);
    expect(records[1]?.words).toEqual(pool.reserves);
    expect(readAll(mev.consumer).map(({ kind }) => kind)).toEqual(["catalogue", "transaction", "swap"]);
    expect(arbitrage.rings()).toBe(2);
  });

  test("marks only the last record of a transaction", () => {
    const { arbitrage, feed } = createRig();
    const origin = { slot: 5n, transactionIndex: 0, eventNs: 0, flags: 0 };
    const state = (pool: number) => ({ kind: "poolState" as const, pool, reserves: [1n, 2n] as const });
    arbitrage.ring.write([state(1), state(2), state(3)], origin);
    expect(readAll(arbitrage.consumer).map(({ flags }) => flags)).toEqual([0, 0, lastOfGroup]);
    expect(feed.counters.transactions).toBe(0);
  });

  test("drops whole groups when a ring is full, leaves a gap in the sequence, and sends a snapshot once there is room", () => {
    const { arbitrage, mev, swap, feed } = createRig(4);
    const pool = newPool();
    for (let i = 0; i < 6; i++) swap(pool);
    // Catalogue and three states found room; three did not. In the mev ring a swap comes with its transaction.
    expect(arbitrage.ring.dropped).toBe(3);
    expect(mev.ring.dropped).toBe(10);
    expect(feed.troubles()).toMatchObject({ arbitrageDropped: 3, mevDropped: 10, malformedAccounts: 0 });
    expect(readAll(arbitrage.consumer).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    feed.serveSnapshots();
    const after = readAll(arbitrage.consumer);
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ kind: "poolState", flags: lastOfGroup | replayed | snapshot, sequence: 8 });
    expect(after[0]?.words).toEqual(pool.reserves);
  });

  test("answers a reader's request with the state of every pool", () => {
    const { arbitrage, swap, feed } = createRig();
    const pools = ["a", "b", "c"].map(newPool);
    for (const pool of pools) swap(pool);
    readAll(arbitrage.consumer);
    feed.serveSnapshots();
    expect(readAll(arbitrage.consumer)).toEqual([]);
    arbitrage.consumer.requestSnapshot();
    feed.serveSnapshots();
    const records = readAll(arbitrage.consumer);
    expect(records.map(({ words }) => words)).toEqual(pools.map(({ reserves }) => reserves));
    expect(records.map(({ flags }) => (flags & lastOfGroup) !== 0)).toEqual([false, false, true]);
    expect(records.every(({ flags }) => (flags & snapshot) !== 0)).toBe(true);
  });

  test("tells both rings of slots and of the end", () => {
    const { arbitrage, mev, feed } = createRig();
    feed.handle({ kind: "slot", slot: 77n, slotStartMs: 1_700_000_000_123, arrivedNs: 1 });
    feed.handle({ kind: "end", slot: 77n, arrivedNs: 2 });
    for (const { consumer } of [arbitrage, mev]) {
      const [slot, end] = readAll(consumer);
      expect(slot).toMatchObject({ kind: "slot", slot: 77, pool: NO_POOL });
      expect(slot?.words[0]).toBe(1_700_000_000_123n);
      expect(end?.kind).toBe("end");
    }
  });

  test("counts malformed accounts and goes on; a pool without its config or vaults has no state", () => {
    const { feed } = createRig();
    const write = (name: string, data: Uint8Array) => ({ address: name as Address, owner: RAYDIUM_CPMM_PROGRAM, data });
    const poolState = new Uint8Array(637);
    poolState.set(CPMM_DISCRIMINATOR.poolState);
    feed.handle({
      kind: "snapshot",
      slot: 1n,
      arrivedNs: 1,
      accounts: [
        write("short pool", new Uint8Array(CPMM_DISCRIMINATOR.poolState)),
        write("short config", new Uint8Array(CPMM_DISCRIMINATOR.ammConfig)),
        write("something else", new Uint8Array(40)),
        write("lonely pool", poolState),
      ],
    });
    expect(feed.book.counters.malformedAccounts).toBe(2);
    expect(feed.book.known()).toEqual([]);
  });
});

describe("SwapReader", () => {
  test("counts events and swaps, and what the ring had no room for", () => {
    const { mev, swap } = createRig(8);
    const pool = newPool();
    const seen: RingTransaction[] = [];
    let catalogues = 0;
    const reader = new SwapReader(mev.consumer, {
      transaction: (transaction) => void seen.push(transaction),
      catalogue: () => void catalogues++,
    });
    for (let i = 0; i < 6; i++) swap(pool);
    while (reader.doWork(2) > 0);
    swap(pool);
    // A swap's record and its transaction's.
    expect(reader.doWork(10)).toBe(2);
    expect(reader).toMatchObject({ events: 5, swaps: 4, dropped: 6, slot: 8 });
    expect([seen.length, catalogues]).toEqual([4, 1]);
    expect(reader.lagMs(5e9)).toBe(0);
  });

  test("hands out a transaction whole: who paid what, and each swap as it was executed", () => {
    const { mev, swap } = createRig();
    const pool = newPool();
    swap(pool);
    const seen: RingTransaction[] = [];
    const reader = new SwapReader(mev.consumer, {
      transaction: (transaction) => void seen.push(transaction),
      catalogue: () => {},
    });
    while (reader.doWork(64) > 0);
    const [{ feeLamports, feePayer, signature, payments, swaps } = {} as RingTransaction] = seen;
    expect({ feeLamports, payments }).toEqual({ feeLamports: 5_000n, payments: [] });
    for (const address of [feePayer, signature]) expect(address.length).toBeGreaterThan(30);
    expect(swaps).toHaveLength(1);
    const [one] = swaps;
    expect(one).toMatchObject({ dex: "raydium-amm-v4", poolIndex: 0, exact: "in", program: RAYDIUM_AMM_V4_PROGRAM });
    expect(one?.amountIn).toBeGreaterThan(0n);
    expect(one?.reservesBefore[one.inputSide]).toBe(
      (pool.reserves[one?.inputSide ?? 0] as bigint) - (one?.amountIn ?? 0n),
    );
  });
});

describe("PoolCatalogueBook", () => {
  const facts = (name: string) => {
    const { swap, catalogue } = createRig();
    swap(newPool(name));
    const { index: _, ...rest } = catalogue.pools[0] as PoolCatalogue["pools"][number];
    return rest;
  };

  test("gives the same numbers after a restart, appends new pools, replaces changed facts", () => {
    const path = join(folder, "pools.json");
    const first = new PoolCatalogueBook(path);
    expect([first.put(facts("a"))?.index, first.put(facts("b"))?.index]).toEqual([0, 1]);
    expect(first.save()).toBe(true);
    expect(first.save()).toBe(false);
    const second = new PoolCatalogueBook(path);
    expect(second.put(facts("c"))?.index).toBe(2);
    expect(second.put(facts("b"))?.index).toBe(1);
    expect(second.put({ ...facts("a"), feeNumerator: 7 })?.index).toBe(0);
    second.save();
    const saved = JSON.parse(readFileSync(path, "utf8")) as PoolCatalogue;
    expect(saved.pools.map(({ index, feeNumerator }) => [index, feeNumerator])).toEqual([
      [0, 7],
      [1, 25],
      [2, 25],
    ]);
    expect(saved.version).toBe(4);
  });

  test.each([
    ["cut JSON", '{"version":1,"pools":['],
    ["a list", "[]"],
    ["null", "null"],
    ["a pool that is none", '{"version":1,"pools":[{}]}'],
    ["no version", '{"pools":[]}'],
  ])("refuses a file with %s", (_, text) => {
    const path = join(folder, "bad.json");
    writeFileSync(path, text);
    expect(() => new PoolCatalogueBook(path)).toThrow(SandpiperError);
  });

  test("refuses a file whose numbers are not its places", () => {
    const path = join(folder, "moved.json");
    writeFileSync(path, JSON.stringify({ version: 1, pools: [{ index: 1, ...facts("a") }] }));
    expect(() => new PoolCatalogueBook(path)).toThrow("pool 0 at place 0");
  });
});
