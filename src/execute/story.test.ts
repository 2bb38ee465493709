/** Bundles on the real local cluster and its block engine, through their doors, from decision to final state. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildCycleIndex, HOPS_MAX, NO_HOP } from "#arbitrage/cycle-index.ts";
import { PoolTable } from "#arbitrage/pool-table.ts";
import { type ExactHop, hopAmounts } from "#arbitrage/quote-cycle.ts";
import { Candidates, screenPool } from "#arbitrage/screen.ts";
import { sizeCycle } from "#arbitrage/sizing.ts";
import { ManualClock } from "#core/clock.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { Decision, OutcomeNote } from "#decide/decision-record.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { cpmmReserve } from "#dex/raydium-cpmm/facts.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { BlockEngine } from "#sim/block-engine/block-engine.ts";
import { startBlockEngineDoor } from "#sim/block-engine/door.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { writeGenesis } from "#sim/genesis/genesis.ts";
import { type Arb, decodeEnvelope, type Outcome } from "#wire/envelope.ts";
import { ChainState } from "./chain-state.ts";
import { Desk } from "./desk.ts";
import { openJitoRoute } from "./jito.ts";
import { BundleJournal } from "./journal.ts";
import { keypairFromSeed } from "./keypair.ts";
import { Leaders } from "./leaders.ts";
import { compileMessage } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { transferLamports } from "./plan.ts";
import { recoverOpenBundles } from "./recovery.ts";
import { RivalFinder } from "./rivals.ts";
import { createRpc } from "./rpc.ts";
import { Simulator } from "./simulate/simulator.ts";
import { LandingTracker } from "./tracker.ts";
import { signTransaction } from "./transaction.ts";
import { Wallet } from "./wallet.ts";

const PROGRAM = readFileSync(join(import.meta.dir, "../../programs/cp-swap.so"));
const ROUNDS_MAX = 200;
/** Longer than any simulation takes. */
const WAIT_MS = 60_000;
const seed = (fill: number) => new Uint8Array(32).fill(fill);

async function startWorld(startSlot = 1_000n, ports = { rpc: 0, engine: 0 }) {
  const clock = new ManualClock(1_700_000_000_000_000_000n, 1e9);
  const wallet = new Wallet(keypairFromSeed(seed(42)));
  const cluster = createCluster({ seed: "execute", slotMs: 400, clock, startSlot });
  const options = { seed: "execute", program: PROGRAM, wallet: wallet.address as string, traders: 1, rivals: 1 };
  const market = await writeGenesis(cluster, options);
  const engine = new BlockEngine(cluster, { clock });
  const rpcDoor = startRpcDoor(cluster, { port: ports.rpc });
  const engineDoor = startBlockEngineDoor(engine, { port: ports.engine, requestsPerSecondMax: 100_000 });
  cluster.nextSlot();
  return {
    clock,
    wallet,
    cluster,
    market,
    engine,
    rpcDoor,
    engineDoor,
    pools: market.pools.map(({ facts }) => facts),
    stop: () => Promise.all([rpcDoor.stop(), engineDoor.stop()]),
  };
}
type World = Awaited<ReturnType<typeof startWorld>>;

/** The io thread's parts on a world, with what it published. */
async function startDesk(world: World, folder: string, sendWaitsMs = 0) {
  const { clock, wallet } = world;
  const rpc = createRpc({ url: world.rpcDoor.url });
  const chain = new ChainState(rpc, clock, await wallet.baseAccount());
  await chain.refresh();
  await wallet.learn(world.pools);
  const route = await openJitoRoute({ url: world.engineDoor.url, clock, random: () => 0.3 });
  const published: { topic: string; value: Uint8Array }[] = [];
  const notes: OutcomeNote[] = [];
  const outbox = new Outbox(async (topic, _, value) => published.push({ topic, value }), Bun.sleep);
  const simulator = new Simulator(rpc, clock);
  const journal = new BundleJournal(join(folder, "open.ndjson"));
  const leaders = new Leaders(rpc);
  const desk = new Desk({
    identity: { agent: "arbitrage", mode: "sim", version: "test", modelHash: "m", runStartMs: 1 },
    wallet,
    pool: (index) => world.pools[index],
    live: { route, chain, simulation: { simulator, baseAccount: await wallet.baseAccount(), sendWaitsMs } },
    journal,
    outbox,
    unixNs: (ns) => clock.wallNs() - BigInt(clock.monotonicNs() - ns),
    wallNs: () => clock.wallNs(),
    leaderOf: (slot) => leaders.of(slot),
    note: (note) => notes.push(note),
    onAccepted: () => {},
    onSettled: () => {},
  });
  const rivals = new RivalFinder(rpc, new Set(route.tipAccounts));
  const settled = (...end: Parameters<typeof desk.settle>) => desk.settle(...end);
  const tracker = new LandingTracker({ rpc, route, rivals, chain, clock, wallet: wallet.address, settled });
  desk.followWith(tracker);
  const records = () => published.map(({ value }) => decodeEnvelope(value).payload);
  const arbs = () => records().flatMap(({ case: kind, value }) => (kind === "arb" ? [value as Arb] : []));
  const outcomes = () => records().flatMap(({ case: kind, value }) => (kind === "outcome" ? [value as Outcome] : []));
  /** Rounds of polling, with time and slots going on, until there is an outcome. */
  const outcome = async (betweenRounds: () => void = () => {}): Promise<Outcome> => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await Bun.sleep(1);
      betweenRounds();
      world.clock.advanceNs(400_000_000);
      world.cluster.nextSlot();
      await chain.refresh();
      await tracker.poll();
      await Bun.sleep(1);
      const [first] = outcomes();
      if (first !== undefined && outbox.owed === 0) return first;
    }
    throw new Error("no outcome");
  };
  return { desk, tracker, journal, outbox, chain, arbs, outcomes, outcome, notes, published };
}

