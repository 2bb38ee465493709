import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { transferLamports } from "#execute/plan.ts";
import { SYSTEM_PROGRAM } from "#execute/svm/machine.ts";
import {
  createAccountInstruction,
  funded,
  keyOf,
  mintAccount,
  SOL,
  signed,
  testCluster,
  tokenAccount,
  tokenTransferInstruction,
  transfer,
} from "./fixture.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { TOKEN_PROGRAM } from "./token-balances.ts";

const lamportsOf = (cluster: LocalCluster, address: Address): bigint => cluster.account(address)?.lamports ?? 0n;

describe("submit()", () => {
  test("executes a transfer, takes the fee and reports every written account", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const bob = keyOf("bob").address;
    const result = cluster.submit(transfer(cluster, alice, bob, SOL));
    if (result.kind !== "executed") throw new Error(JSON.stringify(result.error));
    expect(result.executed.error).toBeNull();
    expect(result.executed.feeLamports).toBe(5_000n);
    expect(lamportsOf(cluster, alice.address)).toBe(9n * SOL - 5_000n);
    expect(lamportsOf(cluster, bob)).toBe(SOL);
    expect(result.executed.written.map(({ address, lamports }) => [address, lamports])).toEqual([
      [alice.address, 9n * SOL - 5_000n],
      [bob, SOL],
    ]);
    expect(result.executed.written.map(({ writeVersion }) => writeVersion)).toEqual([1n, 2n]);
  });

  test("keeps a failed transaction in the ledger, with its fee paid and nothing else changed", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const bob = funded(cluster, "bob", SOL);
    const result = cluster.submit(transfer(cluster, alice, bob.address, 11n * SOL));
    if (result.kind !== "executed") throw new Error("refused");
    expect(result.executed.error).toEqual({ InstructionError: [0, { Custom: 1 }] });
    expect(lamportsOf(cluster, alice.address)).toBe(10n * SOL - 5_000n);
    expect(lamportsOf(cluster, bob.address)).toBe(SOL);
    expect(result.executed.written.map(({ address }) => address)).toEqual([alice.address]);
    expect(cluster.ledger.transaction(result.executed.signature)?.error).toEqual(result.executed.error);
  });

  test("refuses what never entered the ledger, each for its reason", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const bob = keyOf("bob").address;
    const good = transfer(cluster, alice, bob, SOL);
    const forged = Uint8Array.from(good);
    forged[5] = (forged[5] ?? 0) ^ 1;
    const later = Uint8Array.from(good);
    later[65] = 0x81;
    const poor = transfer(cluster, keyOf("nobody"), bob, 1n);
    const cases: [string, Uint8Array, string][] = [
      ["forged", forged, "SignatureFailure"],
      ["version 1", later, "UnsupportedVersion"],
      ["no account to pay", poor, "AccountNotFound"],
      ["cut short", good.subarray(0, good.length - 1), "SanitizeFailure"],
      ["one byte more", Uint8Array.from([...good, 0]), "SanitizeFailure"],
      ["nothing", new Uint8Array(0), "SanitizeFailure"],
    ];
    for (const [name, wire, error] of cases)
      expect([name, cluster.submit(wire)]).toMatchObject([name, { kind: "refused", error }]);
    expect(cluster.ledger.transactionCount).toBe(0n);
    expect(lamportsOf(cluster, alice.address)).toBe(10n * SOL);
  });

  test("refuses a fee payer that could not stay rent exempt, without a fee", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice", cluster.minimumBalance(0) + 4_000n);
    const result = cluster.submit(transfer(cluster, alice, alice.address, 0n));
    expect(result).toMatchObject({ kind: "refused", error: { InsufficientFundsForRent: { account_index: 0 } } });
    expect(lamportsOf(cluster, alice.address)).toBe(cluster.minimumBalance(0) + 4_000n);
  });

  test("refuses a duplicate for as long as its blockhash lives, then the blockhash", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const wire = transfer(cluster, alice, keyOf("bob").address, SOL);
    expect(cluster.submit(wire).kind).toBe("executed");
    const { lastValidBlockHeight } = cluster.latestBlockhash();
    const fresh = transfer(cluster, alice, keyOf("carol").address, SOL);
    while (cluster.slot < lastValidBlockHeight) {
      expect(cluster.submit(wire)).toMatchObject({ kind: "refused", error: "AlreadyProcessed" });
      cluster.nextSlot();
    }
    expect(cluster.submit(fresh).kind).toBe("executed");
    cluster.nextSlot();
    expect(cluster.submit(wire)).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
  });

  test("charges the priority fee that the machine charges, over random limits and prices", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice", 1_000n * SOL);
    const random = seededRandom("fees");
    const budget = "ComputeBudget111111111111111111111111111111" as Address;
    for (let i = 0; i < 60; i++) {
      const price = new Uint8Array(9);
      price[0] = 3;
      new DataView(price.buffer).setBigUint64(1, BigInt(random.between(0, 5_000_000)), true);
      const limit = new Uint8Array(5);
      limit[0] = 2;
      new DataView(limit.buffer).setUint32(1, random.between(1_000, 2_000_000), true);
      const datas = [[price], [price, limit], [limit], []][i % 4] ?? [];
      const instructions = datas.map((data) => ({ programAddress: budget, accounts: [], data }));
      const paid = [...instructions, transferLamports(alice.address, alice.address, BigInt(i))];
      const before = lamportsOf(cluster, alice.address);
      const result = cluster.submit(signed(cluster, [alice], paid));
      if (result.kind !== "executed") throw new Error(JSON.stringify(result.error));
      expect(before - lamportsOf(cluster, alice.address)).toBe(result.executed.feeLamports);
    }
  });
});

