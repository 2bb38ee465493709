/** The whole market, fast: a rival that earns, enough for others to find, and nobody's bundle half landed. */
import { describe, expect, test } from "bun:test";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import { SLOT_MS, type TestMarket, testMarket } from "./fixture.ts";
import type { SimWallet } from "./genesis/genesis.ts";
import { readProgramFile } from "./genesis/program-file.ts";
import { PULSE_MS } from "./market-box.ts";
import { CycleSearch } from "./rival/cycle-search.ts";
import { cycleSwaps } from "./rival/cycle-swaps.ts";
import { MarketView } from "./rival/market-view.ts";

const SOL = 1_000_000_000n;

function wealthOf({ cluster, box }: TestMarket, rival: number): bigint {
  const wallet = box.market.rivals[rival];
  if (wallet === undefined) throw new Error("no such rival");
  const wrapped = cluster.account(wallet.tokenAccounts[0] ?? wallet.keypair.address)?.lamports ?? 0n;
  return wrapped + (cluster.account(wallet.keypair.address)?.lamports ?? 0n);
}

describe("createMarketBox()", () => {
  test("gives a market in which a rival lands bundles and earns", async () => {
    const stage = await testMarket();
    const before = wealthOf(stage, 0);
    await stage.runSlots(60);
    const { engine, rivals } = stage.box;
    expect(engine.counters.landed).toBeGreaterThan(5);
    expect(rivals[0]?.counters.refused).toBe(0);
    expect(wealthOf(stage, 0)).toBeGreaterThan(before);
  });

  test("runs the same way twice: one seed, one ledger, concentrated pools included", async () => {
    const run = async () => {
      const stage = await testMarket({ concentrated: { pools: 8, program: readProgramFile("clmm") } });
      const signatures: string[] = [];
      stage.cluster.onTransaction(({ signature }) => void signatures.push(signature));
      await stage.runSlots(15);
      return signatures;
    };
    const first = await run();
    expect(first.length).toBeGreaterThan(40);
    expect(await run()).toEqual(first);
  });

  test("opens 1 to 5 opportunities a slot of 0.0001 SOL and more when somebody takes each at once", async () => {
    const stage = await testMarket({ rivals: 1 });
    const { cluster, clock, box } = stage;
    const taker = box.market.rivals[0] as SimWallet;
    const view = new MarketView(cluster, box.market.pools);
    const search = new CycleSearch(box.market.pools);
    const profits: number[] = [];
    const take = () => {
      const found = search.best(view.takeChanged(), (pool) => view.reserves(pool), 100n * SOL);
      if (found === undefined || found.profitLamports < 100_000n) return false;
      const amounts = search.amounts(found.cycle, (pool) => view.reserves(pool), found.amountIn);
      const { blockhash } = cluster.latestBlockhash();
      const instructions = cycleSwaps(box.market, taker, found.cycle, amounts);
      const message = compileMessage({ payer: taker.keypair.address, blockhash, instructions });
      const result = cluster.submit(signTransaction(message, [taker.keypair]));
      // To the unit: every hop asks for exactly what the search says it pays.
      expect(result.kind === "executed" && result.executed.error).toBeNull();
      profits.push(Number(found.profitLamports) / 1e9);
      return true;
    };
    const slots = 100;
    for (let slot = 0; slot < slots; slot++) {
      for (let ms = 0; ms < SLOT_MS; ms += PULSE_MS) {
        box.traders.run(Number(clock.wallNs() / 1_000_000n));
        for (let taken = 0; taken < 8 && take(); taken++);
        clock.advanceNs(PULSE_MS * 1e6);
      }
      cluster.nextSlot();
      await new Promise((resolve) => setImmediate(resolve));
    }
    profits.sort((a, b) => a - b);
    const at = (share: number) => (profits[Math.floor(share * (profits.length - 1))] ?? 0).toFixed(5);
    console.log(
      `opportunities per 100 slots: ${((profits.length * 100) / slots).toFixed(0)}, SOL at p10 ${at(0.1)}, p50 ${at(0.5)}, p90 ${at(0.9)}, most ${at(1)}`,
    );
    expect(profits.length).toBeGreaterThan(slots);
    expect(profits.length).toBeLessThan(5 * slots);
  });
});
