/** A real local cluster with its block engine behind their doors, and the parts of an io thread on it, for the story tests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildCycleIndex, type CycleIndex } from "#arbitrage/cycle-index.ts";
import { findSplit } from "#arbitrage/find-split.ts";
import { ParallelPools } from "#arbitrage/parallel-pools.ts";
import { PoolTable } from "#arbitrage/pool-table.ts";
import type { ExactHop } from "#arbitrage/quote-cycle.ts";
import { Candidates, screenPool } from "#arbitrage/screen.ts";
import { Winner } from "#arbitrage/winner.ts";
import { ManualClock } from "#core/clock.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { readU64 } from "#core/words.ts";
import type { Decision, OutcomeNote } from "#decide/decision-record.ts";
import { decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { cpmmReserve } from "#dex/raydium-cpmm/facts.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { BlockEngine } from "#sim/block-engine/block-engine.ts";
import { startBlockEngineDoor } from "#sim/block-engine/door.ts";
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
import { NonceAccounts } from "./nonce/nonce-accounts.ts";
import { Outbox } from "./outbox.ts";
import { RivalFinder } from "./rivals.ts";
import { createRpc } from "./rpc.ts";
import { Simulator } from "./simulate/simulator.ts";
import { LandingTracker } from "./tracker.ts";
import { signTransaction } from "./transaction.ts";
import { Wallet } from "./wallet.ts";

const PROGRAM = readFileSync(join(import.meta.dir, "../../programs/cp-swap.so"));
export const ROUNDS_MAX = 200;
/** Longer than any simulation takes. */
export const WAIT_MS = 60_000;
const seed = (fill: number) => new Uint8Array(32).fill(fill);

