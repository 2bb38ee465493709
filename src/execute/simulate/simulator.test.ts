/** Simulations against the real local cluster through its RPC door: what they say is what then happens there. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ManualClock } from "#core/clock.ts";
import { type Random, seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import { RAYDIUM_CPMM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { AMM_CONFIG } from "#dex/raydium-cpmm/layout.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { createRpc, type Rpc } from "#execute/rpc.ts";
import { signTransaction } from "#execute/transaction.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { writeGenesis } from "#sim/genesis/genesis.ts";
import { CycleSearch } from "#sim/rival/cycle-search.ts";
import { cycleSwaps } from "#sim/rival/cycle-swaps.ts";
import { MarketView } from "#sim/rival/market-view.ts";
import { type SimulatedTransaction, Simulator } from "./simulator.ts";

const PROGRAM = readFileSync(join(import.meta.dir, "../../../programs/cp-swap.so"));
const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111" as Address;
const TIP_LAMPORTS = 20_000n;
const FEE_LAMPORTS = 5_000n;
const SLIPPAGE = '{"InstructionError":[0,{"Custom":6005}]}';

async function openMarket() {
  const clock = new ManualClock(1_700_000_000_000_000_000n, 1e9);
  const cluster = createCluster({ seed: "simulate", slotMs: 400, clock });
  const market = await writeGenesis(cluster, { seed: "simulate", program: PROGRAM, wallet: "", traders: 1, rivals: 1 });
  const door = startRpcDoor(cluster, { port: 0 });
  cluster.nextSlot();
  const [trader, us] = [market.traders[0], market.rivals[0]];
  if (trader === undefined || us === undefined) throw new Error("no wallets");
  const view = new MarketView(cluster, market.pools);
  const search = new CycleSearch(market.pools);
  const baseAccount = await associatedTokenAddress(us.keypair.address, WSOL_MINT, TOKEN_PROGRAM);
  const rpc = createRpc({ url: door.url });

  const submit = (wire: Uint8Array) => {
    const result = cluster.submit(wire);
    if (result.kind !== "executed") throw new Error(`refused: ${JSON.stringify(result.error)}`);
    return result.executed;
  };
  const sign = (from: typeof us, instructions: ReturnType<typeof cycleSwaps>) => {
    const { blockhash } = cluster.latestBlockhash();
    return signTransaction(compileMessage({ payer: from.keypair.address, blockhash, instructions }), [from.keypair]);
  };
  /** A trade of some per mille of the pool's input side. */
  const trade = (pool: number, inputSide: 0 | 1, perMille: bigint) => {
    const amount = (view.reserves(pool)[inputSide] * perMille) / 1_000n;
    expect(submit(sign(trader, cycleSwaps(market, trader, [{ pool, inputSide }], [amount, 0n]))).error).toBeNull();
  };
  const tradeAtRandom = (random: Random) => {
    const pool = Math.floor(random.unit() * market.pools.length);
    trade(pool, random.unit() < 0.5 ? 0 : 1, BigInt(Math.round(random.between(5, 40))));
  };
  /** The best bundle on the market as it is. */
  const best = () => {
    const reserves = (pool: number) => view.reserves(pool);
    const found = search.best([...market.pools.keys()], reserves, 50_000_000_000n);
    if (found === undefined) throw new Error("no cycle earns");
    const amounts = search.amounts(found.cycle, reserves, found.amountIn);
    const tip = transferLamports(us.keypair.address, TIP_ACCOUNTS[1] as Address, TIP_LAMPORTS);
    const instructions = [...cycleSwaps(market, us, found.cycle, amounts), tip];
    const wire = sign(us, instructions);
    const transaction: SimulatedTransaction = { wire, instructions, wallet: us.keypair.address, baseAccount };
    return { transaction, cycle: found.cycle, predicted: found.profitLamports - TIP_LAMPORTS - FEE_LAMPORTS };
  };
  const wealth = () => {
    const units = cluster.account(baseAccount)?.data;
    const view = new DataView((units as Uint8Array).buffer, (units as Uint8Array).byteOffset);
    return (cluster.account(us.keypair.address)?.lamports ?? 0n) + view.getBigUint64(64, true);
  };
  return { clock, cluster, market, rpc, submit, trade, tradeAtRandom, best, wealth, stop: () => door.stop() };
}