describe("submitBundle()", () => {
  test("lands all, in order, with the second building on the first", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const bob = keyOf("bob");
    const result = cluster.submitBundle([
      transfer(cluster, alice, bob.address, SOL),
      transfer(cluster, bob, alice.address, SOL / 2n),
    ]);
    expect(result).toMatchObject({ kind: "landed", slot: cluster.slot });
    expect(lamportsOf(cluster, bob.address)).toBe(SOL / 2n - 5_000n);
    expect(cluster.ledger.block(cluster.slot)?.transactions.map(({ indexInSlot }) => indexInSlot)).toEqual([0, 1]);
  });

  test("leaves nothing of a bundle that fails: lamports, data, created accounts, signatures, order", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const created = keyOf("created");
    const bytes = cluster.book.bytes(TOKEN_PROGRAM);
    const create = createAccountInstruction(alice.address, created.address, SOL, 165, TOKEN_PROGRAM, bytes);
    const first = signed(cluster, [alice, created], [create]);
    const bad = transfer(cluster, alice, keyOf("bob").address, 100n * SOL);
    const events: string[] = [];
    cluster.onTransaction(({ signature }) => void events.push(signature));
    const capitalization = cluster.capitalizationLamports;
    const result = cluster.submitBundle([first, bad]);
    expect(result).toMatchObject({ kind: "failed", failedAt: 1, error: { InstructionError: [0, { Custom: 1 }] } });
    expect(lamportsOf(cluster, alice.address)).toBe(10n * SOL);
    expect(cluster.account(created.address)).toBeUndefined();
    expect(cluster.account(keyOf("bob").address)).toBeUndefined();
    expect([events, cluster.ledger.transactionCount, cluster.capitalizationLamports]).toEqual([[], 0n, capitalization]);
    // The same bytes are as good as new.
    const again = cluster.submit(first);
    expect(again).toMatchObject({ kind: "executed", executed: { error: null, indexInSlot: 0 } });
    expect(cluster.account(created.address)?.data).toEqual(new Uint8Array(165));
    expect(events.length).toBe(1);
  });

  test("restores the data of accounts that existed", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const [from, to] = [keyOf("from").address, keyOf("to").address];
    cluster.setAccount(keyOf("mint").address, mintAccount(6, 100n));
    cluster.setAccount(from, tokenAccount(keyOf("mint").publicKey, alice.publicKey, 100n));
    cluster.setAccount(to, tokenAccount(keyOf("mint").publicKey, alice.publicKey, 0n));
    const before = [cluster.account(from), cluster.account(to)];
    const move = (amount: bigint) =>
      signed(cluster, [alice], [tokenTransferInstruction(from, to, alice.address, amount)]);
    const result = cluster.submitBundle([move(60n), move(30n), move(11n)]);
    expect(result).toMatchObject({ kind: "failed", failedAt: 2, error: { InstructionError: [0, { Custom: 1 }] } });
    expect([cluster.account(from), cluster.account(to)]).toEqual(before);
    expect(cluster.submitBundle([move(60n), move(30n), move(10n)]).kind).toBe("landed");
    expect(cluster.account(to)?.data).toEqual(before[0]?.data ?? new Uint8Array(0));
  });

  test("fails on a transaction that is in it twice", () => {
    const cluster = testCluster();
    const wire = transfer(cluster, funded(cluster, "alice"), keyOf("bob").address, SOL);
    expect(cluster.submitBundle([wire, wire])).toMatchObject({
      kind: "failed",
      failedAt: 1,
      error: "AlreadyProcessed",
    });
    expect(cluster.account(keyOf("bob").address)).toBeUndefined();
  });
});

