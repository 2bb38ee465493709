/**
 * The same 1,000 transactions on our cluster and on surfpool 1.5.0, another Solana runtime with Agave's RPC: each must
 * have the same result, and in the end every account the same lamports, owner and data. Swaps on the market of genesis,
 * token transfers and SOL transfers, some of which fail on purpose.
 *
 * Surfpool stalls after some thousand transactions and hangs unless its events are drained: the run is kept short.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { ManualClock } from "#core/clock.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import type { Keypair } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { signatureOf, signTransaction } from "#execute/transaction.ts";
import type { AccountState, Cluster } from "#sim/cluster/cluster.ts";
import { tokenTransferInstruction } from "#sim/cluster/fixture.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { type SimMarket, writeGenesis } from "#sim/genesis/genesis.ts";

type Surfnet = {
  readonly rpcUrl: string;
  setAccount(address: string, lamports: number, data: number[], owner: string): void;
  deploy(program: { programId: string; soPath: string }): void;
  drainEvents(): unknown[];
  stop(): void;
};

const TRANSACTIONS = 1_000;
/** Sent under one blockhash. */
const BATCH = 50;
const STATUSES_PER_CALL = 200;
const TEST_MS_MAX = 600_000;
const WAIT_MS_MAX = 60_000;
const PROGRAM = new URL("../programs/cp-swap.so", import.meta.url).pathname;
const onLinux = process.platform === "linux" && process.arch === "x64";

test.skipIf(!onLinux)(
  "createCluster() gives the results and the accounts that surfpool gives",
  async () => {
    const clock = new ManualClock(BigInt(Date.now()) * 1_000_000n);
    const cluster = createCluster({ seed: "cross", slotMs: 400, clock });
    const written = new Map<Address, AccountState>();
    const market = await writeGenesis(recorder(cluster, written), {
      seed: "cross",
      program: readFileSync(PROGRAM),
      wallet: "",
      traders: 4,
      rivals: 0,
    });
    const surfnet = startSurfnet(written);
    try {
      const work = plan(market);
      const touched = new Set<Address>(written.keys());
      const ours = work.map(({ payer, instructions }) => {
        cluster.nextSlot();
        const result = cluster.submit(sign(payer, instructions, cluster.latestBlockhash().blockhash));
        if (result.kind === "refused") return { refused: result.error };
        for (const { address } of result.executed.written) touched.add(address);
        return { error: result.executed.error };
      });
      const theirs = await runOnSurfnet(surfnet, work);
      expect(theirs as unknown[]).toEqual(ours);
      const failed = ours.filter((result) => result.error !== null);
      expect(failed.length).toBeGreaterThan(100);
      expect(failed.length).toBeLessThan(400);
      expect(new Set(failed.map((result) => JSON.stringify(result))).size).toBeGreaterThanOrEqual(3);
      expect(await differences(surfnet, cluster, market, [...touched])).toEqual([]);
    } finally {
      surfnet.stop();
    }
  },
  TEST_MS_MAX,
);

type Work = { readonly payer: Keypair; readonly instructions: readonly Instruction[] };

