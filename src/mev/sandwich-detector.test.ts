import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import type { SandwichFinding } from "./finding.ts";
import { SandwichDetector } from "./sandwich-detector.ts";
import { TestMarket, testLink, testPool } from "./test-market.ts";
import type { MevTransaction } from "./trade.ts";

const SOL = 1_000_000_000n;

/** Runs a script on a fresh market and gives all findings. */
function detect(
  script: (market: TestMarket, run: (transaction: MevTransaction) => MevTransaction) => void,
  options: ConstructorParameters<typeof SandwichDetector>[0] = {},
): { found: SandwichFinding[]; detector: SandwichDetector } {
  const detector = new SandwichDetector(options);
  const found: SandwichFinding[] = [];
  script(new TestMarket(), (transaction) => {
    found.push(...detector.see(transaction));
    return transaction;
  });
  return { found: [...found, ...detector.flush()], detector };
}

const got = ({ trades }: MevTransaction): bigint => trades.reduce((sum, { amountOut }) => sum + amountOut, 0n);
const buy = (by: string, amount: bigint) => ({ by, buy: true, amount });
const sell = (by: string, amount: bigint) => ({ by, buy: false, amount });

/** A front of 20 SOL, victims of 30 SOL each, the whole back. */
function sandwich(
  market: TestMarket,
  run: (transaction: MevTransaction) => MevTransaction,
  { victims = ["victim"], back = "attacker", slots = 0, tipLamports = 0n } = {},
): void {
  const front = run(market.next([buy("attacker", 20n * SOL)]));
  for (const victim of victims) run(market.next([buy(victim, 30n * SOL)]));
  market.slot += slots;
  run(market.next([sell(back, got(front))], { tipLamports }));
}

