import { describe, expect, test } from "bun:test";
import { ConcentratedPool } from "#arbitrage/concentrated-pool.ts";
import { fillConcentrated } from "#arbitrage/concentrated-quote.ts";
import { testAddress, testConcentratedPool, testPool } from "#arbitrage/test-pools.ts";

import { createRig, LAST, SNAPSHOT, SOL } from "./test-loop.ts";

describe("createHotLoop() over concentrated pools", () => {
  const ONE_X64 = 1n << 64n;
  const LIQUIDITY = 2_000n * SOL;
  const TICKS = [
    [-1_200, LIQUIDITY],
    [1_200, -LIQUIDITY],
  ] as const;
  const arrays = [-600, -1_200, 0, 600, 1_200]
    .sort((a, b) => a - b)
    .map((firstTick) => ({ firstTick, address: testAddress(firstTick + 9_999) }));
  const concentratedFacts = { build: "2024", tickSpacing: 10, tickArrays: arrays } as const;
  const MIXED = {
    version: 1,
    pools: [{ ...testConcentratedPool(0, 0, 1, 10), concentrated: concentratedFacts }, testPool(1, 0, 1)],
  };
  const EVEN_PRODUCT = [1_000n * SOL, 1_000n * SOL] as const;
  const OPENED = [1_000n * SOL, 1_020n * SOL] as const;

  function told(rig: ReturnType<typeof createRig>) {
    rig.loop.setCatalogue(MIXED);
    rig.concentrated(0, ONE_X64, LIQUIDITY, 0, SNAPSHOT, TICKS);
    rig.state(1, ...EVEN_PRODUCT, SNAPSHOT);
    expect(rig.run()).toEqual([]);
    return rig;
  }

  test("sends the cycle with the amounts of the exact walk, and the tick arrays at its ends", () => {
    const rig = told(createRig());
    rig.state(1, ...OPENED, LAST);
    const [decision] = rig.run();
    if (decision === undefined) throw new Error("nothing was decided");
    expect(decision.action).toBe("send");
    const place = decision.hops.findIndex(({ pool }) => pool === 0);
    const hop = decision.hops[place];
    const state = new ConcentratedPool();
    state.clearTicks();
    for (const [index, net] of TICKS) state.setTick(index, net);
    const words = new Uint32Array(new BigUint64Array([0n, 1n, LIQUIDITY, 0n]).buffer);
    state.setState(words, 0, 0);
    const facts = concentratedFacts;
    const amountIn = decision.amounts[place] ?? 0n;
    const fill = fillConcentrated(
      { state, facts, tickArraysMax: 3, feeRate: 2_500n },
      hop?.inputSide ?? 0,
      amountIn,
      "exact-in",
    );
    expect(fill?.amountOut).toBe(decision.amounts[place + 1] ?? -1n);
    expect(hop?.tickArrays).toEqual([fill?.firstArray ?? 9, fill?.lastArray ?? 9]);
    expect(decision.hops.find(({ pool }) => pool === 1)?.tickArrays).toBeUndefined();
  });

  test("takes over a tick that comes or goes before it decides on the state behind it", () => {
    const amounts = (ticks?: readonly (readonly [number, bigint | undefined])[]) => {
      const rig = told(createRig());
      rig.concentrated(0, ONE_X64 + (ONE_X64 * 15n) / 1_000n, LIQUIDITY, 297, LAST, ticks);
      return rig.run()[0]?.amounts;
    };
    const without = amounts();
    expect(without).toBeDefined();
    // Much more liquidity just below the price: more goes through.
    const more = amounts([
      [290, -5n * LIQUIDITY],
      [0, 5n * LIQUIDITY],
    ]);
    expect(Number(more?.[0])).not.toBe(Number(without?.[0]));
    expect(amounts([[777, undefined]])).toEqual(without);
  });

  test("does not count a pool whose ticks may be old after a gap, until they are told anew", () => {
    const rig = told(createRig());
    rig.skipSequence();
    rig.state(1, ...OPENED, LAST);
    rig.concentrated(0, ONE_X64, LIQUIDITY, 0, LAST);
    expect(rig.run()).toEqual([]);
    rig.concentrated(0, ONE_X64, LIQUIDITY, 0, SNAPSHOT, TICKS);
    rig.state(1, ...OPENED, LAST);
    expect(rig.run()).toHaveLength(1);
  });

  test("keeps its cycles when only tick arrays are new", () => {
    const rig = told(createRig());
    const [first, second] = MIXED.pools;
    const fewer = { ...concentratedFacts, tickArrays: arrays.slice(1) };
    rig.loop.setCatalogue({
      version: 2,
      pools: [{ ...testConcentratedPool(0, 0, 1, 10), concentrated: fewer }, ...(second ? [second] : [])],
    });
    rig.state(1, ...OPENED, LAST);
    expect(rig.run()).toHaveLength(1);
    expect(first?.concentrated?.tickArrays).toHaveLength(arrays.length);
  });
});
