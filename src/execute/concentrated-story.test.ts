/**
 * The whole loop over both kinds of pools on the real local cluster: the market moves, the feed reads it through its
 * doors, the hot loop decides, and what it decided lands with the amounts it named, to the unit.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { base58Decode } from "#core/base58.ts";
import { ManualClock } from "#core/clock.ts";
import { createLog } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { DECISION_RING, type Decision, readDecision } from "#decide/decision-record.ts";
import { createHotLoop } from "#decide/hot-loop.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { decodePoolState } from "#dex/raydium-clmm/decode.ts";
import { decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { MarketRing } from "#market/market-ring.ts";
import { createSimSource } from "#market/sim-source.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { writeGenesis } from "#sim/genesis/genesis.ts";
import { explainMiss } from "./explain.ts";
import { type Keypair, keypairFromSeed } from "./keypair.ts";
import { compileMessage } from "./message.ts";
import { planInstructions, transferLamports } from "./plan.ts";
import { RivalFinder } from "./rivals.ts";
import { createRpc } from "./rpc.ts";
import { signatureOf, signTransaction } from "./transaction.ts";
import { Wallet } from "./wallet.ts";

const program = (name: string) => readFileSync(join(import.meta.dir, `../../programs/${name}.so`));
const DEADLINE_MS = 10_000;
const SLOT_MS = 400;
const TRADES = 80;
const CONCENTRATED_POOLS = 8;

function newRing(format: SlotRingFormat) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return buffer;
}

async function startWorld() {
  const clock = new ManualClock(1_700_000_000_000_000_000n, 1e9);
  const wallet = new Wallet(keypairFromSeed(new Uint8Array(32).fill(42)));
  const cluster = createCluster({ seed: "concentrated", slotMs: SLOT_MS, clock, startSlot: 1_000n });
  const market = await writeGenesis(cluster, {
    seed: "concentrated",
    program: program("cp-swap"),
    concentrated: { pools: CONCENTRATED_POOLS, program: program("clmm") },
    wallet: wallet.address,
    traders: 1,
    rivals: 0,
  });
  cluster.nextSlot();
  const rpc = startRpcDoor(cluster, { port: 0 });
  const socket = startSocketDoor(cluster, { port: 0, clock });
  const rings = { arbitrage: newRing(ARBITRAGE_RING), mev: newRing(MEV_RING), decisions: newRing(DECISION_RING) };
  const catalogue = new PoolCatalogueBook();
  const openRing = (buffer: SharedArrayBuffer) =>
    new MarketRing(
      buffer,
      () => {},
      () => clock.monotonicNs(),
    );
  const feed = new Feed({
    arbitrage: openRing(rings.arbitrage),
    mev: openRing(rings.mev),
    catalogue,
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => Number(clock.wallNs() / 1_000_000_000n),
    replayed: false,
  });
  const log = createLog({ process: "test", level: "error", format: "text" });
  const source = createSimSource({ rpcUrl: rpc.url, wsUrl: socket.url, clock, random: seededRandom("story"), log });
  const running = source.run(feed.handle);
  await until(() => source.counters.connections === 1, "the first snapshot");
  const board = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  board.writePolicy({ killed: false, stopped: false, throttlePct: 0, evMinLamports: 1, tipLadderLamports: [10_000] });
  const loop = createHotLoop({
    market: new SlotConsumer(rings.arbitrage),
    decisions: new SlotProducer(rings.decisions),
    switchboard: board,
    model: { hash: "", predict: () => 0.5 },
    clock,
    counters: countersOver(new SharedArrayBuffer(COUNTERS_BYTES)),
    latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
    settings: {
      hopsMax: 3,
      splitGainLamportsMin: 10_000,
      inputLamportsMax: 50e9,
      tipShareMax: 0.5,
      feeLamports: 5_000,
      missCostLamports: 0,
      slotMs: SLOT_MS,
      walletLamports: 1e12,
    },
  });
  await wallet.learn(catalogue.pools);
  const decisions = new SlotConsumer(rings.decisions);
  const stop = async () => {
    source.stop();
    await running;
    await Promise.all([rpc.stop(), socket.stop()]);
  };
  return { clock, wallet, cluster, market, catalogue, feed, loop, decisions, rpcUrl: rpc.url, stop };
}
type World = Awaited<ReturnType<typeof startWorld>>;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await Bun.sleep(1);
  }
}

/** Executes instructions now, and waits until the feed has read them. */
async function execute(
  world: World,
  signer: Keypair,
  instructions: Parameters<typeof compileMessage>[0]["instructions"],
) {
  const { cluster, feed } = world;
  const message = compileMessage({
    payer: signer.address,
    blockhash: cluster.latestBlockhash().blockhash,
    instructions,
  });
  const read = feed.counters.transactions;
  const result = cluster.submit(signTransaction(message, [signer]));
  if (result.kind === "executed") await until(() => feed.counters.transactions > read, "the feed's reading");
  return result;
}

