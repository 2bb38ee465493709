/** `sandpiper nonces` on a local cluster, behind its RPC door. */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { base58Decode } from "#core/base58.ts";
import { ManualClock } from "#core/clock.ts";
import { runPaths } from "#core/paths.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { nonceAddress } from "#execute/nonce/nonce-account.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { runNonces } from "./nonces.ts";

const seed = new Uint8Array(32).fill(11);
const wallet = keypairFromSeed(seed);

async function said(...args: string[]): Promise<string> {
  let out = "";
  const code = await runNonces(args, (text) => {
    out += text;
  });
  expect(code).toBe(0);
  return out;
}

test("sandpiper nonces makes what is missing, once, and shows each account with its value", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cli-nonces-"));
  const { walletKey } = runPaths(dataDir);
  mkdirSync(dirname(walletKey), { recursive: true });
  writeFileSync(walletKey, JSON.stringify([...seed, ...base58Decode(wallet.address)]));
  const cluster = createCluster({ seed: "nonces", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
  cluster.airdrop(wallet.address, 1_000_000_000n);
  cluster.nextSlot();
  const door = startRpcDoor(cluster, { port: 0 });
  const flags = ["--dataDir", dataDir, "--sim.rpcPort", String(door.port), "--execute.nonceAccounts"];
  try {
    expect(await said("show", ...flags, "2")).toBe(
      [0, 1].map((i) => `${nonceAddress(wallet.address, i)}  is not there\n`).join(""),
    );
    expect(await said("create", ...flags, "2")).toMatch(/^made 2 of 2 nonce accounts\n(\w{32,44} {2}\w{32,44}\n){2}$/);
    expect(await said("create", ...flags, "3")).toStartWith("made 1 of 3 nonce accounts\n");
    expect(runNonces(["show", ...flags, "0"])).rejects.toThrow(
      "Cannot run nonces: --execute.nonceAccounts of 1 or more",
    );
    expect(runNonces(["delete"])).rejects.toThrow("Cannot run nonces: create or show, was delete");
  } finally {
    await door.stop();
    rmSync(dataDir, { recursive: true });
  }
});

test("sandpiper nonces says what the cluster says when the wallet cannot pay", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cli-nonces-"));
  const { walletKey } = runPaths(dataDir);
  mkdirSync(dirname(walletKey), { recursive: true });
  writeFileSync(walletKey, JSON.stringify([...seed, ...base58Decode(wallet.address)]));
  const cluster = createCluster({ seed: "poor", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
  const door = startRpcDoor(cluster, { port: 0 });
  const flags = ["--dataDir", dataDir, "--sim.rpcPort", String(door.port), "--execute.nonceAccounts", "1"];
  try {
    await expect(runNonces(["create", ...flags], () => {})).rejects.toThrow(
      "Cannot make nonce accounts: an answer to sendTransaction, was Transaction simulation failed",
    );
  } finally {
    await door.stop();
    rmSync(dataDir, { recursive: true });
  }
});
