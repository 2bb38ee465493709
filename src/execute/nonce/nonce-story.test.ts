/** Bundles on durable nonces, on the real local cluster and its block engine, from decision to final state. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExactHop } from "#arbitrage/quote-cycle.ts";
import { SIGNATURE_FEE_LAMPORTS, WSOL_MINT } from "#core/units.ts";
import type { SentBundle } from "#execute/bundle.ts";
import { recoverOpenBundles } from "#execute/recovery.ts";
import { createRpc } from "#execute/rpc.ts";
import { decide, ROUNDS_MAX, startDesk, startWorld, trade, type World } from "#execute/test-world.ts";
import { makeNonces } from "./make-nonces.ts";
import { decodeNonceAccount, nonceAddress } from "./nonce-account.ts";

const reader = { poll: async () => [], commit: async () => {} };

describe("a bundle on a durable nonce", () => {
  let world: World;
  let folder: string;
  let io: Awaited<ReturnType<typeof startDesk>>;

  const value = (): string => {
    const state = decodeNonceAccount(
      world.cluster.account(nonceAddress(world.wallet.address, 0))?.data ?? new Uint8Array(),
    );
    if (!state.ok) throw state.error;
    return state.value.value;
  };
  const make = (count: number) =>
    makeNonces(createRpc({ url: world.rpcDoor.url }), world.wallet.keypair, count, async () =>
      world.cluster.nextSlot(),
    );
  const lamports = () => world.cluster.account(world.wallet.address)?.lamports ?? 0n;
  const opened = (): SentBundle => {
    const [entry] = io.journal.open;
    if (entry === undefined) throw new Error("nothing is open");
    return entry.bundle;
  };
  const wireOf = ({ wireBase64 }: SentBundle) => new Uint8Array(Buffer.from(wireBase64, "base64"));
  /** As after a kill -9: the files are all that is left. */
  const beginAnew = async () => {
    io.journal.close();
    io = await startDesk(world, folder, 0, false, 1);
    return recoverOpenBundles(reader, io.journal, io.desk);
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "nonce-"));
    world = await startWorld();
    expect(await make(1)).toBe(1);
    world.cluster.nextSlot();
    io = await startDesk(world, folder, 0, false, 1);
    world.cluster.nextSlot();
    await io.nonces.refresh();
    trade(
      world,
      world.pools.findIndex(({ mints }) => mints.includes(WSOL_MINT)),
      0,
      60n,
    );
  });
  afterEach(async () => {
    io.journal.close();
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  test("lands to the unit, simulated to the unit before, and moves the nonce on", async () => {
    expect(await make(1)).toBe(0);
    const [decision, before] = [decide(world), value()];
    io.desk.take(decision);
    expect(opened().nonce).toMatchObject({ account: nonceAddress(world.wallet.address, 0), value: before });
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "landed", exact: true, realisedNetLamports: decision.netLamports });
    expect(io.arbs()).toMatchObject([{ simNetLamports: decision.netLamports, simError: "" }]);
    expect(value()).not.toBe(before);
  });

  test("that fails on chain pays its fee and uses its nonce up; the next one takes the next value", async () => {
    const [decision, before] = [decide(world), value()];
    io.desk.take(decision);
    const first = decision.exact[0] as ExactHop;
    trade(world, first.pool.index, first.inputSide, 20n);
    const sent = opened();
    for (let round = 0; round < ROUNDS_MAX && world.engine.counters.received === 0; round++) await Bun.sleep(5);
    expect(world.cluster.submit(wireOf(sent))).toMatchObject({ executed: { error: { InstructionError: [2, {}] } } });
    const outcome = await io.outcome();
    expect(outcome).toMatchObject({ state: "failed", realisedNetLamports: -SIGNATURE_FEE_LAMPORTS });
    expect(value()).not.toBe(before);
    world.cluster.nextSlot();
    await io.nonces.refresh();
    io.desk.take(decide(world, 100_000n, 2));
    expect(opened().nonce?.value).toBe(value());
    for (let slot = 0; slot < 200; slot++) world.cluster.nextSlot();
    expect(world.cluster.submit(wireOf(sent)).kind).toBe("refused");
  });

  test("is alone on its account: while it is open the next one rests on a blockhash", async () => {
    io.desk.take(decide(world));
    await io.nonces.refresh();
    io.desk.take(decide(world, 120_000n, 2));
    const nonces = io.journal.open.map(({ bundle }) => bundle.nonce?.value);
    expect(nonces).toEqual([value(), undefined]);
  });

  test("that nobody takes is ended by an advance of its nonce, at the price of a fee, and can land no more", async () => {
    const before = lamports();
    io.desk.take(decide(world));
    const sent = opened();
    const outcome = await io.outcome();
    expect(outcome).toMatchObject({ state: "expired", realisedNetLamports: -SIGNATURE_FEE_LAMPORTS });
    expect(outcome.reason).toMatch(/its nonce account \w+ was advanced from \w+ to \w+ by slot \d+/);
    expect(lamports()).toBe(before - SIGNATURE_FEE_LAMPORTS);
    world.cluster.nextSlot();
    expect(world.cluster.submit(wireOf(sent))).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
    expect(io.journal.open).toEqual([]);
  });

  test("whose pool moved says so, and its nonce serves the next one", async () => {
    const decision = decide(world);
    const first = decision.exact[0] as ExactHop;
    trade(world, first.pool.index, first.inputSide, 20n);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "state_moved", realisedNetLamports: -SIGNATURE_FEE_LAMPORTS });
    expect(outcome.reason).toContain(`hop 1 of ${decision.hops.length} would pay less than quoted`);
    world.cluster.nextSlot();
    await io.nonces.refresh();
    expect(io.nonces.take()?.value).toBe(value());
  });

  test("that is refused, or called off, gives its nonce back", async () => {
    io.desk.take(decide(world, 1n));
    expect(await io.outcome()).toMatchObject({ state: "rejected", realisedNetLamports: 0n });
    expect(io.nonces.take()?.value).toBe(value());
    io.journal.close();
    io = await startDesk(world, folder, 0, true, 1);
    world.cluster.nextSlot();
    await io.nonces.refresh();
    io.desk.take(decide(world, 100_000n, 2));
    expect(io.arbs()).toMatchObject([{ action: "skip", reason: "killed" }]);
    expect(io.nonces.take()?.value).toBe(value());
  });

  test("outlives a kill: the next life follows it, sends nothing else on its nonce, and sees it land late, once", async () => {
    const decision = decide(world);
    io.desk.take(decision);
    const sent = opened();
    // Longer than a blockhash lives, and than nodes remember signatures without searching.
    for (let slot = 0; slot < 200; slot++) world.cluster.nextSlot();
    expect(await beginAnew()).toBe(1);
    await io.nonces.refresh();
    expect(io.nonces.take()).toBeUndefined();
    expect(world.cluster.submit(wireOf(sent))).toMatchObject({ kind: "executed", executed: { error: null } });
    const outcome = await io.outcome();
    expect(outcome).toMatchObject({ state: "landed", exact: true, decisionId: sent.decisionId });
    expect(io.outcomes()).toHaveLength(1);
    world.cluster.nextSlot();
    await io.nonces.refresh();
    expect(io.nonces.take()?.value).toBe(value());
  });

  test("that landed while its sender was dead is found, however long ago", async () => {
    io.desk.take(decide(world));
    expect(world.cluster.submit(wireOf(opened())).kind).toBe("executed");
    for (let slot = 0; slot < 400; slot++) world.cluster.nextSlot();
    expect(await beginAnew()).toBe(1);
    expect(await io.outcome()).toMatchObject({ state: "landed", exact: true });
  });

  test("is ended once, though its sender is killed again and again while it ends it", async () => {
    const before = lamports();
    io.desk.take(decide(world));
    for (let slot = 0; slot < 200; slot++) world.cluster.nextSlot();
    for (let life = 0; life < 6; life++) {
      expect(await beginAnew()).toBe(1);
      for (let round = 0; round < life; round++) {
        world.cluster.nextSlot();
        world.clock.advanceNs(3e9);
        await io.chain.refresh();
        await io.nonces.refresh();
        await io.tracker.poll();
      }
      if (io.outcomes().length > 0) break;
    }
    for (let round = 0; round < ROUNDS_MAX && io.outcomes().length === 0; round++) {
      world.cluster.nextSlot();
      world.clock.advanceNs(3e9);
      await io.chain.refresh();
      await io.nonces.refresh();
      await io.tracker.poll();
      await Bun.sleep(1);
    }
    expect(io.outcomes()).toMatchObject([{ state: "expired", realisedNetLamports: -SIGNATURE_FEE_LAMPORTS }]);
    expect(lamports()).toBe(before - SIGNATURE_FEE_LAMPORTS);
  });
});
