/**
 * What a simulation before a send costs, on the best cycle of the local market after each of many trades: running it in our
 * machine alone, with the accounts written that a trade changed, and with those accounts read through the cluster's RPC
 * door (in this process: both ends are paid here). The first two rows are what writing the decision's own reserves would
 * cost, the third what we do. Then memory over many simulations.
 *
 *   bun bench/simulate.ts [simulations, 20000 unless told]
 */
import { ManualClock } from "#core/clock.ts";
import { seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import type { Instruction } from "#dex/instruction.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { createRpc, type Rpc } from "#execute/rpc.ts";
import { ChainCopy } from "#execute/simulate/chain-copy.ts";
import { Simulator } from "#execute/simulate/simulator.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { writeGenesis } from "#sim/genesis/genesis.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { CycleSearch } from "#sim/rival/cycle-search.ts";
import { cycleSwaps } from "#sim/rival/cycle-swaps.ts";
import { MarketView } from "#sim/rival/market-view.ts";
import { machine, median, short, table } from "./report.ts";

const TRADES = 300;
const TOTAL = Number(process.argv[2] ?? 20_000);

const cluster = createCluster({ seed: "bench", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
const market = await writeGenesis(cluster, {
  seed: "bench",
  program: readProgramFile("cp-swap"),
  wallet: "",
  traders: 1,
  rivals: 1,
});
cluster.nextSlot();
const door = startRpcDoor(cluster, { port: 0 });
const [trader, us] = [market.traders[0], market.rivals[0]];
if (trader === undefined || us === undefined) throw new Error("the market has no wallets");
const view = new MarketView(cluster, market.pools);
const search = new CycleSearch(market.pools);
const baseAccount = await associatedTokenAddress(us.keypair.address, WSOL_MINT, TOKEN_PROGRAM);
const random = seededRandom("bench");
const reserves = (pool: number) => view.reserves(pool);

function sign(from: typeof us, instructions: readonly Instruction[]): Uint8Array {
  const { blockhash } = cluster.latestBlockhash();
  const payer = (from as NonNullable<typeof us>).keypair;
  return signTransaction(compileMessage({ payer: payer.address, blockhash, instructions }), [payer]);
}

function trade(): void {
  const pool = Math.floor(random.unit() * market.pools.length);
  const inputSide = random.unit() < 0.5 ? 0 : 1;
  const amount = (reserves(pool)[inputSide] * BigInt(Math.round(random.between(5, 30)))) / 1_000n;
  const wallet = trader as NonNullable<typeof trader>;
  cluster.submit(sign(wallet, cycleSwaps(market, wallet, [{ pool, inputSide }], [amount, 0n])));
}

function best() {
  const wallet = us as NonNullable<typeof us>;
  const found = search.best([...market.pools.keys()], reserves, 50_000_000_000n);
  if (found === undefined) return undefined;
  const amounts = search.amounts(found.cycle, reserves, found.amountIn);
  const tip = transferLamports(wallet.keypair.address, TIP_ACCOUNTS[1] as Address, 20_000n);
  const instructions = [...cycleSwaps(market, wallet, found.cycle, amounts), tip];
  return { wire: sign(wallet, instructions), instructions, wallet: wallet.keypair.address, baseAccount };
}

const rpc = createRpc({ url: door.url });
const clock = createSystemClock();
const lastAnswer: { value: Awaited<ReturnType<Rpc>> | undefined } = { value: undefined };
const simulator = new Simulator(async (method, params) => {
  lastAnswer.value = await rpc(method, params);
  return lastAnswer.value;
}, clock);
/** A copy that is given the same accounts without a round trip. */
const offline = new ChainCopy(async (method, params) => lastAnswer.value ?? rpc(method, params), clock);

const whole: number[] = [];
const written: number[] = [];
const alone: number[] = [];
let passed = 0;
for (let i = 0; i < TRADES; i++) {
  trade();
  const transaction = best();
  if (transaction === undefined) continue;
  const startNs = Bun.nanoseconds();
  const simulation = await simulator.simulate(transaction);
  whole.push(Bun.nanoseconds() - startNs);
  if (simulation.kind === "passed") passed++;
  const accounts = transaction.instructions.flatMap((instruction) => instruction.accounts);
  const addresses = (writable: boolean) => [
    ...new Set(accounts.filter((account) => account.writable === writable).map(({ address }) => address)),
  ];
  lastAnswer.value = undefined;
  const touched = { written: [...new Set([transaction.wallet, ...addresses(true)])], readOnly: [] };
  // Everything that is only read, from the cluster; then what is written, from memory.
  const programs = transaction.instructions.map(({ programAddress }) => programAddress);
  await offline.using({ written: [], readOnly: [...new Set([...addresses(false), ...programs])] }, () => {});
  lastAnswer.value = await rpc("getMultipleAccounts", [touched.written, { encoding: "base64" }]);
  const writeNs = Bun.nanoseconds();
  await offline.using(touched, (svm) => {
    const aloneNs = Bun.nanoseconds();
    svm.commit(transaction.wire);
    written.push(Bun.nanoseconds() - writeNs);
    alone.push(Bun.nanoseconds() - aloneNs);
  });
  lastAnswer.value = undefined;
}
const micros = (values: readonly number[], q: number) =>
  short((values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? 0) / 1e3);
const row = (name: string, values: readonly number[]) => [name, short(median(values) / 1e3), micros(values, 0.99)];
console.log(
  table(
    ["one simulation, µs", "p50", "p99"],
    [row("run", alone), row("write + run", written), row("read by RPC + write + run", whole)],
  ),
);
console.log(`${passed} of ${whole.length} passed; ${machine()}`);

const transaction = best();
const rows: string[][] = [];
for (let done = 0; transaction !== undefined && done <= TOTAL; done++) {
  if (done % (TOTAL / 4) === 0) rows.push([String(done), short(process.memoryUsage.rss() / 1e6)]);
  await simulator.simulate(transaction);
}
console.log(table(["simulations", "RSS, MB"], rows));
await door.stop();
process.exit(0);
