import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { base58Encode } from "#core/base58.ts";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import {
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
import { type RpcDoor, startRpcDoor } from "./rpc-door.ts";
import { startSocketDoor } from "./socket-door.ts";
import { TOKEN_PROGRAM } from "./token-balances.ts";

type Answer = { result?: never; error?: { code: number; message: string; data?: Record<string, unknown> } };

const cluster: LocalCluster = testCluster({ startSlot: 100n, ledger: { slotsMax: 60 } });
let door: RpcDoor;
beforeAll(() => {
  door = startRpcDoor(cluster, { port: 0 });
});
afterAll(() => door.stop());

async function post(body: string): Promise<string> {
  return (await fetch(door.url, { method: "POST", body })).text();
}
async function call(method: string, ...params: unknown[]): Promise<Answer> {
  return JSON.parse(await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })));
}
async function result<T>(method: string, ...params: unknown[]): Promise<T> {
  const { result: value, error } = await call(method, ...params);
  if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
  return value as T;
}
const base64 = (wire: Uint8Array): string => Buffer.from(wire).toString("base64");

const alice = funded(cluster, "alice", 1_000n * SOL);
const bob = keyOf("bob").address;
const mint = keyOf("mint").address;
const [from, to] = [keyOf("from").address, keyOf("to").address];
cluster.setAccount(mint, mintAccount(6, 1_500_000n));
cluster.setAccount(from, tokenAccount(keyOf("mint").publicKey, alice.publicKey, 1_500_000n));
cluster.setAccount(to, tokenAccount(keyOf("mint").publicKey, keyOf("bob").publicKey, 0n));
const tokenTransfer = signed(cluster, [alice], [tokenTransferInstruction(from, to, alice.address, 500_000n)]);