/** The decisions on all that the feed wrote. */
function decide({ loop, decisions, catalogue }: World): Decision[] {
  loop.setCatalogue({ version: catalogue.version, pools: catalogue.pools });
  while (loop.doWork() > 0);
  const made: Decision[] = [];
  for (let at = decisions.peek(); at >= 0; at = decisions.peek()) {
    made.push(readDecision(decisions, at));
    decisions.advance();
  }
  decisions.release();
  return made;
}

/** A trade of some size by the market's trader on a concentrated pool, straight over its ticks. */
async function trade(world: World, place: number, inputSide: 0 | 1, share: number): Promise<void> {
  const pool = world.market.concentrated[place];
  const trader = world.market.traders[0];
  const facts = pool && world.catalogue.find(pool.state.facts.address);
  if (pool === undefined || trader === undefined || facts === undefined) throw new Error("no such pool or trader");
  const accounts = pool.tokens.map((token) => trader.tokenAccounts[token] as Address) as [Address, Address];
  const state = tokenAmount(world, facts.vaults[inputSide]);
  const decoded = decodePoolState(world.cluster.account(facts.address)?.data ?? new Uint8Array());
  if (!decoded.ok) throw decoded.error;
  const span = 60 * decoded.value.tickSpacing;
  const own = Math.floor(decoded.value.tickCurrent / span) * span;
  const arrays = (facts.concentrated?.tickArrays ?? []).filter(({ firstTick }) =>
    inputSide === 0 ? firstTick <= own : firstTick >= own,
  );
  if (inputSide === 0) arrays.reverse();
  const extension = facts.accounts["bitmapExtension"];
  const swap = swapInstruction(facts, {
    owner: trader.keypair.address,
    inputSide,
    inputAccount: accounts[inputSide],
    outputAccount: accounts[inputSide === 0 ? 1 : 0],
    amountIn: BigInt(Math.floor(Number(state) * share)),
    minimumOut: 0n,
    tickArrays: [...arrays.slice(0, 6).map(({ address }) => address), ...(extension === undefined ? [] : [extension])],
  });
  const result = await execute(world, trader.keypair, [swap]);
  if (result.kind !== "executed" || result.executed.error !== null)
    throw new Error(`the trade failed: ${result.kind === "executed" ? result.executed.logs.join("; ") : "refused"}`);
}

function tokenAmount({ cluster }: World, address: Address): bigint {
  const amount = decodeTokenAmount(cluster.account(address)?.data ?? new Uint8Array());
  if (!amount.ok) throw amount.error;
  return amount.value;
}

