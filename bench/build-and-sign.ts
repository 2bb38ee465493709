/**
 * Microseconds from a decision to a signed transaction, ours beside @solana/kit and @solana/web3.js 1.x (of bench/sdk,
 * installed on the first run) in the same run and on the same three-hop bundle: plan, compile, sign. Ours signs through
 * node:crypto, kit through WebCrypto, web3.js in plain JavaScript; kit's transaction is compared byte by byte and web3.js's
 * by its size before anything is measured (it orders accounts of one kind as they come, not by address).
 *
 *   bun bench/build-and-sign.ts
 */
import { join } from "node:path";
import {
  AccountRole,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransaction,
  createKeyPairFromPrivateKeyBytes,
  createTransactionMessage,
  getTransactionEncoder,
  type Address as KitAddress,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransaction as signWithKit,
} from "@solana/kit";
import { testAddress, testPool } from "#arbitrage/test-pools.ts";
import type { Decision } from "#decide/decision-record.ts";
import type { Instruction } from "#dex/instruction.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { planInstructions } from "#execute/plan.ts";
import { signTransaction } from "#execute/transaction.ts";
import { load } from "./quotes-sdk.ts";
import { machine, median, short, table } from "./report.ts";

const ROUNDS = 3;
const RUNS = 2_000;
const seed = new Uint8Array(32).fill(5);
const wallet = keypairFromSeed(seed);
const kitKeys = await createKeyPairFromPrivateKeyBytes(seed);
const blockhash = testAddress(77) as string;
Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"], {
  cwd: join(import.meta.dir, "sdk"),
});
const { Keypair, PublicKey, TransactionMessage, VersionedTransaction } = await load("@solana/web3.js/lib/index.cjs.js");
const web3Keys = Keypair.fromSeed(seed);
const pools = [testPool(0, 0, 1), testPool(1, 1, 2), testPool(2, 2, 0)];

const decision: Pick<Decision, "hops" | "amounts" | "tipLamports"> = {
  hops: pools.map((_, pool) => ({ pool, inputSide: 0, reserveIn: 0n, reserveOut: 0n })),
  amounts: [1_000_000_000n, 5_000_000n, 7_000_000n, 1_001_000_000n],
  tipLamports: 100_000n,
};
const tipAccount = testAddress(500);
const plan = () =>
  planInstructions(decision, {
    owner: wallet.address,
    pool: (index) => pools[index],
    tokenAccount: (mint) => mint,
    tipAccount,
  });

function ours(): Uint8Array {
  const message = compileMessage({ payer: wallet.address, blockhash, instructions: plan() });
  return signTransaction(message, [wallet]);
}

const role = ({ signer, writable }: Instruction["accounts"][number]) =>
  signer
    ? writable
      ? AccountRole.WRITABLE_SIGNER
      : AccountRole.READONLY_SIGNER
    : writable
      ? AccountRole.WRITABLE
      : AccountRole.READONLY;

async function kit(): Promise<Uint8Array> {
  const empty = setTransactionMessageFeePayer(
    wallet.address as string as KitAddress,
    createTransactionMessage({ version: 0 }),
  );
  const timed = setTransactionMessageLifetimeUsingBlockhash(
    { blockhash: blockhash as Blockhash, lastValidBlockHeight: 0n },
    empty,
  );
  const instructions = plan().map(({ programAddress, accounts, data }) => ({
    programAddress: programAddress as string as KitAddress,
    accounts: accounts.map((use) => ({ address: use.address as string as KitAddress, role: role(use) })),
    data,
  }));
  const full = appendTransactionMessageInstructions(instructions, timed);
  return new Uint8Array(getTransactionEncoder().encode(await signWithKit([kitKeys], compileTransaction(full))));
}

async function web3(): Promise<Uint8Array> {
  const instructions = plan().map(({ programAddress, accounts, data }) => ({
    programId: new PublicKey(programAddress),
    keys: accounts.map(({ address, signer, writable }) => ({
      pubkey: new PublicKey(address),
      isSigner: signer,
      isWritable: writable,
    })),
    data: Buffer.from(data),
  }));
  const message = new TransactionMessage({ payerKey: web3Keys.publicKey, recentBlockhash: blockhash, instructions });
  const transaction = new VersionedTransaction(message.compileToV0Message());
  transaction.sign([web3Keys]);
  return transaction.serialize();
}

async function medianUs(once: () => Uint8Array | Promise<Uint8Array>, runs: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = Bun.nanoseconds();
    await once();
    times.push((Bun.nanoseconds() - start) / 1e3);
  }
  return median(times);
}

if (!Buffer.from(ours()).equals(Buffer.from(await kit())))
  throw new Error("Cannot compare: equal transactions, was different bytes");
if ((await web3()).length !== ours().length)
  throw new Error("Cannot compare: transactions of one size, was another from web3.js");
const rows: string[][] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const oursUs = await medianUs(ours, RUNS);
  const kitUs = await medianUs(kit, RUNS / 4);
  const web3Us = await medianUs(web3, RUNS / 4);
  rows.push([String(round), short(oursUs), short(kitUs), short(kitUs / oursUs), short(web3Us), short(web3Us / oursUs)]);
}
console.log(`Build and sign a bundle of three swaps and a tip, ${ours().length} bytes: median µs\n`);
console.log(table(["round", "ours", "@solana/kit", "ratio", "web3.js", "ratio"], rows));
console.log(`\n${machine()}`);
