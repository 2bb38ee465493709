/** Bundles on the real local cluster and its block engine, through their doors, from decision to final state. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExactHop } from "#arbitrage/quote-cycle.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import { compileMessage } from "./message.ts";
import { transferLamports } from "./plan.ts";
import { recoverOpenBundles } from "./recovery.ts";
import { decide, ROUNDS_MAX, startDesk, startWorld, trade, WAIT_MS, type World } from "./test-world.ts";
import { signTransaction } from "./transaction.ts";

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

  test("does not leave once the operator's kill switch is on, though it was decided before", async () => {
    io = await startDesk(world, folder, 0, true);
    io.desk.take(decide(world));
    expect(io.arbs()).toMatchObject([{ action: "skip", reason: "killed", bundleId: "" }]);
    expect(io.notes.at(-1)?.sequence).toBe(1);
    expect([io.desk.openCount, ...io.journal.open]).toEqual([0]);
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