export async function startWorld(startSlot = 1_000n, ports = { rpc: 0, engine: 0 }) {
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
export type World = Awaited<ReturnType<typeof startWorld>>;

/** The io thread's parts on a world, with what it published. */
export async function startDesk(world: World, folder: string, sendWaitsMs = 0, killed = false, nonceCount = 0) {
  const { clock, wallet } = world;
  const rpc = createRpc({ url: world.rpcDoor.url });
  const chain = new ChainState(rpc, clock, await wallet.baseAccount());
  await chain.refresh();
  await wallet.learn(world.pools);
  const nonces = new NonceAccounts({ rpc, clock, wallet: wallet.keypair, count: nonceCount });
  await nonces.refresh();
  const route = await openJitoRoute({ url: world.engineDoor.url, clock, random: () => 0.3 });
  const published: { topic: string; value: Uint8Array }[] = [];
  const notes: OutcomeNote[] = [];
  const outbox = new Outbox(async (topic, _, value) => published.push({ topic, value }), Bun.sleep);
  const simulator = new Simulator(rpc, clock);
  const journal = new BundleJournal(join(folder, "open.ndjson"));
  const leaders = new Leaders(rpc);
  const desk = new Desk({
    identity: { agent: "arbitrage", mode: "sim", version: "test", runStartMs: 1 },
    wallet,
    pool: (index) => world.pools[index],
    live: { route, chain, nonces, simulation: { simulator, baseAccount: await wallet.baseAccount(), sendWaitsMs } },
    journal,
    outbox,
    unixNs: (ns) => clock.wallNs() - BigInt(clock.monotonicNs() - ns),
    wallNs: () => clock.wallNs(),
    wallQuality: () => clock.wallQuality(),
    nextLeader: () => 0,
    leaderOf: (slot) => leaders.of(slot),
    isKilled: () => killed,
    note: (note) => notes.push(note),
    onSendTook: () => {},
    onSimulated: () => {},
    onSettled: () => {},
  });
  const rivals = new RivalFinder(rpc, new Set(route.tipAccounts));
  const settled = (...end: Parameters<typeof desk.settle>) => desk.settle(...end);
  const tracker = new LandingTracker({ rpc, route, rivals, chain, nonces, clock, wallet: wallet.address, settled });
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
      await nonces.refresh();
      await tracker.poll();
      await Bun.sleep(1);
      const [first] = outcomes();
      if (first !== undefined && outbox.owed === 0) return first;
    }
    throw new Error("no outcome");
  };
  return { desk, tracker, nonces, journal, outbox, chain, arbs, outcomes, outcome, notes, published };
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
export function trade(world: World, pool: number, inputSide: 0 | 1, perMille: bigint): void {
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

const searches = new WeakMap<World, { readonly table: PoolTable; readonly index: CycleIndex }>();

/** Made once for each world: its pools stay. */
function searchOf(world: World) {
  const known = searches.get(world);
  if (known !== undefined) return known;
  const table = new PoolTable();
  table.describe(world.pools);
  const search = { table, index: buildCycleIndex(world.pools, { base: WSOL_MINT, hopsMax: 3 }) };
  searches.set(world, search);
  return search;
}

/** The best cycle of the market as it is now, decided to be sent with this tip; split where that gains this much. */
export function decide(
  world: World,
  tipLamports = 100_000n,
  sequence = 1,
  splitGainMin = Number.POSITIVE_INFINITY,
): Decision & { readonly exact: readonly ExactHop[] } {
  const { table, index } = searchOf(world);
  const reserves = world.pools.map((facts) => reservesOf(world, facts));
  reserves.forEach(([r0, r1], pool) => {
    const words = new Uint32Array(new BigUint64Array([r0, r1]).buffer) as unknown as [number, number, number, number];
    table.update(pool, ...words);
  });
  const candidates = new Candidates();
  world.pools.forEach((_, pool) => {
    screenPool(index, table, pool, 50e9, 1_000_000, candidates);
  });
  if (candidates.count === 0) throw new Error("no cycle earns");
  const winner = new Winner();
  winner.load(index.hops, candidates.places[0] as number, table, world.pools);
  winner.size(candidates.inputs[0] as number, 50e9);
  const exact = winner.exactHops();
  const market = { table, pools: world.pools, parallels: new ParallelPools(world.pools), isHeld: () => false };
  const limits = { inputMax: 50e9, gainMin: splitGainMin };
  const split = Number.isFinite(splitGainMin) ? findSplit(winner, limits, market) : undefined;
  winner.quote(split);
  const amounts = exact.map((_, i) => readU64(winner.amounts, 2 * i)).concat(readU64(winner.amounts, 2 * exact.length));
  const grossLamports = (amounts.at(-1) as bigint) - (amounts[0] as bigint);
  const plain = ({ pool, ...hop }: ExactHop) => ({ ...hop, pool: pool.index });
  return {
    action: "send",
    reason: "profitable",
    sequence,
    slot: world.cluster.slot,
    transactionIndex: 0,
    eventNs: 1e9,
    feedNs: 1e9,
    decideNs: 1e9,
    hops: exact.map(plain),
    amounts,
    ...(split !== undefined && {
      split: {
        place: split.place,
        second: {
          pool: split.second >> 1,
          inputSide: (split.second & 1) as 0 | 1,
          reserveIn: readU64(winner.secondReserves, 0),
          reserveOut: readU64(winner.secondReserves, 2),
        },
        amountIn: BigInt(split.secondIn),
        amountOut: BigInt(split.secondOut),
        gainLamports: BigInt(split.gainLamports),
      },
    }),
    terms: {
      modelHash: "",
      shadowHash: "",
      shadowScore: Number.NaN,
      inputs: [],
      evMinLamports: 0,
      tipShareMax: 0.5,
      missCostLamports: 0,
    },
    grossLamports,
    feeLamports: 5_000n,
    tipLamports,
    netLamports: grossLamports - 5_000n - tipLamports,
    evLamports: 1n,
    score: 0.5,
    tipPolicy: "model",
    tipPropensity: 1,
    tipLadderLamports: [tipLamports],
    features: [],
    exact,
  };
}
