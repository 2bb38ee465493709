/** Transactions on a durable nonce: the cluster executes them as Agave does, whatever became of their blockhash. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import type { Keypair } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import {
  advanceNonce,
  createNonceAccount,
  decodeNonceAccount,
  NONCE_ACCOUNT_BYTES,
  nonceAddress,
} from "#execute/nonce/nonce-account.ts";
import { transferLamports } from "#execute/plan.ts";
import { signTransaction } from "#execute/transaction.ts";
import { funded, keyOf, SOL, signed, testCluster } from "./fixture.ts";
import type { LocalCluster } from "./local-cluster.ts";

describe("a transaction on a durable nonce", () => {
  let cluster: LocalCluster;
  let alice: Keypair;
  const nonce = nonceAddress(keyOf("alice").address, 0);
  const bob = keyOf("bob").address;

  const value = (): string => {
    const state = decodeNonceAccount(cluster.account(nonce)?.data ?? new Uint8Array());
    if (!state.ok) throw state.error;
    return state.value.value;
  };
  const on = (blockhash: string, instructions: readonly Instruction[], signers = [alice]): Uint8Array =>
    signTransaction(compileMessage({ payer: alice.address, blockhash, instructions }), signers);
  const payment = (lamports: bigint, authority: Address = alice.address) => [
    advanceNonce(nonce, authority),
    transferLamports(alice.address, bob, lamports),
  ];
  const received = () => cluster.account(bob)?.lamports ?? 0n;

  beforeEach(() => {
    cluster = testCluster();
    alice = funded(cluster, "alice");
    const create = createNonceAccount(alice.address, 0, cluster.minimumBalance(NONCE_ACCOUNT_BYTES));
    const result = cluster.submit(signed(cluster, [alice], create));
    if (result.kind !== "executed" || result.executed.error !== null) throw new Error(JSON.stringify(result));
    cluster.nextSlot();
  });

  test("executes long after any blockhash of its time is dead, once, and moves the value on", () => {
    const before = value();
    const wire = on(before, payment(SOL));
    for (let slot = 0; slot < 400; slot++) cluster.nextSlot();
    expect(cluster.submit(wire)).toMatchObject({ kind: "executed", executed: { error: null } });
    expect(value()).not.toBe(before);
    for (const slots of [0, 1, 200]) {
      for (let slot = 0; slot < slots; slot++) cluster.nextSlot();
      expect(cluster.submit(wire)).toMatchObject({ kind: "refused" });
    }
    expect(received()).toBe(SOL);
  });

  test("uses its value up and pays its fee when it fails", () => {
    const before = value();
    const paid = cluster.account(alice.address)?.lamports ?? 0n;
    const wire = on(before, payment(100n * SOL));
    const result = cluster.submit(wire);
    if (result.kind !== "executed") throw new Error(JSON.stringify(result));
    expect(result.executed.error).toEqual({ InstructionError: [1, { Custom: 1 }] });
    expect(result.executed.written.map(({ address }) => address)).toEqual([alice.address, nonce]);
    expect(value()).not.toBe(before);
    expect(cluster.account(alice.address)?.lamports).toBe(paid - 5_000n);
    for (let slot = 0; slot < 200; slot++) cluster.nextSlot();
    expect(cluster.submit(wire)).toEqual({ kind: "refused", error: "BlockhashNotFound", logs: [] });
  });

  test("loses to another on the same value, and to an advance by anybody who may", () => {
    const [first, second] = [on(value(), payment(SOL)), on(value(), payment(2n * SOL))];
    expect(cluster.submit(second).kind).toBe("executed");
    expect(cluster.submit(first)).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
    cluster.nextSlot();
    const third = on(value(), payment(3n * SOL));
    expect(cluster.submit(signed(cluster, [alice], [advanceNonce(nonce, alice.address)])).kind).toBe("executed");
    expect(cluster.submit(third)).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
    expect(received()).toBe(2n * SOL);
  });

  test("cannot have two of one account in a slot", () => {
    expect(cluster.submit(on(value(), payment(SOL))).kind).toBe("executed");
    const next = on(value(), payment(2n * SOL));
    expect(cluster.submit(next)).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
    cluster.nextSlot();
    expect(cluster.submit(next).kind).toBe("executed");
  });

  test("is undone with its bundle: the value is good again", () => {
    const before = value();
    const wire = on(before, payment(SOL));
    const failing = signed(cluster, [alice], [transferLamports(alice.address, bob, 100n * SOL)]);
    expect(cluster.submitBundle([wire, failing])).toMatchObject({ kind: "failed", failedAt: 1 });
    expect(value()).toBe(before);
    expect(cluster.submitBundle([wire])).toMatchObject({ kind: "landed" });
  });

  const carol = keyOf("carol");
  test.each<[string, () => Uint8Array]>([
    ["the advance is not its first instruction", () => on(value(), payment(SOL).reverse())],
    ["it does not advance at all", () => on(value(), payment(SOL).slice(1))],
    ["another than the authority signs", () => on(value(), payment(SOL, carol.address), [alice, carol])],
    ["the account is no nonce account", () => on(value(), [advanceNonce(bob, alice.address)])],
    ["the value is another", () => on(keyOf("x").address, payment(SOL))],
    [
      "the account is named read-only",
      () => {
        const [advance, ...rest] = payment(SOL) as [Instruction, Instruction];
        const accounts = advance.accounts.map((use) => ({ ...use, writable: false }));
        return on(value(), [{ ...advance, accounts }, ...rest]);
      },
    ],
  ])("is refused when %s", (_, wire) => {
    expect(cluster.submit(wire())).toMatchObject({ kind: "refused", error: "BlockhashNotFound" });
  });
});
