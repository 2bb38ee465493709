/**
 * The mev agent's way on real parts, in one process: somebody sandwiches on the local cluster; its geyser door, the feed,
 * the ring, the detector, the bus, the recorder and ClickHouse; and the API shows what was done, to the unit.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { FindingPublisher } from "#execute/finding-publisher.ts";
import { createRpc } from "#execute/rpc.ts";
import type { SandwichRow } from "#gateway/api/schemas.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { MarketRing } from "#market/market-ring.ts";
import { createSimSource, type SimSource } from "#market/sim-source.ts";
import { SwapReader } from "#market/swap-reader.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, slotRingBytes } from "#memory/slot-ring.ts";
import { MevWatch } from "#mev/watch.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { type TestMarket, testMarket } from "#sim/fixture.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { eventually } from "./support/supervised-run.ts";

const SLOTS = 24;
const log = createLog({ process: "test", level: "error", format: "text" });
/** The manual clock of the market is of 2023; what is on record is told by when it was published. */
const wall = { wallNs: () => BigInt(Date.now()) * 1_000_000n, wallQuality: () => undefined };

let stage: GatewayStage;
let market: TestMarket;
let doors: readonly { stop(): Promise<unknown> }[];
let source: SimSource;
let running: Promise<void>;

beforeAll(async () => {
  stage = await GatewayStage.start(Date.now() - 60_000);
  stage.report();
  market = await testMarket({ rivals: 0, tradesPerSlot: 30, sandwichShare: 1 });
}, 120_000);
afterAll(async () => {
  source?.stop();
  await running;
  await Promise.all(doors?.map((door) => door.stop()) ?? []);
  await stage.stop();
}, 60_000);

function ringOf(format: { slotBytes: number; capacity: number }) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return {
    ring: new MarketRing(
      buffer,
      () => {},
      () => market.clock.monotonicNs(),
    ),
    consumer: new SlotConsumer(buffer),
  };
}

test("sandwiches on the local cluster come out of the API with their legs, victims, exact losses and leader", async () => {
  const { cluster, clock, box } = market;
  const rpc = startRpcDoor(cluster, { port: 0 });
  const ws = startSocketDoor(cluster, { port: 0, clock });
  doors = [rpc, ws];
  const mev = ringOf(MEV_RING);
  const catalogue = new PoolCatalogueBook();
  const feed = new Feed({
    arbitrage: ringOf(ARBITRAGE_RING).ring,
    mev: mev.ring,
    catalogue,
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => Number(clock.wallNs() / 1_000_000_000n),
    replayed: false,
  });
  const publisher = new FindingPublisher({
    identity: { version: "0", agent: "mev", mode: "sim" },
    rpc: createRpc({ url: rpc.url }),
    publish: (key, envelope) => stage.bus.publish("sandwich-decisions-proto", key, envelope),
    ...{ clock: wall, log },
  });
  const watch = new MevWatch((finding) => publisher.give(finding, 0));
  const reader = new SwapReader(mev.consumer, {
    transaction: (seen) => watch.see(seen),
    catalogue: () => watch.setCatalogue({ version: catalogue.version, pools: catalogue.pools }),
  });
  source = createSimSource({ rpcUrl: rpc.url, wsUrl: ws.url, clock, random: seededRandom("mev"), log });
  running = source.run(feed.handle);
  await eventually("the first snapshot", async () => (source.counters.connections === 1 ? true : undefined));

  let executed = 0;
  cluster.onTransaction(() => void executed++);
  await market.runSlots(SLOTS);
  await eventually("every transaction at the feed", async () =>
    feed.counters.transactions >= executed ? true : undefined,
  );
  while (reader.doWork(512) > 0);
  watch.flush();
  await publisher.stop();
  expect({ unknownPools: watch.unknownPools, ringDropped: reader.dropped, notPublished: publisher.dropped }).toEqual({
    unknownPools: 0,
    ringDropped: 0,
    notPublished: 0,
  });

  const attacker = box.sandwicher.wallet.keypair.address;
  const found = await eventually("every finding on record", async () => {
    const { sandwiches } = (await (await fetch(`${stage.url}/api/sandwiches?limit=1000`)).json()) as {
      sandwiches: SandwichRow[];
    };
    return sandwiches.length >= publisher.published ? sandwiches : undefined;
  });
  console.log(`${box.sandwicher.counters.attacks} attacks, ${found.length} findings`);
  expect(found.length).toBeGreaterThan(box.sandwicher.counters.attacks / 3);
  for (const row of found) {
    expect(row).toMatchObject({ attackers: [attacker], leader: cluster.identity, mode: "sim" });
    expect(row.leg_roles).toEqual(["front", "back"]);
    const [paid = "0", received = "0"] = [row.leg_amounts_in[0], row.leg_amounts_out[1]];
    expect(BigInt(row.gross_lamports)).toBe(BigInt(received) - BigInt(paid));
    expect(BigInt(row.net_lamports)).toBe(
      BigInt(row.gross_lamports) - BigInt(row.fee_lamports) - BigInt(row.tip_lamports),
    );
    expect(BigInt(row.net_lamports)).toBeGreaterThan(0n);
    expect(row.victim_wallets.length).toBeGreaterThan(0);
    expect(row.victims_unpriced).toBe(0);
    expect(BigInt(row.victims_loss_lamports)).toBeGreaterThan(0n);
    expect(row.evidence.length).toBeGreaterThan(5);
  }
  expect(new Set(found.map(({ type }) => type))).toEqual(new Set(["same_slot", "bundle", "wide"]));
  const byAttacker = await fetch(`${stage.url}/api/sandwiches?attacker=${attacker}&limit=1`);
  expect(((await byAttacker.json()) as { sandwiches: unknown[]; next: unknown }).next).toBeString();
  const views = await stage.store.query<{ wallet: string; sandwiches: string; share: number }>(
    "SELECT wallet, sandwiches, share FROM sandpiper.sandwiches_by_attacker",
  );
  expect(views).toEqual([{ wallet: attacker, sandwiches: String(found.length), share: 1 }]);
}, 240_000);