describe("decisions over concentrated pools", () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  test("the feed knows every pool of both kinds, ticks and all", () => {
    const { catalogue, market, feed } = world;
    expect(catalogue.pools).toHaveLength(market.pools.length + market.concentrated.length);
    expect(feed.troubles()).toMatchObject({ malformedAccounts: 0, refusedPools: 0 });
    for (const { state } of market.concentrated) {
      const facts = catalogue.find(state.facts.address);
      const found = facts && feed.book.concentrated.state(facts.index);
      const { liquidity, sqrtPriceX64, tickCurrent } = state;
      expect(found).toEqual({ liquidity, sqrtPriceX64, tickCurrent });
      expect(facts?.concentrated?.tickArrays.map(({ address }) => base58Decode(address).length)).toEqual(
        [...state.facts.tickArrays].map(() => 32),
      );
      expect(new Set(facts?.concentrated?.tickArrays.map(({ address }) => address))).toEqual(
        new Set(state.facts.tickArrays.values()),
      );
      expect(
        new Map(feed.book.concentrated.allTicks(facts?.index ?? -1).map((tick) => [tick.index, tick.liquidityNet])),
      ).toEqual(
        new Map(
          [...state.ticks.arrays.values()].flat().flatMap((tick) => (tick ? [[tick.index, tick.liquidityNet]] : [])),
        ),
      );
    }
  });

  test("land with the predicted amounts, to the unit, ticks crossed on the way", async () => {
    const { wallet, cluster, clock, catalogue } = world;
    const random = seededRandom("trades");
    const base = wallet.tokenAccount(WSOL_MINT) as Address;
    let [landed, throughTicks, acrossArrays, split, splitThroughTicks] = [0, 0, 0, 0, 0];
    for (let i = 0; i < TRADES; i++) {
      await trade(world, i % CONCENTRATED_POOLS, random.unit() < 0.5 ? 0 : 1, 0.002 + 0.02 * random.unit());
      const [decision] = decide(world);
      clock.advanceNs(SLOT_MS * 1e6);
      cluster.nextSlot();
      // Sent or held back because a bundle on its pools is open: its amounts are what is tried here.
      if (decision === undefined) continue;
      const before = tokenAmount(world, base);
      const instructions = planInstructions(decision, {
        owner: wallet.address,
        pool: (index) => catalogue.pools[index],
        tokenAccount: (mint) => wallet.tokenAccount(mint),
        tipAccount: TIP_ACCOUNTS[0] as Address,
      });
      const result = await execute(world, wallet.keypair, instructions);
      if (result.kind !== "executed") throw new Error(`refused: ${JSON.stringify(result.error)}`);
      if (result.executed.error !== null) throw new Error(result.executed.logs.join("\n"));
      expect(tokenAmount(world, base) - before).toBe(decision.grossLamports);
      landed++;
      // What its own landing opened is decided on a state that the next trade changes.
      decide(world);
      if (decision.split !== undefined) {
        split++;
        const first = decision.hops[decision.split.place];
        if (decision.split.second.tickArrays || first?.tickArrays) splitThroughTicks++;
      }
      const walks = decision.hops.flatMap(({ tickArrays }) => (tickArrays ? [tickArrays] : []));
      if (walks.length > 0) throughTicks++;
      if (walks.some(([first, last]) => first !== last)) acrossArrays++;
    }
    expect(landed).toBeGreaterThan(TRADES / 4);
    expect(throughTicks).toBeGreaterThan(TRADES / 5);
    expect(acrossArrays).toBeGreaterThan(0);

    expect(split).toBeGreaterThan(0);
    expect(splitThroughTicks).toBeGreaterThan(0);
  }, 60_000);

  test("are told to have lost to a moved pool when its price is where they name no ticks", async () => {
    const { wallet, cluster, catalogue } = world;
    const facts = catalogue.pools.find(({ concentrated, mints }) => concentrated && mints.includes(WSOL_MINT));
    const arrays = facts?.concentrated?.tickArrays ?? [];
    if (facts === undefined) throw new Error("no concentrated pool of wSOL");
    const inputSide = facts.mints[0] === WSOL_MINT ? 0 : 1;
    const swap = swapInstruction(facts, {
      owner: wallet.address,
      inputSide,
      inputAccount: wallet.tokenAccount(facts.mints[inputSide]) as Address,
      outputAccount: wallet.tokenAccount(facts.mints[1 - inputSide] as Address) as Address,
      amountIn: 1_000_000n,
      minimumOut: 1n,
      // The array furthest behind the price.
      tickArrays: [(inputSide === 0 ? arrays.at(-1) : arrays[0])?.address as Address],
    });
    const tip = transferLamports(wallet.address, TIP_ACCOUNTS[0] as Address, 10_000n);
    const { blockhash, lastValidBlockHeight } = cluster.latestBlockhash();
    const wire = signTransaction(compileMessage({ payer: wallet.address, blockhash, instructions: [tip, swap] }), [
      wallet.keypair,
    ]);
    const rpc = createRpc({ url: world.rpcUrl });
    const slot = Number(cluster.slot);
    const bundle = {
      ...{ decisionId: "a-1", sequence: 1, bundleId: "b", routeId: "b", route: "jito" as const },
      ...{ signature: signatureOf(wire), wireBase64: Buffer.from(wire).toString("base64"), blockhash },
      ...{ lastValidBlockHeight: Number(lastValidBlockHeight), decidedSlot: slot, pools: [facts.address] },
      ...{ tipLamports: 10_000n, feeLamports: 5_000n, predictedNetLamports: 1n },
      ...{ eventNs: 1n, decideNs: 1n, sendNs: 1n, acceptedNs: 1n },
    };
    const settlement = await explainMiss(bundle, {
      rpc,
      rivals: new RivalFinder(rpc, new Set(TIP_ACCOUNTS)),
      wallet: wallet.address,
      slot,
      ended: undefined,
      routeFailed: true,
      why: "the engine says so",
    });
    expect(settlement?.state).toBe("state_moved");
    expect(settlement?.reason).toContain("hop 1 of 1 would leave the ticks that it names");
  });
});