describe("SandwichDetector.see() finds", () => {
  test("a sandwich in one slot, its exact loss and profit", () => {
    const { found } = detect((market, run) => sandwich(market, run));
    expect(found).toHaveLength(1);
    const [finding] = found;
    expect(finding).toMatchObject({ kind: "same_slot", attackers: ["attacker"] as unknown as Address[] });
    expect(finding?.legs.map(({ role }) => role)).toEqual(["front", "back"]);
    const [front, back] = finding?.legs ?? [];
    expect(finding?.grossLamports).toBe((back?.trade.amountOut ?? 0n) - 20n * SOL);
    expect(finding?.netLamports).toBe((finding?.grossLamports ?? 0n) - 10_000n);
    // Alone on the untouched pool the victim would have had what this market pays first.
    const [alone] = new TestMarket().next([buy("victim", 30n * SOL)]).trades;
    const loss = (alone?.amountOut ?? 0n) - (finding?.victims[0]?.trade.amountOut ?? 0n);
    expect(finding?.victims[0]?.loss?.amount).toBe(loss);
    expect(front?.trade.actor).toBe("attacker" as Address);
    expect(finding?.score).toBeGreaterThan(0.9);
  });

  test("a bundle: neighbours in the block, and a tip that the net is without", () => {
    const { found } = detect((market, run) => sandwich(market, run, { tipLamports: 1_000_000n }));
    expect(found[0]).toMatchObject({ kind: "bundle" });
    expect(found[0]?.netLamports).toBe((found[0]?.grossLamports ?? 0n) - 1_010_000n);
  });

  test("one of sellers: the back buys again with all that the front got", () => {
    const { found } = detect((market, run) => {
      const front = run(market.next([sell("attacker", 200_000_000_000n)]));
      run(market.next([sell("victim", 300_000_000_000n)]));
      run(market.next([buy("attacker", got(front))]));
    });
    expect(found[0]).toMatchObject({ kind: "same_slot", attackers: ["attacker"] as unknown as Address[] });
    expect(found[0]?.victims[0]?.loss?.amount).toBeGreaterThan(0n);
    expect(found[0]?.netLamports).toBeGreaterThan(0n);
  });

  test("any number of victims", () => {
    const victims = Array.from({ length: 12 }, (_, i) => `victim ${i}`);
    const { found } = detect((market, run) => sandwich(market, run, { victims }));
    expect(found[0]?.victims.map(({ trade }) => trade.actor as string)).toEqual(victims);
  });

  test("a wide one within the window, and not beyond it", () => {
    const tipped = { slots: 3, tipLamports: 1_000_000n };
    expect(detect((market, run) => sandwich(market, run, tipped)).found[0]?.kind).toBe("wide");
    expect(detect((market, run) => sandwich(market, run, { slots: 9 }), { windowSlots: 8, scoreMin: 0 }).found).toEqual(
      [],
    );
    const wider = detect((market, run) => sandwich(market, run, { slots: 9 }), { windowSlots: 9, scoreMin: 0 });
    expect(wider.found).toHaveLength(1);
  });

  test.each([
    ["token transfer", testLink("attacker", "second", "token transfer")],
    ["funding", testLink("second", "attacker", "funding")],
    ["fee payer", testLink("attacker", "second", "fee payer")],
  ])("wallets that are tied by a %s", (_, link) => {
    const { found } = detect((market, run) => {
      run(market.next([], { links: [link] }));
      sandwich(market, run, { back: "second" });
    });
    expect(found[0]).toMatchObject({ kind: "multi_wallet", attackers: ["attacker", "second"] as unknown as Address[] });
    expect(found[0]?.evidence.map(({ name }) => name)).toContain("linked wallets");
  });

  test("wallets whose tips one wallet pays", () => {
    const { found } = detect((market, run) => {
      run(
        market.next([], {
          links: [testLink("payer", "attacker", "tip payer"), testLink("payer", "second", "tip payer")],
        }),
      );
      sandwich(market, run, { back: "second" });
    });
    expect(found[0]?.evidence.map(({ words }) => words).join()).toContain("shared tip payer payer");
  });

  test("split legs as one finding", () => {
    const { found } = detect((market, run) => {
      const fronts = [1, 2].map(() => run(market.next([buy("attacker", 10n * SOL)])));
      run(market.next([buy("victim", 30n * SOL)]));
      const tokens = fronts.reduce((sum, front) => sum + got(front), 0n);
      run(market.next([sell("attacker", tokens / 3n)]));
      run(market.next([sell("attacker", tokens - tokens / 3n)]));
    });
    expect(found).toHaveLength(1);
    expect(found[0]?.legs.map(({ role }) => role)).toEqual(["front", "front", "back", "back"]);
  });

  test("several pools in one transaction as one finding, fees counted once", () => {
    const { found } = detect((market, run) => {
      const other = testPool("other");
      const front = run(market.next([buy("attacker", 20n * SOL), { ...buy("attacker", 20n * SOL), pool: other }]));
      run(market.next([buy("victim", 30n * SOL)]));
      run(market.next([{ ...buy("other victim", 30n * SOL), pool: other }]));
      const [first, second] = front.trades;
      run(
        market.next([
          sell("attacker", first?.amountOut ?? 0n),
          { ...sell("attacker", second?.amountOut ?? 0n), pool: other },
        ]),
      );
    });
    expect(found).toHaveLength(1);
    expect(found[0]?.victims).toHaveLength(2);
    expect(found[0]?.netLamports).toBe((found[0]?.grossLamports ?? 0n) - 10_000n);
  });

  test("legs out of a larger position, once no more of them can come", () => {
    const { found } = detect((market, run) => {
      run(market.next([buy("attacker", 7n * SOL)]));
      sandwich(market, run);
    });
    expect(found[0]?.legs.map(({ trade }) => trade.transaction.index)).toEqual([1, 3]);
  });
});

