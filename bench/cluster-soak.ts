/**
 * The local cluster over a long run: microseconds per transaction and resident memory at every tenth, with slots moving,
 * the ledger kept, both doors open, and one client reading every transaction from the geyser door. Nine in ten are swaps
 * on the market of genesis, the rest transfers; one in twenty fails on purpose. Flat lines are the point.
 *
 *   bun bench/cluster-soak.ts [transactions = 1000000]
 *
 * Compared with surfpool 1.5.0, which took 9 µs more for each transaction than for the one before.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "#core/clock.ts";
import { seededRandom } from "#core/random.ts";
import type { Instruction } from "#dex/instruction.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { type SimMarket, type SimWallet, writeGenesis } from "#sim/genesis/genesis.ts";
import { machine } from "./report.ts";

const TRANSACTIONS_PER_SLOT = 20;
const TENTHS = 10;
const FAIL_EVERY = 20;
const TRANSFER_EVERY = 10;
const NO_MINIMUM = 0n;
const IMPOSSIBLE_MINIMUM = 0xffff_ffff_ffff_ffffn;

const total = Number(process.argv[2] ?? 1_000_000);
if (!Number.isSafeInteger(total) || total < TENTHS) {
  console.error(`Cannot run the soak: a whole number of at least ${TENTHS} transactions, was ${process.argv[2]}`);
  process.exit(2);
}

const clock: Clock = {
  monotonicNs: () => Bun.nanoseconds(),
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
  wallQuality: () => undefined,
};
const random = seededRandom("soak");
const cluster = createCluster({ seed: "soak", slotMs: 400, clock });
const program = readFileSync(new URL("../programs/cp-swap.so", import.meta.url));
const market = await writeGenesis(cluster, { seed: "soak", program, wallet: "", traders: 8, rivals: 0 });
const rpcDoor = startRpcDoor(cluster, { port: 0 });
const socketDoor = startSocketDoor(cluster, { port: 0, clock });
let heard = 0;
const reader = new WebSocket(socketDoor.url);
await new Promise((resolve) => {
  reader.onopen = resolve;
});
reader.onmessage = () => void heard++;
reader.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "geyserSubscribe", params: [{}] }));

console.log("transactions      ok  failed  µs/tx submit  µs/tx sign  rss MiB  slot     heard");
const counts = { ok: 0, failed: 0 };
let submitMs = 0;
let signMs = 0;
for (let i = 1; i <= total; i++) {
  const before = performance.now();
  const wire = prepare(market, i);
  const ready = performance.now();
  const result = cluster.submit(wire);
  submitMs += performance.now() - ready;
  signMs += ready - before;
  if (result.kind === "refused") throw new Error(`refused: ${JSON.stringify(result.error)}`);
  counts[result.executed.error === null ? "ok" : "failed"]++;
  if (i % TRANSACTIONS_PER_SLOT === 0) {
    cluster.nextSlot();
    // Native memory is only freed when the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (i % Math.floor(total / TENTHS) === 0) {
    const tenth = total / TENTHS;
    const rss = process.memoryUsage().rss / 2 ** 20;
    const figures = [((submitMs * 1_000) / tenth).toFixed(0), ((signMs * 1_000) / tenth).toFixed(0), rss.toFixed(0)];
    const cells = [i, counts.ok, counts.failed, ...figures, cluster.slot, heard];
    const widths = [12, 8, 8, 14, 12, 9, 6, 10];
    console.log(cells.map((cell, column) => String(cell).padStart(widths[column] as number)).join(""));
    submitMs = 0;
    signMs = 0;
  }
}
reader.close();
await Promise.all([rpcDoor.stop(), socketDoor.stop()]);
console.log(
  `slow sockets closed ${socketDoor.counters.slowSocketsClosed}, notices dropped ${socketDoor.counters.noticesDropped}`,
);
console.log(machine());
process.exit(0);

function prepare({ pools, traders, tokens }: SimMarket, number: number): Uint8Array {
  const trader = random.pick(traders);
  const { blockhash } = cluster.latestBlockhash();
  const payer = trader.keypair.address;
  const instruction =
    number % TRANSFER_EVERY === 0
      ? transferLamports(payer, random.pick(traders).keypair.address, BigInt(number))
      : swap(random.pick(pools), trader, tokens, number);
  return signTransaction(compileMessage({ payer, blockhash, instructions: [instruction] }), [trader.keypair]);
}

function swap(
  pool: SimMarket["pools"][number],
  trader: SimWallet,
  tokens: SimMarket["tokens"],
  number: number,
): Instruction {
  const inputSide = number % 2 === 0 ? 0 : 1;
  const tokenOf = (side: 0 | 1) => pool.tokens[side];
  const input = tokenOf(inputSide);
  const accountOf = (token: number) => trader.tokenAccounts[token] as SimWallet["tokenAccounts"][number];
  const amountIn = BigInt(Math.floor((tokens[input]?.unitsPerSol ?? 1) * (0.5 + random.unit()))) + BigInt(number);
  return swapInstruction(pool.facts, {
    owner: trader.keypair.address,
    inputSide,
    inputAccount: accountOf(input),
    outputAccount: accountOf(tokenOf(inputSide === 0 ? 1 : 0)),
    amountIn,
    minimumOut: number % FAIL_EVERY === 1 ? IMPOSSIBLE_MINIMUM : NO_MINIMUM,
  });
}