function reservesOf({ cluster }: World, facts: PoolFacts): [bigint, bigint] {
  const bytes = (address: Address) => cluster.account(address)?.data ?? new Uint8Array();
  const state = decodePoolState(bytes(facts.address));
  if (!state.ok) throw state.error;
  return ([0, 1] as const).map((side) => {
    const amount = decodeTokenAmount(bytes(facts.vaults[side]));
    if (!amount.ok) throw amount.error;
    return cpmmReserve(state.value, side, amount.value);
  }) as [bigint, bigint];
}

/** A swap of a wallet of the market's, landed at once, that puts a share of the input reserve in. */
function trade(world: World, pool: number, inputSide: 0 | 1, perMille: bigint): void {
  const { facts, tokens } = world.market.pools[pool] ?? { facts: undefined, tokens: [0, 0] };
  const trader = world.market.traders[0];
  if (facts === undefined || trader === undefined) throw new Error("no such pool or trader");
  const accounts = tokens.map((token) => trader.tokenAccounts[token] as Address);
  const swap = swapInstruction(facts, {
    owner: trader.keypair.address,
    inputSide,
    inputAccount: accounts[inputSide] as Address,
    outputAccount: accounts[1 - inputSide] as Address,
    amountIn: (reservesOf(world, facts)[inputSide] * perMille) / 1_000n,
    minimumOut: 0n,
  });
  const { blockhash } = world.cluster.latestBlockhash();
  const message = compileMessage({ payer: trader.keypair.address, blockhash, instructions: [swap] });
  const result = world.cluster.submit(signTransaction(message, [trader.keypair]));
  if (result.kind !== "executed" || result.executed.error !== null) throw new Error("the trade failed");
}

/** The best cycle of the market as it is now, decided to be sent with this tip. */
function decide(
  world: World,
  tipLamports = 100_000n,
  sequence = 1,
): Decision & { readonly exact: readonly ExactHop[] } {
  const table = new PoolTable();
  table.describe(world.pools);
  const reserves = world.pools.map((facts) => reservesOf(world, facts));
  reserves.forEach(([r0, r1], pool) => {
    const words = new Uint32Array(new BigUint64Array([r0, r1]).buffer) as unknown as [number, number, number, number];
    table.update(pool, ...words);
  });
  const index = buildCycleIndex(world.pools, { base: WSOL_MINT, hopsMax: 3 });
  const candidates = new Candidates();
  world.pools.forEach((_, pool) => {
    screenPool(index, table, pool, 50e9, 1_000_000, candidates);
  });
  if (candidates.count === 0) throw new Error("no cycle earns");
  const at = (candidates.places[0] as number) * HOPS_MAX;
  const exact = [...index.hops.subarray(at, at + HOPS_MAX)]
    .filter((hop) => hop !== NO_HOP)
    .map((hop): ExactHop => {
      const [pool, inputSide] = [hop >> 1, (hop & 1) as 0 | 1];
      const both = reserves[pool] as [bigint, bigint];
      const facts = world.pools[pool] as PoolFacts;
      return { pool: facts, inputSide, reserveIn: both[inputSide], reserveOut: both[1 - inputSide] as bigint };
    });
  const sized = sizeCycle(exact, candidates.inputs[0] as number, 50_000_000_000);
  const [input, output] = [BigInt(sized.input), BigInt(sized.output)];
  return {
    action: "send",
    reason: "profitable",
    sequence,
    slot: world.cluster.slot,
    transactionIndex: 0,
    eventNs: 1e9,
    feedNs: 1e9,
    decideNs: 1e9,
    hops: exact.map(({ pool, ...hop }) => ({ ...hop, pool: pool.index })),
    amounts: hopAmounts(exact, input),
    grossLamports: output - input,
    feeLamports: 5_000n,
    tipLamports,
    netLamports: output - input - 5_000n - tipLamports,
    evLamports: 1n,
    score: 0.5,
    tipLadderLamports: [tipLamports],
    features: [],
    exact,
  };
}