describe("SandwichDetector.see() invents nothing from", () => {
  type Script = Parameters<typeof detect>[0];
  const cases: readonly [string, Script][] = [
    ["a round trip with nobody between", (market, run) => sandwich(market, run, { victims: [] })],
    ["wallets that nothing ties together", (market, run) => sandwich(market, run, { back: "stranger" })],
    [
      "others who trade the other way",
      (market, run) => {
        const front = run(market.next([buy("attacker", 20n * SOL)]));
        run(market.next([sell("seller", 1_000_000_000n)]));
        run(market.next([sell("attacker", got(front))]));
      },
    ],
    [
      "a failed front",
      (market, run) => {
        const front = { ...market.next([buy("attacker", 20n * SOL)]), failed: true };
        run(front);
        run(market.next([buy("victim", 30n * SOL)]));
        run(market.next([sell("attacker", got(front))]));
      },
    ],
    [
      "an aggregator's route",
      (market, run) => {
        const front = run(market.next([buy("user", 20n * SOL)], { aggregated: true }));
        run(market.next([buy("victim", 30n * SOL)]));
        run(market.next([sell("user", got(front))], { aggregated: true }));
      },
    ],
    ["a profit that the tip eats", (market, run) => sandwich(market, run, { tipLamports: 100n * SOL })],
    [
      "both legs in one transaction",
      (market, run) => {
        run(market.next([buy("bot", 20n * SOL), buy("victim", 30n * SOL), sell("bot", 190_000_000_000n)]));
      },
    ],
    [
      "volume bots: equal amounts back and forth among small buyers",
      (market, run) => {
        const bought = ["a", "b", "c", "d", "e"].map((by) => run(market.next([buy(by, SOL / 40n)])));
        for (const front of bought) run(market.next([sell(front.trades[0]?.actor ?? "", got(front))]));
      },
    ],
    [
      "a service that pays for many",
      (market, run) => {
        const users = ["attacker", "second", ...Array.from({ length: 8 }, (_, i) => `user ${i}`)];
        for (const user of users) run(market.next([], { links: [testLink("relayer", user, "fee payer")] }));
        sandwich(market, run, { back: "second" });
      },
    ],
  ];
  test.each(cases)("%s", (_, script) => {
    expect(detect(script, { scoreMin: 0 }).found).toEqual([]);
  });

  test("legs that lose on another pool what they made on this one", () => {
    const { found, detector } = detect(
      (market, run) => {
        const other = testPool("other");
        const front = run(market.next([buy("attacker", 20n * SOL), { ...buy("attacker", 700n * SOL), pool: other }]));
        run(market.next([buy("victim", 30n * SOL)]));
        const [first, second] = front.trades.map(({ amountOut }) => amountOut);
        run(market.next([sell("attacker", first ?? 0n), { ...sell("attacker", second ?? 0n), pool: other }]));
      },
      { scoreMin: 0 },
    );
    expect(found).toEqual([]);
    expect(detector.counters.netLosses).toBe(1);
  });

  test("a wallet that trades all day and was between two others once", () => {
    const day = (market: TestMarket, run: (transaction: MevTransaction) => MevTransaction) => {
      for (let i = 0; i < 60; i++) {
        run(
          market.next([
            i % 2 === 0 ? buy("attacker", SOL / 10n) : sell("attacker", 700_000_000n + BigInt(i) * 20_000_000n),
          ]),
        );
        market.slot += 20;
      }
      const front = run(market.next([buy("attacker", SOL)]));
      run(market.next([buy("victim", 3n * SOL)]));
      run(market.next([sell("attacker", got(front))]));
    };
    const scores = (script: Parameters<typeof detect>[0]) =>
      detect(script, { scoreMin: 0 }).found.map(({ score }) => score);
    const [idle = 1] = scores(day);
    const [fresh = 0] = scores((market, run) => sandwich(market, run));
    expect(idle).toBeLessThan(0.5);
    expect(fresh).toBeGreaterThan(0.9);
  });

  const rise = (seen: boolean) => (market: TestMarket, run: (transaction: MevTransaction) => MevTransaction) => {
    const front = run(market.next([buy("holder", SOL)]));
    market.slot += 2;
    run(market.next([buy("small", SOL / 1_000n)]));
    const arbitrage = market.next([buy("arbitrageur", 50n * SOL)]);
    run({ ...arbitrage, trades: seen ? arbitrage.trades.map((trade) => ({ ...trade, cyclic: true })) : [] });
    run(market.next([sell("holder", got(front))]));
  };

  test("a price that an arbitrage raised while a small trade lay between", () => {
    expect(detect(rise(true)).found).toEqual([]);
  });

  test("a price that rose by what the recording does not tell: more than the victim could have given", () => {
    expect(detect(rise(false), { scoreMin: 0 }).found).toEqual([]);
  });

  test("trades whose reserves do not follow from one another: a loss is then not stated", () => {
    const { found } = detect(
      (market, run) => {
        const front = run(market.next([buy("attacker", 20n * SOL)]));
        market.pool.reserves[0] += 5n;
        run(market.next([buy("victim", 30n * SOL)]));
        run(market.next([sell("attacker", got(front))]));
      },
      { scoreMin: 0 },
    );
    expect(found[0]?.victims[0]?.loss).toBeUndefined();
    expect(found[0]?.evidence.map(({ name }) => name)).toContain("no exact replay");
  });
});
