/** What a bundle asks for: the table until a shape is known, then what was seen with room, and the table again on trouble. */
import { describe, expect, test } from "bun:test";
import { testAddress, testPool } from "#arbitrage/test-pools.ts";
import type { Address } from "#core/units.ts";
import { TOKEN_2022_PROGRAM } from "#dex/program-addresses.ts";
import { planInstructions } from "#execute/plan.ts";
import { ComputeLimits, type ShapeHop } from "./compute-limits.ts";
import type { Simulation } from "./simulator.ts";

const passed = (computeUnits: number): Simulation => ({
  kind: "passed",
  netLamports: 1n,
  computeUnits,
  tookNs: 1,
  error: "",
});
const failed = (error: string): Simulation => ({ ...passed(200_000), kind: "failed", netLamports: 0n, error });
const hop = (index: number, inputSide: 0 | 1): ShapeHop => ({ pool: testPool(index, 0, 1), inputSide });
const CYCLE = [hop(1, 0), hop(2, 1)];
const learnMany = (limits: ComputeLimits, count: number) => {
  for (let i = 0; i < count; i++) limits.learn(CYCLE, passed(20_000 + i));
};

describe("ComputeLimits", () => {
  test("limitOf() is unknown until a shape was simulated sixteen times, then half above the most that was seen", () => {
    const limits = new ComputeLimits();
    learnMany(limits, 15);
    expect(limits.limitOf(CYCLE)).toBeUndefined();
    limits.learn(CYCLE, passed(20_000));
    expect(limits.limitOf(CYCLE)).toBe(30_021);
  });

  test("limitOf() knows other pools of the same shape, and no other shape", () => {
    const limits = new ComputeLimits();
    learnMany(limits, 16);
    expect(limits.limitOf([hop(8, 1), hop(9, 0)])).toBe(30_022);
    expect(limits.limitOf([...CYCLE, hop(3, 0)])).toBeUndefined();
    const token2022: ShapeHop = {
      pool: { ...testPool(4, 0, 1), tokenPrograms: [testAddress(1), TOKEN_2022_PROGRAM] },
      inputSide: 0,
    };
    expect(limits.limitOf([token2022, hop(2, 1)])).toBeUndefined();
  });

  test("learn() takes nothing from a simulation that failed for the market's sake or was not run", () => {
    const limits = new ComputeLimits();
    learnMany(limits, 16);
    limits.learn(CYCLE, failed('{"InstructionError":[1,{"Custom":6005}]}'));
    limits.learn(CYCLE, { ...failed("not_simulated: nobody answered"), kind: "not_run" });
    expect(limits.limitOf(CYCLE)).toBe(30_022);
  });

  test("learn() gives a shape that ran into its limit back to the table for good", () => {
    const limits = new ComputeLimits();
    learnMany(limits, 16);
    limits.learn(CYCLE, failed('{"InstructionError":[1,"ComputationalBudgetExceeded"]}'));
    learnMany(limits, 50);
    expect(limits.limitOf(CYCLE)).toBeUndefined();
  });

  test("learn() keeps no more shapes than its limit", () => {
    const limits = new ComputeLimits();
    const any = testPool(1, 0, 1);
    const shape = (n: number): ShapeHop[] => [
      { inputSide: 0, pool: { ...any, tokenPrograms: [`program ${n}` as Address, TOKEN_2022_PROGRAM] } },
    ];
    for (let n = 0; n < 1_030; n++) for (let i = 0; i < 16; i++) limits.learn(shape(n), passed(1_000));
    expect([limits.limitOf(shape(1_023)), limits.limitOf(shape(1_024))]).toEqual([1_500, undefined]);
  });
});

describe("planInstructions()", () => {
  const pools = [testPool(0, 0, 1), testPool(1, 1, 0)];
  const limitWith = (computeUnits: number | undefined): number => {
    const [limit] = planInstructions(
      {
        hops: pools.map((_, pool) => ({ pool, inputSide: 0, reserveIn: 1n, reserveOut: 1n })),
        amounts: [1n, 1n, 1n],
        tipLamports: 1n,
      },
      {
        owner: testAddress(9),
        pool: (index) => pools[index],
        tokenAccount: (mint) => mint,
        tipAccount: testAddress(8),
        computeUnits,
      },
    );
    return Buffer.from(limit?.data ?? []).readUInt32LE(1);
  };

  test("asks for the learnt limit, and for the table's where none is known or it would be more", () => {
    const cold = limitWith(undefined);
    expect(cold).toBeGreaterThan(100_000);
    expect([limitWith(31_000), limitWith(cold + 1)]).toEqual([31_000, cold]);
  });
});
