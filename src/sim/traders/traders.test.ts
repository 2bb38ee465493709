/** The script: the same for the same seed, bounded for hours, and never out of money. */
import { beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { base58Encode } from "#core/base58.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { SLOT_MS, type TestMarket, testMarket } from "#sim/fixture.ts";
import type { SimMarket, SimPool } from "#sim/genesis/genesis.ts";
import { FUND_FEE_RATE, PROTOCOL_FEE_RATE } from "#sim/genesis/market-plan.ts";
import { PULSE_MS } from "#sim/market-box.ts";
import { Flow, TRADERS } from "./flow.ts";
import { tradeTransaction } from "./traders.ts";

const HOURS_SLOTS = 20_000n;

let stage: TestMarket;
let market: SimMarket;
beforeAll(async () => {
  stage = await testMarket({ rivals: 0 });
  market = stage.box.market;
});

/** One hash over every transaction of 200 slots, with blockhashes that follow from the slot. */
function flowHash(flow: Flow): string {
  const hash = createHash("sha256");
  for (let slot = 1n; slot <= 200n; slot++) {
    const blockhash = base58Encode(createHash("sha256").update(`${slot}`).digest());
    for (const trade of flow.tradesOf(slot)) hash.update(tradeTransaction(market, trade, blockhash));
  }
  return hash.digest("hex");
}

describe("Flow", () => {
  test("gives the same transactions, byte for byte, for the same seed, and others for another", () => {
    const first = flowHash(new Flow("1", market, 4));
    expect(flowHash(new Flow("1", market, 4))).toBe(first);
    expect(flowHash(new Flow("2", market, 4))).not.toBe(first);
  });

  test("spreads as many trades as asked for over each slot, small ones and large ones", () => {
    const flow = new Flow("1", market, 4);
    const trades = Array.from({ length: 2_000 }, (_, slot) => flow.tradesOf(BigInt(slot))).flat();
    expect(trades.length / 2_000).toBeGreaterThan(3.8);
    expect(trades.length / 2_000).toBeLessThan(4.2);
    for (const [low, high] of [
      [0, 0.3],
      [0.3, 0.6],
      [0.6, 0.93],
    ] as const)
      expect(trades.filter(({ atShare }) => atShare >= low && atShare < high).length).toBeGreaterThan(2_000);
    const sol = trades.map(({ pool, inputSide, amountIn }) => {
      const token = market.tokens[(market.pools[pool] as SimPool).tokens[inputSide]];
      return Number(amountIn) / (token?.unitsPerSol ?? 1);
    });
    const ascending = sol.sort((a, b) => a - b);
    expect((ascending.at(-1) as number) / (ascending[ascending.length >> 1] as number)).toBeGreaterThan(15);
    expect(new Set(trades.map(({ trader }) => trader)).size).toBe(TRADERS);
    expect(new Set(trades.map(({ pool }) => pool)).size).toBe(market.pools.length);
  });

  test("answers no trades at a rate of 0", () => {
    const flow = new Flow("1", market, 0);
    for (let slot = 0n; slot < 50n; slot++) expect(flow.tradesOf(slot)).toEqual([]);
  });
});

/** The program's arithmetic over plain numbers (programs/cp-swap.test.ts holds that they agree), so that hours fit a test. */
class PaperMarket {
  readonly vaults: [bigint, bigint][];
  readonly owed: [bigint, bigint][];
  readonly balances: bigint[][];

  constructor() {
    this.vaults = market.pools.map(({ reserves }) => [...reserves]);
    this.owed = market.pools.map(() => [0n, 0n]);
    this.balances = market.traders.map(({ tokenAccounts }) =>
      tokenAccounts.map((address) => {
        const amount = decodeTokenAmount(stage.cluster.account(address)?.data ?? new Uint8Array());
        if (!amount.ok) throw amount.error;
        return amount.value;
      }),
    );
  }

  reserve(pool: number, side: 0 | 1): bigint {
    return (this.vaults[pool]?.[side] ?? 0n) - (this.owed[pool]?.[side] ?? 0n);
  }

  play({ trader, pool, inputSide, amountIn }: ReturnType<Flow["tradesOf"]>[number]): void {
    const { facts, tokens } = market.pools[pool] as SimPool;
    const outputSide = inputSide === 0 ? 1 : 0;
    const out = quoteExactIn(facts, this.reserve(pool, inputSide), this.reserve(pool, outputSide), amountIn);
    if (out === 0n) return;
    const fee = (amountIn * BigInt(facts.feeNumerator) + 999_999n) / 1_000_000n;
    const [vaults, owed] = [this.vaults[pool] as [bigint, bigint], this.owed[pool] as [bigint, bigint]];
    owed[inputSide] += (fee * BigInt(PROTOCOL_FEE_RATE)) / 1_000_000n + (fee * BigInt(FUND_FEE_RATE)) / 1_000_000n;
    vaults[inputSide] += amountIn;
    vaults[outputSide] -= out;
    const balances = this.balances[trader] as bigint[];
    balances[tokens[inputSide]] = (balances[tokens[inputSide]] as bigint) - amountIn;
    balances[tokens[outputSide]] = (balances[tokens[outputSide]] as bigint) + out;
  }

  /** How far a pool's price is from the script's. */
  drift(pool: number): number {
    const { tokens } = market.pools[pool] as SimPool;
    const worth = ([0, 1] as const).map(
      (side) => Number(this.reserve(pool, side)) / (market.tokens[tokens[side]]?.unitsPerSol ?? 1),
    ) as [number, number];
    return Math.abs(Math.log(worth[0] / worth[1]));
  }
}

describe("Traders", () => {
  test(`keep prices within a factor of 2 and their purses full over ${HOURS_SLOTS} slots, even with nobody arbitraging`, () => {
    const paper = new PaperMarket();
    const start = paper.balances.map((balances) => [...balances]);
    const flow = new Flow("1", market, 4);
    let driftMax = 0;
    for (let slot = 1n; slot <= HOURS_SLOTS; slot++) {
      for (const trade of flow.tradesOf(slot)) paper.play(trade);
      if (slot % 50n === 0n) for (const pool of market.pools.keys()) driftMax = Math.max(driftMax, paper.drift(pool));
    }
    const leastLeft = Math.min(
      ...paper.balances.flatMap((balances, trader) =>
        balances.map((balance, token) => Number(balance) / Number(start[trader]?.[token])),
      ),
    );
    console.log(
      `traders: largest price drift ×${Math.exp(driftMax).toFixed(2)}, least inventory left ${(leastLeft * 100).toFixed(1)} %`,
    );
    expect(driftMax).toBeLessThan(Math.log(2));
    expect(leastLeft).toBeGreaterThan(0.9);
  });

  test("land every trade on the cluster, at its time in the slot, as the paper market says", async () => {
    const paper = new PaperMarket();
    const { cluster, clock, box } = stage;
    const counted: number[] = [];
    for (let slot = 0; slot < 40; slot++) {
      for (const trade of box.traders.flow.tradesOf(cluster.slot)) paper.play(trade);
      for (let ms = 0; ms < SLOT_MS; ms += PULSE_MS) {
        box.pulse();
        counted[ms] = (counted[ms] ?? 0) + box.traders.counters.landed;
        clock.advanceNs(PULSE_MS * 1e6);
      }
      cluster.nextSlot();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(box.traders.counters.failed).toBe(0);
    expect(box.traders.counters.skipped).toBe(0);
    expect(box.traders.counters.landed).toBeGreaterThan(120);
    expect(counted[0]).toBeLessThan(counted[390] as number);
    for (const [pool, { facts }] of market.pools.entries())
      for (const side of [0, 1] as const) {
        const amount = decodeTokenAmount(cluster.account(facts.vaults[side])?.data ?? new Uint8Array());
        expect(amount.ok && amount.value).toBe(paper.vaults[pool]?.[side] as bigint);
      }
  });

  test("skip what a held-up process missed, and count it", async () => {
    const { cluster, clock, box } = await testMarket({ rivals: 0, tradesPerSlot: 50 });
    box.pulse();
    const planned = box.traders.flow.tradesOf(cluster.slot).length;
    clock.advanceNs(200e6);
    cluster.nextSlot();
    box.pulse();
    expect(box.traders.counters).toEqual({ landed: 0, failed: 0, skipped: planned });
  });
});