describe("a bundle on the local cluster", () => {
  let world: World;
  let folder: string;
  let io: Awaited<ReturnType<typeof startDesk>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "execute-"));
    world = await startWorld();
    io = await startDesk(world, folder);
    // A trade that opens an arbitrage: the first pool that has wSOL on one of its sides.
    const pool = world.pools.findIndex(({ mints }) => mints.includes(WSOL_MINT));
    trade(world, pool, 0, 60n);
  });
  afterEach(async () => {
    io.journal.close();
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  test("lands with the predicted change of the wallet, to the unit, and is on record twice", async () => {
    const decision = decide(world);
    const before = { ...io.chain, base: io.chain.baseUnits };
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "landed", landed: true, exact: true, path: "jito" });
    expect(outcome.realisedNetLamports).toBe(decision.netLamports);
    expect(outcome.reason).toContain("as predicted");
    expect(outcome.computeUnits).toBeGreaterThan(10_000n);
    expect(outcome.leader).not.toBe("");
    expect((io.chain.baseUnits ?? 0n) - (before.base ?? 0n)).toBe(decision.grossLamports);
    const [arb] = io.arbs();
    expect(arb).toMatchObject({ action: "send", decisionId: outcome.decisionId, bundleId: outcome.bundleId });
    expect(arb?.pools).toHaveLength(decision.hops.length);
    expect(arb).toMatchObject({ simNetLamports: decision.netLamports, simError: "" });
    expect(arb?.simComputeUnits).toBe(outcome.computeUnits);
    expect(arb?.simNs).toBeGreaterThan(0n);
    expect(io.notes.at(-1)).toMatchObject({ sequence: 1, landedShare: 1, tipMedianLamports: 100_000 });
    expect(io.journal.open).toEqual([]);
    expect(io.desk.openCount).toBe(0);
  });

  test("says that the state moved when a trade was first, and costs nothing", async () => {
    const decision = decide(world);
    const first = decision.exact[0] as ExactHop;
    trade(world, first.pool.index, first.inputSide, 20n);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "state_moved", landed: false, exact: false, realisedNetLamports: 0n });
    expect(outcome.reason).toContain(`hop 1 of ${decision.hops.length} would pay less than quoted; no rival`);
    expect(io.chain.baseUnits).toBe(1_000_000_000_000n);
    expect(io.arbs()).toMatchObject([
      { action: "send", simNetLamports: 0n, simError: '{"InstructionError":[1,{"Custom":6005}]}' },
    ]);
  });

  test("is not sent when its simulation before the send fails, and says so", async () => {
    io.journal.close();
    io = await startDesk(world, folder, WAIT_MS);
    const decision = decide(world);
    const first = decision.exact[0] as ExactHop;
    trade(world, first.pool.index, first.inputSide, 20n);
    io.desk.take(decision);
    for (let round = 0; round < ROUNDS_MAX && io.arbs().length === 0; round++) await Bun.sleep(5);
    const simError = '{"InstructionError":[1,{"Custom":6005}]}';
    expect(io.arbs()).toMatchObject([{ action: "skip", reason: "simulation_failed", bundleId: "", simError }]);
    expect(io.notes.at(-1)?.sequence).toBe(1);
    expect([world.engine.counters.received, io.desk.openCount, io.journal.open.length]).toEqual([0, 0, 0]);
  });

  test("is sent after a simulation that passes when the send waits for it", async () => {
    io.journal.close();
    io = await startDesk(world, folder, WAIT_MS);
    const decision = decide(world);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "landed", exact: true });
    expect(io.arbs()).toMatchObject([{ action: "send", simNetLamports: decision.netLamports, simError: "" }]);
  });

  test("names the rival that outbid it, and its tip", async () => {
    const decision = decide(world, 100_000n);
    const { blockhash } = world.cluster.latestBlockhash();
    const rival = world.market.rivals[0];
    if (rival === undefined) throw new Error("no rival");
    const accounts = (mint: Address) =>
      rival.tokenAccounts[world.market.tokens.findIndex((token) => token.mint === mint)];
    let amountIn = decision.amounts[0] as bigint;
    const swaps = decision.exact.map(({ pool, inputSide, reserveIn, reserveOut }) => {
      const minimumOut = quoteExactIn(pool, reserveIn, reserveOut, amountIn);
      const swap = swapInstruction(pool, {
        owner: rival.keypair.address,
        inputSide,
        inputAccount: accounts(pool.mints[inputSide]) as Address,
        outputAccount: accounts(pool.mints[1 - inputSide] as Address) as Address,
        amountIn,
        minimumOut,
      });
      amountIn = minimumOut;
      return swap;
    });
    const tip = transferLamports(rival.keypair.address, TIP_ACCOUNTS[0] as Address, 250_000n);
    const message = compileMessage({ payer: rival.keypair.address, blockhash, instructions: [...swaps, tip] });
    expect(world.engine.send([signTransaction(message, [rival.keypair])]).ok).toBe(true);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome.state).toBe("outbid");
    expect(outcome.reason).toContain("with a tip of 250000, ours was 100000");
    expect(io.notes.at(-1)).toMatchObject({ outbidShare: 1, tipMedianLamports: 250_000 });
  });

  test("does not take another bundle of its own wallet for a rival", async () => {
    const decision = decide(world, 100_000n);
    io.desk.take(decide(world, 250_000n, 2));
    io.desk.take(decision);
    await io.outcome(() => world.engine.tick());
    for (let round = 0; round < ROUNDS_MAX && io.outcomes().length < 2; round++) {
      world.engine.tick();
      world.clock.advanceNs(400_000_000);
      world.cluster.nextSlot();
      await io.chain.refresh();
      await io.tracker.poll();
      await Bun.sleep(1);
    }
    const [first, second] = io.outcomes().sort((a, b) => Number(b.tipLamports - a.tipLamports));
    expect(first).toMatchObject({ state: "landed", tipLamports: 250_000n });
    expect(second?.state).toBe("state_moved");
    expect(second?.reason).toContain("our own ");
  });

  test("is rejected with the engine's words when it tips too little", async () => {
    io.desk.take(decide(world, 1n));
    const outcome = await io.outcome();
    expect(outcome.state).toBe("rejected");
    expect(outcome.reason).toContain("tip at least");
  });

  test("expires when no auction takes it before its blockhash dies", async () => {
    io.desk.take(decide(world));
    const outcome = await io.outcome();
    expect(outcome.state).toBe("expired");
    expect(outcome.reason).toMatch(/the block height \d+ passed \d+/);
  });

  test("is not built without a recent blockhash, and says so", async () => {
    world.clock.advanceNs(31e9);
    io.desk.take(decide(world));
    expect(io.arbs()).toMatchObject([{ action: "skip", bundleId: "", txSignature: "" }]);
    expect(io.arbs()[0]?.reason).toBe(
      "not_built: Cannot build a bundle: a blockhash younger than 30 s, was one of 31 s",
    );
    expect(io.notes.at(-1)?.sequence).toBe(1);
    expect(io.journal.open).toEqual([]);
  });

  test("ends in one outcome after a kill, with the cluster begun anew meanwhile", async () => {
    io.desk.take(decide(world));
    io.journal.close();
    const ports = { rpc: world.rpcDoor.port, engine: world.engineDoor.port };
    await world.stop();
    world = await startWorld(5_000n, ports);
    io = await startDesk(world, folder);
    expect(io.journal.open).toHaveLength(1);
    const reader = { poll: async () => [], commit: async () => {} };
    expect(await recoverOpenBundles(reader, io.journal, io.desk)).toBe(1);
    const outcome = await io.outcome();
    expect(outcome).toMatchObject({ state: "expired", landed: false, realisedNetLamports: 0n });
    expect(io.outcomes()).toHaveLength(1);
    expect(io.journal.open).toEqual([]);
  });

  test("is not settled twice when its outcome was durable before the kill", async () => {
    const decision = decide(world);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    const written = io.published.map(({ value }) => ({ value }));
    const open = { ...decision, sequence: 1 };
    io.desk.take(open);
    // The journal now has the same bundle open again, as if its closing line had been lost.
    const again = await startDesk(world, folder);
    expect(again.journal.open.map(({ bundle }) => bundle.decisionId)).toEqual([outcome.decisionId]);
    const reader = { poll: async () => written.splice(0), commit: async () => {} };
    expect(await recoverOpenBundles(reader, again.journal, again.desk)).toBe(0);
    expect(again.journal.open).toEqual([]);
    expect(again.published).toEqual([]);
    again.journal.close();
  });
});
