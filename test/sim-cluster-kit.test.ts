/** @solana/kit's own clients, unchanged, against the doors of the local cluster. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  address,
  airdropFactory,
  appendTransactionMessageInstruction,
  assertIsTransactionWithBlockhashLifetime,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions_UNSTABLE,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  isSolanaError,
  type KeyPairSigner,
  lamports,
  pipe,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from "@solana/kit";
import type { Clock } from "#core/clock.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSlotClock } from "#sim/cluster/slot-clock.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";

const SLOT_MS = 20;
const SYSTEM_PROGRAM = address("11111111111111111111111111111111");
const TOKEN_PROGRAM = address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const WSOL = address("So11111111111111111111111111111111111111112");
const clock: Clock = {
  monotonicNs: () => Bun.nanoseconds(),
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
  wallQuality: () => undefined,
};

let cluster: LocalCluster;
let stop: () => Promise<void>;
let rpc: ReturnType<typeof connect>["rpc"];
let subscriptions: ReturnType<typeof connect>["subscriptions"];
let alice: KeyPairSigner;
let bob: KeyPairSigner;

beforeAll(async () => {
  cluster = createCluster({ seed: "kit", clock, slotMs: SLOT_MS });
  const socketDoor = startSocketDoor(cluster, { port: 0, clock });
  const rpcDoor = startRpcDoor(cluster, { port: 0, socketPort: socketDoor.port });
  const slots = startSlotClock(cluster, { slotMs: SLOT_MS, clock });
  stop = async () => {
    slots.stop();
    await Promise.all([rpcDoor.stop(), socketDoor.stop()]);
  };
  ({ rpc, subscriptions } = connect(rpcDoor.url, socketDoor.url));
  alice = await createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(1));
  bob = await createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(2));
  const fund = airdropFactory({ rpc, rpcSubscriptions: subscriptions });
  await fund({ recipientAddress: alice.address, lamports: lamports(5_000_000_000n), commitment: "confirmed" });
});

afterAll(() => stop());

function connect(url: string, socketUrl: string) {
  return { rpc: createSolanaRpc(url), subscriptions: createSolanaRpcSubscriptions_UNSTABLE(socketUrl) };
}

function transferInstruction(amount: bigint): Instruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, amount, true);
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: alice.address, role: 3 },
      { address: bob.address, role: 1 },
    ],
    data,
  };
}

async function signedTransfer(amount: bigint) {
  const { value } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(alice, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(value, m),
    (m) => appendTransactionMessageInstruction(transferInstruction(amount), m),
  );
  const transaction = await signTransactionMessageWithSigners(message);
  assertIsTransactionWithBlockhashLifetime(transaction);
  return transaction;
}

describe("createSolanaRpc()", () => {
  test("reads the chain", async () => {
    expect(await rpc.getHealth().send()).toBe("ok");
    expect((await rpc.getVersion().send())["solana-core"]).toBe("4.2.0");
    const [genesis, identity, leader] = await Promise.all([
      rpc.getGenesisHash().send(),
      rpc.getIdentity().send(),
      rpc.getSlotLeader().send(),
    ]);
    expect([genesis as string, identity.identity, leader]).toEqual([
      cluster.genesisHash,
      cluster.identity,
      cluster.identity,
    ]);
    const epoch = await rpc.getEpochInfo().send();
    expect(epoch.slotsInEpoch).toBe(432_000n);
    expect((await rpc.getEpochSchedule().send()).warmup).toBe(false);
    expect((await rpc.getSlotLeaders(0n, 3).send()).length).toBe(3);
    expect((await rpc.getClusterNodes().send()).length).toBe(1);
    expect((await rpc.getLeaderSchedule().send())?.[cluster.identity as never]?.length).toBe(432_000);
    expect((await rpc.getSupply().send()).value.total).toBeGreaterThan(0n);
    expect(await rpc.getTransactionCount().send()).toBeGreaterThan(0n);
    expect(await rpc.getMinimumBalanceForRentExemption(165n).send()).toBe(lamports(2_039_280n));
  });

  test("reads accounts in every encoding", async () => {
    const expected = cluster.account(WSOL as never)?.data ?? new Uint8Array(0);
    const base64 = await rpc.getAccountInfo(WSOL, { encoding: "base64" }).send();
    expect(Buffer.from(base64.value?.data[0] ?? "", "base64")).toEqual(Buffer.from(expected));
    const zstd = await rpc.getAccountInfo(WSOL, { encoding: "base64+zstd" }).send();
    expect(Bun.zstdDecompressSync(Buffer.from(zstd.value?.data[0] ?? "", "base64"))).toEqual(Buffer.from(expected));
    const sliced = await rpc.getAccountInfo(WSOL, { encoding: "base58", dataSlice: { offset: 44, length: 2 } }).send();
    expect(sliced.value?.data[0] as string).toBe("gk");
    const parsed = await rpc.getAccountInfo(WSOL, { encoding: "jsonParsed" }).send();
    expect(parsed.value?.data).toMatchObject({ program: "spl-token", parsed: { type: "mint", info: { decimals: 9 } } });
    const several = await rpc.getMultipleAccounts([WSOL, bob.address], { encoding: "base64" }).send();
    expect(several.value.map((account) => account === null)).toEqual([
      false,
      cluster.account(bob.address as never) === undefined,
    ]);
    const owned = await rpc
      .getProgramAccounts(TOKEN_PROGRAM, { encoding: "base64", filters: [{ dataSize: 82n }] })
      .send();
    expect(owned.map(({ pubkey }) => pubkey)).toEqual([WSOL]);
  });

  test("answers errors that kit knows", async () => {
    const transaction = await signedTransfer(10n ** 15n);
    const sent = rpc.sendTransaction(getBase64EncodedWireTransaction(transaction), { encoding: "base64" }).send();
    const thrown = await sent.catch((reason: unknown) => reason);
    if (!isSolanaError(thrown, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)) throw thrown;
    expect(thrown.context.logs?.length).toBeGreaterThan(1);
    expect(thrown.context.unitsConsumed).toBeGreaterThan(0n);
  });
});

describe("createSolanaRpcSubscriptions() and sendAndConfirmTransactionFactory()", () => {
  test("send, confirm and read back a transfer", async () => {
    const send = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions: subscriptions });
    const transaction = await signedTransfer(1_000_000_000n);
    await send(transaction, { commitment: "confirmed" });
    const signature = getSignatureFromTransaction(transaction);
    expect((await rpc.getBalance(bob.address).send()).value).toBeGreaterThanOrEqual(lamports(1_000_000_000n));
    const status = (await rpc.getSignatureStatuses([signature]).send()).value[0];
    expect(status?.err).toBeNull();
    const read = await rpc
      .getTransaction(signature, { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 0 })
      .send();
    expect(read?.meta?.fee).toBe(lamports(5_000n));
    expect(read?.transaction.message.accountKeys).toContain(bob.address);
    const block = await rpc
      .getBlock(read?.slot ?? 0n, { commitment: "confirmed", encoding: "base64", maxSupportedTransactionVersion: 0 })
      .send();
    expect(block?.transactions.length).toBe(1);
    const found = await rpc.getSignaturesForAddress(bob.address, { commitment: "confirmed" }).send();
    expect(found.map((one) => one.signature)).toContain(signature);
  });

  test("hear of slots, roots, accounts, programs, logs and blocks", async () => {
    const abort = new AbortController();
    const options = { abortSignal: abort.signal };
    const confirmed = { commitment: "confirmed", encoding: "base64" } as const;
    const block = { ...confirmed, maxSupportedTransactionVersion: 0, transactionDetails: "signatures" } as const;
    const streams = await Promise.all([
      subscriptions.slotNotifications().subscribe(options),
      subscriptions.rootNotifications().subscribe(options),
      subscriptions.accountNotifications(bob.address, confirmed).subscribe(options),
      subscriptions.programNotifications(SYSTEM_PROGRAM, confirmed).subscribe(options),
      subscriptions.logsNotifications({ mentions: [bob.address] }, { commitment: "confirmed" }).subscribe(options),
      subscriptions.blockNotifications({ mentionsAccountOrProgram: bob.address }, block).subscribe(options),
      subscriptions.slotsUpdatesNotifications().subscribe(options),
    ]);
    const first = streams.map(async (stream) => {
      for await (const notice of stream as AsyncIterable<unknown>) return notice;
      throw new Error("the stream ended");
    });
    const transaction = await signedTransfer(7n);
    await rpc.sendTransaction(getBase64EncodedWireTransaction(transaction), { encoding: "base64" }).send();
    const [slot, root, account, program, logs, mentioning, update] = await Promise.all(first);
    abort.abort();
    expect((slot as { slot: bigint }).slot).toBeGreaterThan(0n);
    expect(root as bigint).toBeGreaterThanOrEqual(0n);
    expect(account).toMatchObject({ value: { owner: SYSTEM_PROGRAM, executable: false } });
    expect([alice.address, bob.address]).toContain(
      (program as { value: { pubkey: typeof alice.address } }).value.pubkey,
    );
    expect(logs).toMatchObject({ value: { signature: getSignatureFromTransaction(transaction), err: null } });
    expect(mentioning).toMatchObject({
      value: { err: null, block: { signatures: [getSignatureFromTransaction(transaction)] } },
    });
    expect((update as { slot: bigint }).slot).toBeGreaterThan(0n);
  });
});
