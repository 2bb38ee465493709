/** Fills on two pools by hand: what lands, and who was first. */
import { describe, expect, test } from "bun:test";
import { testAddress, testPool } from "#arbitrage/test-pools.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { createRig, LAST, SNAPSHOT, SOL } from "#decide/test-loop.ts";
import { blockSlotsOf, bootstrap } from "./block-bootstrap.ts";
import { type Fill, PaperFills, type PoolMove } from "./paper-fills.ts";

const POOLS = [testPool(0, 0, 1), testPool(1, 0, 1)] as const;
const OWN = testAddress(9);
const MS = 1e6;

/** A decision on a gap between two pools, and the means to move them. */
function stage(latencyMs = 50, size = 1) {
  const rig = createRig();
  rig.loop.setCatalogue({ version: 1, pools: POOLS });
  rig.state(0, 1_000n * SOL, 1_000n * SOL, SNAPSHOT);
  rig.state(1, 1_000n * SOL, 1_000n * SOL, SNAPSHOT);
  rig.run();
  rig.state(0, 1_050n * SOL, 953n * SOL, LAST);
  const decision = rig.run().find(({ action }) => action === "send");
  if (decision === undefined) throw new Error("no decision");
  const moves = new Map<number, PoolMove>();
  const fills: Fill[] = [];
  const paper = new PaperFills(
    { latencyMs, size },
    {
      table: rig.loop.table,
      pool: (index) => POOLS[index] as PoolFacts,
      lastMove: (index) => moves.get(index),
      wallet: OWN,
    },
    (fill) => fills.push(fill),
  );
  /** Somebody swaps over these pools, after so many ms. */
  const move = (payer: Address, ms: number, pools: readonly (readonly [number, bigint, bigint])[]) => {
    const one: PoolMove = { atNs: decision.eventNs + ms * MS, payer, pools: new Set(pools.map(([pool]) => pool)) };
    for (const [pool, reserve0, reserve1] of pools) {
      moves.set(pool, one);
      rig.state(pool, reserve0, reserve1, LAST);
    }
    rig.run();
    paper.look();
  };
  const settle = (ms: number) => {
    paper.settle(decision.eventNs + ms * MS, decision.slot + 1n);
    return fills.at(-1);
  };
  return { decision, paper, move, settle, fills };
}

const CLOSED = [
  [0, 1_025n * SOL, 976n * SOL],
  [1, 1_025n * SOL, 976n * SOL],
] as const;

describe("PaperFills", () => {
  test("lands on an untouched state with exactly what was decided, and not before it is due", () => {
    const { decision, paper, settle } = stage();
    paper.take(decision);
    expect(settle(50)).toBeUndefined();
    expect(settle(51)).toMatchObject({ state: "landed", netLamports: decision.netLamports, slotDelta: 1 });
  });

  test("loses to a transaction over both pools that was first", () => {
    const { decision, paper, move, settle } = stage();
    paper.take(decision);
    move(testAddress(5), 20, CLOSED);
    expect(settle(51)).toMatchObject({ state: "rival", netLamports: 0n });
  });

  test("is void when one pool moved against it, and lands when it moved the other way", () => {
    const against = stage();
    against.paper.take(against.decision);
    against.move(testAddress(5), 20, [[0, 1_049n * SOL, 954n * SOL]]);
    expect(against.settle(51)?.state).toBe("moved");
    const better = stage();
    better.paper.take(better.decision);
    better.move(testAddress(5), 20, [[0, 1_051n * SOL, 952n * SOL]]);
    expect(better.settle(51)).toMatchObject({ state: "landed" });
    expect(better.fills[0]?.netLamports).toBeGreaterThanOrEqual(better.decision.netLamports);
  });

  test("does not count the recorded run's own bundle as a rival", () => {
    const { decision, paper, move, settle } = stage();
    paper.take(decision);
    move(OWN as Address, 20, CLOSED);
    expect(settle(51)?.state).toBe("own");
  });

  test("takes a gap once, until the market has closed it", () => {
    const { decision, paper, move, settle, fills } = stage();
    paper.take(decision);
    settle(51);
    const later = (ms: number) => ({ ...decision, eventNs: decision.eventNs + ms * MS });
    paper.take(later(100));
    expect(settle(151)?.state).toBe("repeat");
    move(testAddress(5), 160, CLOSED);
    move(testAddress(6), 170, [
      [0, 1_050n * SOL, 953n * SOL],
      [1, 1_000n * SOL, 1_000n * SOL],
    ]);
    paper.take(later(200));
    expect(settle(251)?.state).toBe("landed");
    expect(fills).toHaveLength(3);
  });

  test("earns less with another size, and says what the recording ended over", () => {
    const { decision, paper, settle } = stage(50, 4);
    paper.take(decision);
    expect(settle(51)?.netLamports).toBeLessThan(decision.netLamports);
    const open = stage();
    open.paper.take(open.decision);
    open.paper.end();
    expect(open.fills[0]?.state).toBe("open");
  });
});

describe("bootstrap()", () => {
  const even = Array.from({ length: 400 }, (_, slot) => ({ slot, netLamports: 10, attempts: 1, landed: 1 }));

  test("has no width where every block is the same, and holds the sum where they differ", () => {
    const same = bootstrap(even, 0, 400, "s");
    expect(same.netLamports).toEqual({ low: 4_000, high: 4_000 });
    expect(same.landedShare).toEqual({ low: 1, high: 1 });
    const uneven = even.map((sum) => ({ ...sum, netLamports: sum.slot < 200 ? 0 : 20 }));
    const wide = bootstrap(uneven, 0, 400, "s").netLamports;
    expect(wide.low).toBeLessThan(4_000);
    expect(wide.high).toBeGreaterThan(4_000);
    expect(bootstrap(uneven, 0, 400, "s").netLamports).toEqual(wide);
  });

  test("keeps neighbours together, in blocks of at most a minute", () => {
    expect([1, 40, 400, 1_000_000].map(blockSlotsOf)).toEqual([1, 2, 20, 150]);
  });

  test("stands nothing at all", () => {
    expect(bootstrap([], 0, 1, "s")).toMatchObject({
      netLamports: { low: 0, high: 0 },
      landedShare: { low: 0, high: 0 },
    });
  });
});