describe("a cluster", () => {
  test("gives the same blockhashes, records and state for the same seed and inputs", () => {
    const run = (seed: string): string => {
      const cluster = testCluster({ seed });
      const hash = createHash("sha256");
      cluster.onSlot((slot) => void hash.update(`${slot} ${cluster.latestBlockhash().blockhash}\n`));
      cluster.onTransaction((executed) => {
        hash.update(`${executed.signature} ${JSON.stringify(executed.error)} ${executed.computeUnits}\n`);
        for (const { address, lamports, data } of executed.written) hash.update(`${address} ${lamports}`).update(data);
      });
      const people = ["a", "b", "c", "d"].map((name) => funded(cluster, name));
      const random = seededRandom("flow");
      for (let i = 0; i < 100; i++) {
        if (i % 10 === 9) cluster.nextSlot();
        const amount = BigInt(random.between(1, 4)) * SOL;
        cluster.submit(transfer(cluster, random.pick(people), random.pick(people).address, amount));
      }
      return hash.digest("hex");
    };
    expect(run("one")).toBe(run("one"));
    expect(run("one")).not.toBe(run("two"));
  });

  test("begins at its start slot with other blockhashes than the one before it", () => {
    const first = testCluster();
    const second = testCluster({ startSlot: 500n });
    expect([second.slot, second.latestBlockhash().lastValidBlockHeight]).toEqual([500n, 649n]);
    expect(second.latestBlockhash().blockhash).not.toBe(first.blockhashOf(499n));
    expect(() => testCluster({ startSlot: 0n })).toThrow("Cannot start a cluster");
  });

  test("counts lamports: fees are burned, airdrops move", () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const before = cluster.capitalizationLamports;
    cluster.submit(transfer(cluster, alice, keyOf("bob").address, SOL));
    expect(cluster.capitalizationLamports).toBe(before - 5_000n);
    cluster.airdrop(keyOf("carol").address, 3n * SOL);
    cluster.airdrop(keyOf("carol").address, 3n * SOL);
    expect(lamportsOf(cluster, keyOf("carol").address)).toBe(6n * SOL);
    expect(cluster.capitalizationLamports).toBe(before - 15_000n);
  });

  test("forgets whole blocks beyond its limits and counts on", () => {
    const cluster = testCluster({ ledger: { slotsMax: 5, transactionsMax: 3 } });
    const alice = funded(cluster, "alice");
    for (let i = 0; i < 8; i++) {
      cluster.submit(transfer(cluster, alice, keyOf("bob").address, SOL / 10n + BigInt(i)));
      cluster.nextSlot();
    }
    expect(cluster.ledger.transactionCount).toBe(8n);
    expect(cluster.ledger.firstSlot).toBe(6n);
    expect(cluster.ledger.block(5n)).toBeUndefined();
    expect(cluster.ledger.block(6n)?.transactions.length).toBe(1);
  });

  test("shows programs the slot and the block before", () => {
    const cluster = testCluster({ startSlot: 77n });
    const clock = cluster.account("SysvarC1ock11111111111111111111111111111111" as Address)?.data ?? new Uint8Array(40);
    expect(new DataView(clock.buffer).getBigUint64(0, true)).toBe(77n);
    expect(new DataView(clock.buffer).getBigInt64(32, true)).toBe(1_700_000_000n);
    const hashes =
      cluster.account("SysvarS1otHashes111111111111111111111111111" as Address)?.data ?? new Uint8Array(48);
    expect(new DataView(hashes.buffer).getBigUint64(8, true)).toBe(76n);
    expect(cluster.book.text(hashes, 16)).toBe(cluster.latestBlockhash().blockhash as Address);
    expect(cluster.account(SYSTEM_PROGRAM)?.executable).toBe(true);
  });
});
