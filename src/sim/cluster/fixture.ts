/** What the tests and benches of the cluster share: a small cluster, funded keys, and signed transactions. */
import { createHash } from "node:crypto";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { SYSTEM_PROGRAM } from "#execute/svm/machine.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { AccountState } from "./cluster.ts";
import type { LedgerLimits } from "./ledger.ts";
import { createCluster } from "./lite-cluster.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { TOKEN_PROGRAM } from "./token-balances.ts";

export const SOL = 1_000_000_000n;
const START_MS = 1_700_000_000_000n;

export function testCluster(options: { seed?: string; startSlot?: bigint; ledger?: LedgerLimits } = {}): LocalCluster {
  const clock = new ManualClock(START_MS * 1_000_000n);
  return createCluster({ seed: "test", slotMs: 400, clock, ...options });
}

export const keyOf = (name: string): Keypair => keypairFromSeed(createHash("sha256").update(name).digest());

const systemAccount = (lamports: bigint): AccountState => ({
  lamports,
  owner: SYSTEM_PROGRAM,
  data: new Uint8Array(0),
  executable: false,
});

export function funded(cluster: LocalCluster, name: string, lamports = 10n * SOL): Keypair {
  const key = keyOf(name);
  cluster.setAccount(key.address, systemAccount(lamports));
  return key;
}

export function createAccountInstruction(
  from: Address,
  account: Address,
  lamports: bigint,
  bytes: number,
  owner: Address,
  ownerBytes: Uint8Array,
): Instruction {
  const data = new Uint8Array(52);
  const view = new DataView(data.buffer);
  view.setBigUint64(4, lamports, true);
  view.setBigUint64(12, BigInt(bytes), true);
  data.set(ownerBytes, 20);
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: from, signer: true, writable: true },
      { address: account, signer: true, writable: true },
      { address: owner, signer: false, writable: false },
    ],
    data,
  };
}

export function signed(
  cluster: Pick<LocalCluster, "latestBlockhash">,
  signers: readonly [Keypair, ...Keypair[]],
  instructions: readonly Instruction[],
): Uint8Array {
  const { blockhash } = cluster.latestBlockhash();
  return signTransaction(compileMessage({ payer: signers[0].address, blockhash, instructions }), signers);
}

export const transfer = (cluster: LocalCluster, from: Keypair, to: Address, lamports: bigint): Uint8Array =>
  signed(cluster, [from], [transferLamports(from.address, to, lamports)]);

/** A mint with this supply, and no authorities that matter. */
export function mintAccount(decimals: number, supply: bigint): AccountState {
  const data = new Uint8Array(82);
  new DataView(data.buffer).setBigUint64(36, supply, true);
  data[44] = decimals;
  data[45] = 1;
  return { lamports: SOL, owner: TOKEN_PROGRAM, data, executable: false };
}

export function tokenAccount(mint: Uint8Array, owner: Uint8Array, amount: bigint): AccountState {
  const data = new Uint8Array(165);
  data.set(mint, 0);
  data.set(owner, 32);
  new DataView(data.buffer).setBigUint64(64, amount, true);
  data[108] = 1;
  return { lamports: SOL, owner: TOKEN_PROGRAM, data, executable: false };
}

export function tokenTransferInstruction(from: Address, to: Address, owner: Address, amount: bigint): Instruction {
  const data = new Uint8Array(9);
  data[0] = 3;
  new DataView(data.buffer).setBigUint64(1, amount, true);
  return {
    programAddress: TOKEN_PROGRAM,
    accounts: [
      { address: from, signer: false, writable: true },
      { address: to, signer: false, writable: true },
      { address: owner, signer: true, writable: false },
    ],
    data,
  };
}