/** Writes to the cluster and remembers what was written. */
function recorder(cluster: Cluster, written: Map<Address, AccountState>): Cluster {
  return new Proxy(cluster, {
    get: (target, name) => {
      if (name === "setAccount")
        return (address: Address, state: AccountState) => {
          written.set(address, state);
          target.setAccount(address, state);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function startSurfnet(accounts: ReadonlyMap<Address, AccountState>): Surfnet {
  const { Surfnet } = createRequire(import.meta.url)("@solana/surfpool-linux-x64-gnu") as {
    Surfnet: { startWithConfig(config: object): Surfnet };
  };
  const surfnet = Surfnet.startWithConfig({ offline: true, slotTimeMs: 100, blockProductionMode: "clock" });
  surfnet.deploy({ programId: "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C", soPath: PROGRAM });
  let set = 0;
  for (const [address, { lamports, data, owner }] of accounts) {
    surfnet.setAccount(address, Number(lamports), Array.from(data), owner);
    if (++set % BATCH === 0) surfnet.drainEvents();
  }
  return surfnet;
}

function plan({ pools, traders, tokens }: SimMarket): Work[] {
  const random = seededRandom("cross");
  const pick = () => random.pick(traders);
  return Array.from({ length: TRANSACTIONS }, (_, number): Work => {
    const [trader, other] = [pick(), pick()];
    const payer = trader.keypair;
    const token = random.between(1, tokens.length);
    const account = (owner: typeof trader, place: number) => owner.tokenAccounts[place] as Address;
    // In every amount, so that no two transactions under one blockhash are the same bytes.
    const unit = BigInt(number + 1);
    if (number % 4 === 0) {
      const lamports = number % 12 === 0 ? 10n ** 18n + unit : unit * 1_000n;
      return { payer, instructions: [transferLamports(payer.address, other.keypair.address, lamports)] };
    }
    if (number % 4 === 1) {
      const amount = number % 20 === 1 ? 10n ** 19n + unit : unit;
      // One in ten takes what is not the signer's.
      const from = account(number % 40 === 29 ? other : trader, token);
      const to = account(trader === other ? trader : other, token);
      return { payer, instructions: [tokenTransferInstruction(from, to, payer.address, amount)] };
    }
    const pool = random.pick(pools);
    const inputSide = random.between(0, 2) === 0 ? 0 : 1;
    const input = pool.tokens[inputSide];
    const amountIn = BigInt(Math.floor((tokens[input]?.unitsPerSol ?? 1) * (0.1 + random.unit() * 5))) + unit;
    const swap = swapInstruction(pool.facts, {
      owner: payer.address,
      inputSide,
      inputAccount: account(trader, input),
      outputAccount: account(trader, pool.tokens[inputSide === 0 ? 1 : 0]),
      amountIn,
      minimumOut: number % 10 === 3 ? 0xffff_ffff_ffff_ffffn : 1n,
    });
    return { payer, instructions: [swap] };
  });
}

function sign(payer: Keypair, instructions: readonly Instruction[], blockhash: string): Uint8Array {
  return signTransaction(compileMessage({ payer: payer.address, blockhash, instructions }), [payer]);
}

/** Sends one after the other, in order, and answers each one's error as its status has it. */
async function runOnSurfnet(surfnet: Surfnet, work: readonly Work[]): Promise<{ error: unknown }[]> {
  const signatures: string[] = [];
  let blockhash = "";
  for (const { payer, instructions } of work) {
    if (signatures.length % BATCH === 0) {
      blockhash = (await call<{ value: { blockhash: string } }>(surfnet, "getLatestBlockhash", [])).value.blockhash;
      surfnet.drainEvents();
    }
    const wire = sign(payer, instructions, blockhash);
    const options = { encoding: "base64", skipPreflight: true };
    signatures.push(signatureOf(wire));
    await call(surfnet, "sendTransaction", [Buffer.from(wire).toString("base64"), options]);
  }
  const results: { error: unknown }[] = [];
  const deadline = Date.now() + WAIT_MS_MAX;
  while (results.length < signatures.length) {
    const some = signatures.slice(results.length, results.length + STATUSES_PER_CALL);
    const { value } = await call<{ value: ({ err: unknown } | null)[] }>(surfnet, "getSignatureStatuses", [some]);
    surfnet.drainEvents();
    if (value.every((status) => status !== null))
      results.push(...value.map((status) => ({ error: status?.err ?? null })));
    else if (Date.now() > deadline)
      throw new Error(`no status for ${value.filter((status) => status === null).length} transactions`);
  }
  return results;
}

/** The addresses whose account is not the same on both, with what is different. */
async function differences(surfnet: Surfnet, cluster: Cluster, market: SimMarket, addresses: readonly Address[]) {
  const observations = new Set(market.pools.map(({ facts }) => facts.accounts["observationState"]));
  const found: unknown[] = [];
  for (let i = 0; i < addresses.length; i += 100) {
    const some = addresses.slice(i, i + 100);
    type Account = { lamports: number; owner: string; data: [string, string] } | null;
    const { value } = await call<{ value: Account[] }>(surfnet, "getMultipleAccounts", [some, { encoding: "base64" }]);
    for (const [j, address] of some.entries()) {
      const mine = cluster.account(address);
      const theirs = value[j];
      const data = Buffer.from(theirs?.data[0] ?? "", "base64");
      // Observations hold the time of each swap, which is another on each cluster.
      const sameData = observations.has(address) || Buffer.compare(data, mine?.data ?? new Uint8Array(0)) === 0;
      if (BigInt(theirs?.lamports ?? 0) !== (mine?.lamports ?? 0n) || theirs?.owner !== mine?.owner || !sameData)
        found.push({ address, theirs, mine: mine && { ...mine, data: Buffer.from(mine.data).toString("base64") } });
    }
  }
  return found;
}

async function call<Result>(surfnet: Surfnet, method: string, params: readonly unknown[]): Promise<Result> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(surfnet.rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(WAIT_MS_MAX),
  });
  const answer = (await response.json()) as { result: Result; error?: unknown };
  // A transaction that fails on chain may be answered with an error although it is in the ledger: its status decides.
  if (answer.error !== undefined && method !== "sendTransaction") throw new Error(JSON.stringify(answer.error));
  return answer.result;
}
