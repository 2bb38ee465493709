/** Whose quotes the chain disproves: told by the instruction that fails, from the newest dozen. */
import { describe, expect, test } from "bun:test";
import { testAddress, testPool } from "#arbitrage/test-pools.ts";
import type { ShapeHop } from "./compute-limits.ts";
import { PoolVerdicts } from "./pool-verdicts.ts";
import type { Simulation } from "./simulator.ts";

const SECOND_NS = 1e9;
const hop = (index: number, inputSide: 0 | 1 = 0): ShapeHop => ({ pool: testPool(index, 0, 1), inputSide });
/** A limit, a swap a hop, a tip. */
function bundle(...pools: readonly number[]) {
  const hops = pools.map((index) => hop(index));
  const naming = (...addresses: readonly ReturnType<typeof testAddress>[]) => ({
    programAddress: testAddress(900),
    accounts: addresses.map((address) => ({ address, signer: false, writable: true })),
    data: new Uint8Array(),
  });
  return { hops, instructions: [naming(), ...hops.map(({ pool }) => naming(pool.address)), naming(testAddress(901))] };
}
const passed: Simulation = { kind: "passed", netLamports: 1n, computeUnits: 1, tookNs: 1, error: "" };
const failedAt = (place: number): Simulation => ({
  ...{ ...passed, kind: "failed", netLamports: 0n },
  error: `{"InstructionError":[${place},{"Custom":6005}]}`,
});

describe("PoolVerdicts", () => {
  test("the pool that lies stands out of however many good ones", () => {
    const verdicts = new PoolVerdicts();
    for (let i = 0; i < 200; i++) verdicts.note(bundle(1, 2), passed, SECOND_NS);
    for (let i = 0; i < 11; i++) verdicts.note(bundle(1, 7, 2), failedAt(2), SECOND_NS);
    expect(verdicts.worst(2 * SECOND_NS)).toEqual({ pct: 100, samples: 11 });
  });

  test("a lie is seen by its seventh quote, however many good ones stand before it", () => {
    const verdicts = new PoolVerdicts();
    for (let i = 0; i < 200; i++) verdicts.note(bundle(7), passed, SECOND_NS);
    for (let i = 0; i < 6; i++) verdicts.note(bundle(7), failedAt(1), SECOND_NS);
    expect(verdicts.worst(SECOND_NS)).toEqual({ pct: 50, samples: 12 });
    verdicts.note(bundle(7), failedAt(1), SECOND_NS);
    expect(verdicts.worst(SECOND_NS).pct).toBeCloseTo(58.3, 1);
  });

  test("a pool that lies looks too good one way only: the other way does not hide it", () => {
    const verdicts = new PoolVerdicts();
    const back = { ...bundle(7), hops: [hop(7, 1)] };
    for (let i = 0; i < 10; i++) {
      verdicts.note(back, passed, SECOND_NS);
      verdicts.note(bundle(7), failedAt(1), SECOND_NS);
    }
    expect(verdicts.worst(SECOND_NS)).toEqual({ pct: 100, samples: 10 });
  });

  test("a failure says that the hops before it were right, and nothing of those behind it", () => {
    const verdicts = new PoolVerdicts();
    for (let i = 0; i < 5; i++) verdicts.note(bundle(1, 7, 2), failedAt(2), SECOND_NS);
    for (let i = 0; i < 5; i++) verdicts.note(bundle(7), passed, SECOND_NS);
    for (let i = 0; i < 9; i++) verdicts.note(bundle(2), failedAt(1), SECOND_NS);
    expect(verdicts.worst(SECOND_NS)).toEqual({ pct: 50, samples: 10 });
    verdicts.note(bundle(2), failedAt(1), SECOND_NS);
    expect(verdicts.worst(SECOND_NS)).toEqual({ pct: 100, samples: 10 });
  });

  test("forgets after two minutes, and takes nothing from what was not run or failed as a whole", () => {
    const verdicts = new PoolVerdicts();
    for (let i = 0; i < 20; i++) {
      verdicts.note(bundle(1), { ...passed, kind: "not_run" }, 0);
      verdicts.note(bundle(1), { ...failedAt(0), error: '"BlockhashNotFound"' }, 0);
    }
    expect(verdicts.worst(0)).toEqual({ pct: 0, samples: 0 });
    for (let i = 0; i < 20; i++) verdicts.note(bundle(1), failedAt(1), 0);
    expect(verdicts.worst(119 * SECOND_NS).pct).toBe(100);
    expect(verdicts.worst(120 * SECOND_NS)).toEqual({ pct: 0, samples: 0 });
  });

  test("keeps no more than its limits", () => {
    const verdicts = new PoolVerdicts();
    for (let i = 0; i < 20; i++) verdicts.note(bundle(0), failedAt(1), 0);
    expect(verdicts.worst(0).samples).toBe(12);
    for (let pool = 1; pool <= 2_048; pool++) verdicts.note(bundle(pool), passed, 0);
    expect(verdicts.worst(0).samples).toBe(0);
  });
});