describe("the RPC door", () => {
  test("speaks JSON-RPC: errors of form, batches, notifications, health", async () => {
    const cases: [string, unknown][] = [
      ["{", { jsonrpc: "2.0", error: { code: -32700, message: "Parse error" }, id: null }],
      ["[]", { jsonrpc: "2.0", error: { code: -32600, message: "Invalid request" }, id: null }],
      ['{"id":7,"method":"getSlot"}', { jsonrpc: "2.0", error: { code: -32600, message: "Invalid request" }, id: 7 }],
      [
        '{"jsonrpc":"2.0","id":"a","method":"toString"}',
        { jsonrpc: "2.0", error: { code: -32601, message: "Method not found" }, id: "a" },
      ],
      [
        '[{"jsonrpc":"2.0","id":1,"method":"getHealth"},{"jsonrpc":"2.0","method":"getHealth"},{"jsonrpc":"2.0","id":2,"method":"no"}]',
        [
          { jsonrpc: "2.0", result: "ok", id: 1 },
          { jsonrpc: "2.0", error: { code: -32601, message: "Method not found" }, id: 2 },
        ],
      ],
    ];
    for (const [body, answer] of cases) expect([body, JSON.parse(await post(body))]).toEqual([body, answer]);
    expect(await post('{"jsonrpc":"2.0","method":"getHealth"}')).toBe("");
    expect(await (await fetch(`${door.url}/health`)).text()).toBe("ok");
    expect((await fetch(door.url)).status).toBe(405);
  });

  test("says which door and port when the port is taken", () => {
    // Not a second door: inside bun:test, Bun.serve takes over its own port.
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    const { port } = taken;
    const expected = (name: string) => `Cannot open the ${name} on 127.0.0.1:${port}: a port that is free, was `;
    expect(() => startRpcDoor(cluster, { port })).toThrow(expected("RPC door"));
    expect(() => startSocketDoor(cluster, { port, clock: new ManualClock() })).toThrow(expected("WebSocket door"));
    taken.stop();
  });

  test("writes 64-bit numbers with all their digits", async () => {
    const text = await post(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getAccountInfo", params: [bob, { encoding: "base64" }] }),
    );
    expect(text).toContain('"value":null');
    const mintText = await post(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getAccountInfo", params: [mint, { encoding: "base64" }] }),
    );
    expect(mintText).toContain('"rentEpoch":18446744073709551615');
  });

  test("refuses wrong parameters with Agave's codes", async () => {
    const cases: [string, unknown[], number, string][] = [
      ["getBalance", [], -32602, "`params` should have at least 1 argument(s)"],
      ["getBalance", [7], -32602, "invalid type"],
      ["getBalance", ["0OIl"], -32602, "Invalid param: Invalid"],
      ["getBalance", ["abc"], -32602, "Invalid param: WrongSize"],
      ["getBalance", [bob, { commitment: "hopeful" }], -32602, "unknown variant `hopeful`"],
      ["getBalance", [bob, { minContextSlot: 10_000 }], -32016, "Minimum context slot has not been reached"],
      ["getAccountInfo", [from, { encoding: "base58" }], -32600, "should be less than 128 bytes"],
      ["getMultipleAccounts", [new Array(101).fill(bob)], -32602, "Too many inputs provided; max 100"],
      ["getSignatureStatuses", [["abc"]], -32602, "WrongSize"],
      ["getSlotLeaders", [0, 5_001], -32602, "max 5000"],
      ["getBlock", [1_000_000], -32004, "Block not available for slot 1000000"],
      ["getBlock", [7, { commitment: "confirmed" }], -32007, "Slot 7 was skipped"],
      ["getTransaction", [base58Encode(new Uint8Array(64)), { commitment: "processed" }], -32602, "below `confirmed`"],
      ["getProgramAccounts", [TOKEN_PROGRAM, { filters: new Array(5).fill({ dataSize: 1 }) }], -32602, "max 4"],
      ["getTokenAccountBalance", [bob], -32602, "could not find account"],
      ["getTokenAccountBalance", [mint], -32602, "not a Token account"],
      ["getTokenSupply", [bob], -32602, "could not find mint"],
      ["sendTransaction", ["AAAA", { encoding: "base64" }], -32602, "failed to deserialize"],
      ["sendTransaction", ["*", { encoding: "base64" }], -32602, "invalid base64 encoding"],
      ["sendTransaction", ["A".repeat(2_000), { encoding: "base64" }], -32602, "too large: 2000 bytes"],
      [
        "simulateTransaction",
        [base64(tokenTransfer), { encoding: "base64", sigVerify: true, replaceRecentBlockhash: true }],
        -32602,
        "sigVerify may not be used",
      ],
    ];
    for (const [method, params, code, message] of cases) {
      const { error } = await call(method, ...params);
      expect([method, error?.code, error?.message]).toEqual([method, code, expect.stringContaining(message)]);
    }
  });

  test("answers a preflight failure with its simulation, a bad signature with its own code", async () => {
    const poor = transfer(cluster, alice, bob, 10n ** 15n);
    const { error } = await call("sendTransaction", base64(poor), { encoding: "base64" });
    expect(error).toMatchObject({
      code: -32002,
      message: "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1",
      data: { err: { InstructionError: [0, { Custom: 1 }] }, unitsConsumed: 150, accounts: null },
    });
    const forged = Uint8Array.from(poor);
    forged[9] = (forged[9] ?? 0) ^ 1;
    expect((await call("sendTransaction", base64(forged), { encoding: "base64" })).error?.code).toBe(-32003);
    const old = Uint8Array.from(poor);
    old.fill(9, 65 + 4 + 1 + 3 * 32, 65 + 4 + 1 + 4 * 32);
    const stale = await call("sendTransaction", base64(old), { encoding: "base64" });
    expect([stale.error?.code, stale.error?.message]).toEqual([
      -32002,
      "Transaction simulation failed: Blockhash not found",
    ]);
    const before = cluster.ledger.transactionCount;
    expect(await result<string>("sendTransaction", base64(poor), { encoding: "base64", skipPreflight: true })).toMatch(
      /^[1-9A-Za-z]{80,90}$/,
    );
    expect(cluster.ledger.transactionCount).toBe(before + 1n);
  });

  test("simulates without leaving a trace, with accounts and inner instructions on request", async () => {
    const accounts = { encoding: "jsonParsed", addresses: [to, bob] };
    const options = { encoding: "base64", sigVerify: true, innerInstructions: true, accounts };
    const { value } = await result<{ value: Record<string, unknown> }>(
      "simulateTransaction",
      base64(tokenTransfer),
      options,
    );
    expect(value).toMatchObject({ err: null, innerInstructions: [], replacementBlockhash: null, fee: 5_000 });
    expect(value["accounts"]).toMatchObject([
      { data: { parsed: { info: { tokenAmount: { uiAmountString: "0.5" } } } } },
      null,
    ]);
    expect((await result<{ value: { amount: string } }>("getTokenAccountBalance", to)).value.amount).toBe("0");
    const unsigned = base64(Uint8Array.from(tokenTransfer).fill(0, 1, 65));
    const replaced = await result<{ value: unknown }>("simulateTransaction", unsigned, {
      encoding: "base64",
      replaceRecentBlockhash: true,
    });
    const { blockhash } = cluster.latestBlockhash();
    expect(replaced.value).toMatchObject({ err: null, replacementBlockhash: { blockhash } });
  });

  test("tells of a token transfer in every form, as it becomes confirmed and finalized", async () => {
    const signature = await result<string>("sendTransaction", base64(tokenTransfer), { encoding: "base64" });
    const slot = Number(cluster.slot);
    const status = async () =>
      (await result<{ value: [{ confirmationStatus: string }] }>("getSignatureStatuses", [signature])).value[0];
    const options = { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 0 };
    expect((await status()).confirmationStatus).toBe("processed");
    expect((await call("getTransaction", signature, options)).result).toBeNull();
    expect((await call("sendTransaction", base64(tokenTransfer), { encoding: "base64" })).error?.message).toContain(
      "already been processed",
    );
    cluster.nextSlot();
    expect((await status()).confirmationStatus).toBe("confirmed");
    const tokens = (amount: string, accountIndex: number) =>
      expect.objectContaining({ accountIndex, mint, uiTokenAmount: expect.objectContaining({ amount, decimals: 6 }) });
    const read = await result<{
      meta: { fee: number; preTokenBalances: unknown[]; postTokenBalances: unknown[] };
      transaction: { message: { accountKeys: string[] } };
    }>("getTransaction", signature, options);
    const { accountKeys } = read.transaction.message;
    const places = [accountKeys.indexOf(from), accountKeys.indexOf(to)] as const;
    expect(read).toMatchObject({ slot, version: 0, blockTime: 1_700_000_000 });
    expect(read.meta.preTokenBalances).toEqual(
      expect.arrayContaining([tokens("1500000", places[0]), tokens("0", places[1])]),
    );
    expect(read.meta.postTokenBalances).toEqual(
      expect.arrayContaining([tokens("1000000", places[0]), tokens("500000", places[1])]),
    );
    expect(read.meta).toMatchObject({
      fee: 5_000,
      err: null,
      status: { Ok: null },
      innerInstructions: [],
      loadedAddresses: { writable: [], readonly: [] },
    });
    expect((await call("getTransaction", signature, { commitment: "confirmed" })).error?.code).toBe(-32015);
    const raw = await result<{ transaction: [string, string] }>("getTransaction", signature, {
      ...options,
      encoding: "base64",
    });
    expect(raw.transaction).toEqual([base64(tokenTransfer), "base64"]);
    for (const transactionDetails of ["full", "accounts", "signatures", "none"]) {
      const block = await result<{
        transactions?: unknown[];
        signatures?: string[];
        blockhash: string;
        parentSlot: number;
      }>("getBlock", slot, { ...options, transactionDetails });
      expect([
        transactionDetails,
        block.transactions?.length,
        block.signatures?.includes(signature),
        block.parentSlot,
      ]).toEqual([
        transactionDetails,
        { full: 2, accounts: 2 }[transactionDetails],
        transactionDetails === "signatures" ? true : undefined,
        slot - 1,
      ] as never);
    }
    for (let i = 0; i < 31; i++) cluster.nextSlot();
    expect((await status()).confirmationStatus).toBe("finalized");
    const found = await result<{ signature: string }[]>("getSignaturesForAddress", to, { limit: 10 });
    expect(found.map((one) => one.signature)).toEqual([signature]);
  });

  test("finds token accounts by owner and mint, and programs' accounts by filter", async () => {
    const byMint = await result<{ value: { pubkey: Address }[] }>(
      "getTokenAccountsByOwner",
      alice.address,
      { mint },
      { encoding: "jsonParsed" },
    );
    expect(byMint.value.map(({ pubkey }) => pubkey)).toEqual([from]);
    const byProgram = await result<{ value: { pubkey: Address }[] }>(
      "getTokenAccountsByOwner",
      keyOf("bob").address,
      { programId: TOKEN_PROGRAM },
      { encoding: "base64" },
    );
    expect(byProgram.value.map(({ pubkey }) => pubkey)).toEqual([to]);
    const filters = [{ dataSize: 165 }, { memcmp: { offset: 32, bytes: alice.address } }];
    const found = await result<{ pubkey: Address }[]>("getProgramAccounts", TOKEN_PROGRAM, {
      encoding: "base64",
      filters,
    });
    expect(found.map(({ pubkey }) => pubkey)).toEqual([from]);
    const supply = await result<{ value: unknown }>("getTokenSupply", mint);
    expect(supply.value).toEqual({ amount: "1500000", decimals: 6, uiAmount: 1.5, uiAmountString: "1.5" });
  });

  test("gives blockhashes by commitment, each valid for 150 slots", async () => {
    const slot = Number(cluster.slot);
    for (const [commitment, of] of [
      ["processed", slot - 1],
      ["confirmed", slot - 1],
      ["finalized", slot - 32],
    ] as const) {
      const { value } = await result<{ value: { blockhash: string; lastValidBlockHeight: number } }>(
        "getLatestBlockhash",
        { commitment },
      );
      expect(value).toEqual({ blockhash: cluster.blockhashOf(BigInt(of)), lastValidBlockHeight: of + 150 });
      expect((await result<{ value: boolean }>("isBlockhashValid", value.blockhash)).value).toBe(true);
    }
    const message = transfer(cluster, alice, bob, 1n).subarray(65);
    expect((await result<{ value: number }>("getFeeForMessage", base64(message))).value).toBe(5_000);
  });

  test("forgets old blocks and says from where it knows", async () => {
    for (let i = 0; i < 80; i++) cluster.nextSlot();
    const first = await result<number>("getFirstAvailableBlock");
    expect(first).toBe(Number(cluster.slot) - 59);
    expect((await call("getBlock", first - 1, { commitment: "confirmed" })).error).toMatchObject({ code: -32001 });
    const slots = await result<number[]>("getBlocks", first - 5, first + 2, { commitment: "confirmed" });
    expect(slots).toEqual([first, first + 1, first + 2]);
    expect(await result<number>("getBlockTime", first)).toBe(1_700_000_000);
  });
});
