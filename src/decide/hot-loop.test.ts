import { describe, expect, test } from "bun:test";
import { quoteCycle } from "#arbitrage/quote-cycle.ts";
import { testPool } from "#arbitrage/test-pools.ts";
import { seededRandom } from "#core/random.ts";
import { quoteExactIn } from "#dex/quote.ts";
import type { PolicyFields } from "#memory/switchboard.ts";
import type { Decision } from "./decision-record.ts";
import type { HotLoopSettings } from "./hot-loop.ts";

import { swapsOf } from "./swaps.ts";
import { createRig, LAST, POLICY, SNAPSHOT, SOL } from "./test-loop.ts";
import { readTipStatistics, TIP_STATISTICS_BYTES, TipBandit } from "./tips/tip-bandit.ts";
import { TIP_RESULT } from "./tips/tip-table.ts";

/** Two pools of wSOL and token 1, balanced; and the same with pool 1 moved so that a cycle earns. */
const PAIR = { version: 1, pools: [testPool(0, 0, 1), testPool(1, 0, 1)] };
const EVEN = [1_000n * SOL, 5_000n * SOL] as const;
const MOVED = [1_050n * SOL, 4_762n * SOL] as const;

function balanced(rig: ReturnType<typeof createRig>) {
  rig.loop.setCatalogue(PAIR);
  rig.state(0, ...EVEN, SNAPSHOT);
  rig.state(1, ...EVEN, SNAPSHOT);
  expect(rig.run()).toEqual([]);
  return rig;
}

describe("createHotLoop() with a pool beside the cycle", () => {
  const THREE = { version: 1, pools: [testPool(0, 0, 1), testPool(1, 0, 1), testPool(2, 0, 1)] };

  function opened(settings: Partial<HotLoopSettings>) {
    const rig = createRig(settings);
    rig.loop.setCatalogue(THREE);
    for (const pool of [0, 1, 2]) rig.state(pool, ...EVEN, SNAPSHOT);
    rig.state(1, ...MOVED, LAST);
    const [decision] = rig.run();
    if (decision === undefined) throw new Error("nothing was decided");
    return { rig, decision };
  }

  test("splits the hop that both trade, to the unit, and earns more than without", () => {
    const { decision } = opened({ splitGainLamportsMin: 10_000 });
    const { split, hops, amounts, grossLamports } = decision;
    if (split === undefined) throw new Error("no split");
    expect([hops[split.place]?.pool, split.second.pool].sort()).toEqual([0, 2]);
    const swaps = swapsOf(decision);
    for (const { hop, amountIn, amountOut } of swaps)
      expect(quoteExactIn(testPool(hop.pool, 0, 1), hop.reserveIn, hop.reserveOut, amountIn)).toBe(amountOut);
    expect(swaps[0]?.amountIn).toBe((amounts[0] ?? 0n) - split.amountIn);
    expect((swaps[0]?.amountOut ?? 0n) + (swaps[1]?.amountOut ?? 0n)).toBe(amounts[1] ?? 0n);
    const without = opened({ splitGainLamportsMin: 0 }).decision;
    expect(without.split).toBeUndefined();
    expect(grossLamports).toBe(without.grossLamports + split.gainLamports);
    expect(split.gainLamports).toBeGreaterThan(10_000n);
  });

  test("holds both pools of the hop until the outcome, and takes no held pool for a split", () => {
    const { rig, decision } = opened({ splitGainLamportsMin: 10_000 });
    expect(rig.counter("inFlight")).toBe(1);
    // A transaction that leaves the state as it was lets the bundle go; the same cycle is decided anew.
    rig.state(decision.split?.second.pool ?? 9, ...EVEN, LAST);
    expect(rig.run()[0]).toMatchObject({ action: "send", split: { place: decision.split?.place } });
  });
});