describe("Simulator", () => {
  let place: Awaited<ReturnType<typeof openMarket>>;
  let simulator: Simulator;
  beforeEach(async () => {
    place = await openMarket();
    simulator = new Simulator(place.rpc, place.clock);
  });
  afterEach(() => place.stop());

  test("simulate() predicts the wallet's change and the compute units of 60 landed bundles to the unit", async () => {
    const random = seededRandom("bundles");
    const shapes = new Set<number>();
    for (let round = 0; round < 60; round++) {
      place.tradeAtRandom(random);
      const { transaction, cycle, predicted } = place.best();
      const simulation = await simulator.simulate(transaction);
      expect(simulation).toMatchObject({ kind: "passed", error: "", netLamports: predicted });
      const before = place.wealth();
      const executed = place.submit(transaction.wire);
      expect([executed.error, place.wealth() - before]).toEqual([null, simulation.netLamports]);
      expect(Number(executed.computeUnits)).toBe(simulation.computeUnits);
      shapes.add(cycle.length);
      if (round % 5 === 0) place.cluster.nextSlot();
    }
    expect([...shapes].sort()).toEqual([2, 3]);
    expect(simulator.notRun).toBe(0);
  });

  test("simulate() gives the program's error when a pool moved since the decision, as the cluster does", async () => {
    place.tradeAtRandom(seededRandom("moved"));
    const { transaction, cycle } = place.best();
    const [first] = cycle;
    if (first === undefined) throw new Error("no hop");
    expect((await simulator.simulate(transaction)).kind).toBe("passed");
    place.trade(first.pool, first.inputSide, 30n);
    const simulation = await simulator.simulate(transaction);
    expect(simulation).toMatchObject({ kind: "failed", netLamports: 0n, error: SLIPPAGE });
    expect(JSON.stringify(place.submit(transaction.wire).error)).toBe(simulation.error);
  });

  test("simulate() says what a wallet that cannot pay would be told", async () => {
    place.tradeAtRandom(seededRandom("poor"));
    const { transaction } = place.best();
    const base = place.cluster.account(transaction.baseAccount);
    if (base === undefined) throw new Error("no wSOL account");
    const data = base.data.slice();
    new DataView(data.buffer).setBigUint64(64, 1n, true);
    place.cluster.setAccount(transaction.baseAccount, { ...base, data });
    const simulation = await simulator.simulate(transaction);
    expect(simulation.kind).toBe("failed");
    expect(JSON.stringify(place.submit(transaction.wire).error)).toBe(simulation.error);
  });

  test("simulate() reads what is only read again after a minute", async () => {
    place.tradeAtRandom(seededRandom("config"));
    const { transaction, cycle } = place.best();
    expect((await simulator.simulate(transaction)).kind).toBe("passed");
    for (const { pool } of cycle) {
      const address = place.market.pools[pool]?.facts.accounts["ammConfig"] as Address;
      const config = place.cluster.account(address);
      if (config === undefined) throw new Error("no configuration");
      const data = config.data.slice();
      new DataView(data.buffer).setBigUint64(AMM_CONFIG.tradeFeeRate, 50_000n, true);
      place.cluster.setAccount(address, { ...config, data });
    }
    expect((await simulator.simulate(transaction)).kind).toBe("passed");
    place.clock.advanceNs(61e9);
    expect(await simulator.simulate(transaction)).toMatchObject({ kind: "failed", error: SLIPPAGE });
  });

  test("simulate() loads a program of the upgradeable loader with its data account", async () => {
    expect(place.cluster.account(RAYDIUM_CPMM_PROGRAM)).toMatchObject({ owner: UPGRADEABLE_LOADER, executable: true });
    await simulator.learn([RAYDIUM_CPMM_PROGRAM]);
    place.tradeAtRandom(seededRandom("program"));
    const { transaction, predicted } = place.best();
    expect(await simulator.simulate(transaction)).toMatchObject({ kind: "passed", netLamports: predicted });
  });

  test("simulate() answers that nothing was learnt when the cluster does not answer, and counts it", async () => {
    const silent = new Simulator(createRpc({ url: "http://127.0.0.1:1", timeoutMs: 100 }), place.clock);
    place.tradeAtRandom(seededRandom("silent"));
    const simulation = await silent.simulate(place.best().transaction);
    expect(simulation).toMatchObject({ kind: "not_run", netLamports: 0n, computeUnits: 0, tookNs: 0 });
    expect(simulation.error).toStartWith("not_simulated: its accounts could not be read: ");
    expect(silent.notRun).toBe(1);
  });

  test("simulate() survives answers that are no accounts", async () => {
    place.tradeAtRandom(seededRandom("hostile"));
    const { transaction } = place.best();
    const account = { lamports: 5, owner: "not base58 !", executable: true, data: ["AAAA", "base64"] };
    const answers: unknown[] = [null, 7, { value: "x" }, { value: [] }];
    for (const value of answers) {
      const odd = new Simulator(async () => ({ ok: true, value }), place.clock);
      expect((await odd.simulate(transaction)).kind).toBe("not_run");
    }
    const filled: Rpc = async (_, params) => ({
      ok: true,
      value: { value: (params[0] as unknown[]).map(() => account), context: { slot: "x" } },
    });
    expect(await new Simulator(filled, place.clock).simulate(transaction)).toMatchObject({ kind: "not_run" });
  });

  test("simulate() runs no more than its share at once", async () => {
    place.tradeAtRandom(seededRandom("many"));
    const { transaction } = place.best();
    const all = await Promise.all(Array.from({ length: 20 }, () => simulator.simulate(transaction)));
    expect(all.filter(({ kind }) => kind === "passed")).toHaveLength(16);
    expect(all.find(({ kind }) => kind === "not_run")?.error).toBe("not_simulated: 16 others were running");
  });
});
