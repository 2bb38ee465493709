/** What the tests of the block engine share: a cluster with paid keys, and bundles that tip and write what they are told. */
import { createHash } from "node:crypto";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { walletAccount } from "#sim/genesis/accounts.ts";
import { BlockEngine, type BlockEngineOptions } from "./block-engine.ts";
import { TIP_ACCOUNTS } from "./tip-accounts.ts";

export const SOL = 1_000_000_000n;
export const TIP_ACCOUNT = TIP_ACCOUNTS[0] as Address;
export const keyOf = (name: string): Keypair => keypairFromSeed(createHash("sha256").update(name).digest());

export type Stage = {
  readonly cluster: LocalCluster;
  readonly clock: ManualClock;
  readonly engine: BlockEngine;
  /** A key with 10 SOL. */
  readonly paid: (name: string) => Keypair;
};

export function stage(options: Partial<BlockEngineOptions> = {}): Stage {
  const clock = new ManualClock(1_700_000_000_000_000_000n);
  const cluster = createCluster({ seed: "engine", slotMs: 400, clock });
  for (const address of TIP_ACCOUNTS) cluster.setAccount(address, walletAccount(SOL));
  const paid = (name: string) => {
    const key = keyOf(name);
    if (cluster.account(key.address) === undefined) cluster.setAccount(key.address, walletAccount(10n * SOL));
    return key;
  };
  return { cluster, clock, engine: new BlockEngine(cluster, { clock, ...options }), paid };
}

function transferOf(from: Address, to: Address, lamports: bigint): Instruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, lamports, true);
  const accounts = [
    { address: from, signer: true, writable: true },
    { address: to, signer: false, writable: true },
  ];
  return { programAddress: SYSTEM_PROGRAM, accounts, data };
}

/** A transaction that pays these, in order. */
export function paying(
  cluster: LocalCluster,
  from: Keypair,
  payments: readonly (readonly [Address, bigint])[],
): Uint8Array {
  const { blockhash } = cluster.latestBlockhash();
  const instructions = payments.map(([to, lamports]) => transferOf(from.address, to, lamports));
  return signTransaction(compileMessage({ payer: from.address, blockhash, instructions }), [from]);
}