describe("createHotLoop()", () => {
  test("sends the cycle that a moved pool opened, with exact amounts and the tip of the best expected value", () => {
    const rig = balanced(createRig());
    rig.state(1, ...MOVED, LAST);
    const [decision, ...more] = rig.run();
    expect(more).toEqual([]);
    if (decision === undefined) throw new Error("nothing was decided");
    expect(decision).toMatchObject({ action: "send", reason: "profitable", sequence: 1, slot: 77n, score: 0.5 });
    expect(decision.hops.map(({ pool, inputSide }) => [pool, inputSide])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const exact = decision.hops.map((hop) => ({ ...hop, pool: PAIR.pools[hop.pool] ?? testPool(9, 8, 7) }));
    expect(quoteCycle(exact, decision.amounts[0] ?? 0n)).toBe(decision.amounts[2] ?? -1n);
    expect(decision.grossLamports).toBe((decision.amounts[2] ?? 0n) - (decision.amounts[0] ?? 0n));
    // The model likes every tip alike, so the smallest wins.
    expect(decision.tipLamports).toBe(10_000n);
    expect(decision.netLamports).toBe(decision.grossLamports - 15_000n);
    expect(decision.evLamports).toBe(BigInt(Math.round(Number(decision.netLamports) / 2)));
    expect(rig.wakes()).toBe(1);
    expect(rig.latency.whole().count).toBe(1);
    expect(rig.counter("swaps")).toBe(1);
  });

  test("acts on whole transactions only, and not before every pool of a cycle has a state", () => {
    const rig = createRig();
    rig.loop.setCatalogue(PAIR);
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toEqual([]);
    rig.state(0, ...EVEN, 0);
    expect(rig.run()).toEqual([]);
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toHaveLength(1);
  });

  test("caps the input by the wallet and by the setting", () => {
    for (const settings of [{ walletLamports: 1e9 }, { inputLamportsMax: 1e9 }]) {
      const rig = balanced(createRig(settings));
      rig.state(1, ...MOVED, LAST);
      const input = rig.run()[0]?.amounts[0] ?? 0n;
      expect(input).toBeGreaterThan(900_000_000n);
      expect(input).toBeLessThanOrEqual(1_000_000_000n);
    }
    const poor = balanced(createRig({ walletLamports: 0 }));
    poor.state(1, ...MOVED, LAST);
    expect(poor.run()).toEqual([]);
    poor.settle(0, 1e9);
    poor.state(1, ...MOVED, LAST);
    expect(poor.run()).toHaveLength(1);
  });

  const gates: [string, Partial<PolicyFields>, Partial<HotLoopSettings>, string][] = [
    ["the kill switch", { killed: true }, {}, "killed"],
    ["a stopped agent", { stopped: true }, {}, "stopped"],
    ["a full throttle", { throttlePct: 100 }, {}, "throttled"],
    ["a high minimum", { evMinLamports: 1e15 }, {}, "ev_below_minimum"],
    ["a tip share of nothing", {}, { tipShareMax: 0 }, "no_affordable_tip"],
  ];
  test.each(gates)("puts on record what %s passed over", (_, policy, settings, reason) => {
    const rig = balanced(createRig(settings, policy));
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toMatchObject([{ action: "skip", reason, sequence: 1 }]);
    expect(rig.counter("sends")).toBe(0);
  });

  test("follows a policy that changes while it runs", () => {
    const rig = balanced(createRig());
    rig.switchboard.writePolicy({ ...POLICY, killed: true });
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toMatchObject([{ reason: "killed" }]);
  });

  test("throttles the share it is told to", () => {
    const rig = balanced(createRig({}, { throttlePct: 25 }));
    for (let i = 0; i < 8; i++) {
      rig.state(1, ...EVEN, LAST);
      rig.state(1, ...MOVED, LAST);
    }
    const reasons = rig.run().map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === "throttled")).toHaveLength(2);
    expect(reasons).toHaveLength(8);
  });

  test("does not send over a pool that waits, until its outcome or a change of any of its pools", () => {
    const third = { version: 2, pools: [...PAIR.pools, testPool(2, 0, 1)] };
    const rig = createRig();
    rig.loop.setCatalogue(third);
    for (const pool of [0, 1, 2]) rig.state(pool, ...EVEN, SNAPSHOT);
    rig.state(1, ...MOVED, LAST);
    const first = rig.run()[0];
    expect(first).toMatchObject({ action: "send" });
    // The bundle holds pool 1 and one of the even ones; the other one now opens a cycle against pool 1.
    const free = first?.hops.some(({ pool }) => pool === 0) ? 2 : 0;
    rig.state(free, 1_001n * SOL, 4_996n * SOL, LAST);
    expect(rig.run()).toMatchObject([{ action: "skip", reason: "in_flight" }]);
    rig.settle(first?.sequence ?? 0, 1e12);
    rig.state(free, 1_001n * SOL, 4_997n * SOL, LAST);
    const second = rig.run()[0];
    expect(second).toMatchObject({ action: "send" });
    rig.state(1, 1_060n * SOL, 4_720n * SOL, LAST);
    expect(rig.run()).toMatchObject([{ action: "send" }]);
  });

  test("decides nothing on an event that waited too long, but takes over its state", () => {
    const rig = balanced(createRig());
    rig.state(1, ...MOVED, LAST);
    rig.clock.advanceNs(2e9);
    expect(rig.run()).toEqual([]);
    expect(rig.counter("staleGroups")).toBe(1);
    rig.state(0, ...EVEN, LAST);
    expect(rig.run()).toHaveLength(1);
  });

  test("forgets every state and asks for a snapshot when records are missing", () => {
    const rig = balanced(createRig());
    expect(rig.market.producer.takeSnapshotRequest()).toBe(true);
    rig.skipSequence();
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toEqual([]);
    expect(rig.market.producer.takeSnapshotRequest()).toBe(true);
    expect(rig.counter("marketDropped")).toBe(1);
    rig.state(0, ...EVEN, SNAPSHOT);
    rig.state(1, ...MOVED, LAST);
    expect(rig.run()).toHaveLength(1);
  });

  test("does not send what finds no room on the way to the io thread", () => {
    const rig = balanced(createRig({}, {}, 2));
    for (let i = 0; i < 3; i++) {
      rig.state(1, ...EVEN, LAST);
      rig.state(1, ...MOVED, LAST);
    }
    expect(rig.run().map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(rig.counter("decisionsDropped")).toBe(1);
    rig.state(1, ...EVEN, LAST);
    rig.state(1, ...MOVED, LAST);
    expect(rig.run().map(({ sequence }) => sequence)).toEqual([3]);
  });

  test("makes the same decisions of the same records", () => {
    const play = () => {
      const rig = balanced(createRig({}, { throttlePct: 30 }));
      const all: Decision[] = [];
      for (let i = 0; i < 50; i++) {
        rig.clock.advanceNs(1_000_000);
        rig.state(i % 2, (1_000n + BigInt((i * 37) % 60)) * SOL, (5_000n - BigInt((i * 91) % 200)) * SOL, LAST);
        all.push(...rig.run());
      }
      return all;
    };
    const first = play();
    expect(first.length).toBeGreaterThan(10);
    expect(play()).toEqual(first);
  });
});

test("createHotLoop() takes its tips from a bandit and tells it how each auction ended", () => {
  const statistics = new ArrayBuffer(TIP_STATISTICS_BYTES);
  const bandit = new TipBandit("thompson", seededRandom("loop").unit, statistics);
  const rig = balanced(createRig({}, {}, 64, bandit));
  const tips: bigint[] = [];
  for (let round = 0; round < 200; round++) {
    rig.state(1, ...MOVED, LAST);
    const [decision] = rig.run();
    if (decision === undefined) throw new Error("no decision");
    expect(decision).toMatchObject({ action: "send", tipPolicy: "thompson" });
    expect(decision.tipPropensity).toBeGreaterThan(0);
    tips.push(decision.tipLamports);
    const landed = decision.tipLamports > 50_000n;
    rig.settle(decision.sequence, 1_000_000_000_000, {
      result: landed ? TIP_RESULT.landed : TIP_RESULT.outbid,
      rivalTipLamports: 50_000,
    });
  }
  rig.run();
  expect(readTipStatistics(statistics).reduce((sum, { played }) => sum + played, 0)).toBe(200);
  expect(tips.slice(-50).filter((tip) => tip > 50_000n).length).toBeGreaterThan(40);
});
