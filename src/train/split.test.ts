/** The split in time: what a model learns from, it could have known. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { splitByTime, type TimedRow } from "./split.ts";

const RANGE = { startMs: 1_000, endMs: 2_000 };
const NS = 1_000_000n;
const [START_NS, END_NS] = [BigInt(RANGE.startMs) * NS, BigInt(RANGE.endMs) * NS];

type Row = TimedRow & { readonly id: number };
const row = fc.record({
  id: fc.nat(),
  decideNs: fc.bigInt({ min: START_NS - 100n * NS, max: END_NS + 100n * NS }),
  takesNs: fc.bigInt({ min: 0n, max: 300n * NS }),
});
const rows = fc
  .array(row, { maxLength: 200 })
  .map((found) => found.map(({ id, decideNs, takesNs }): Row => ({ id, decideNs, settledNs: decideNs + takesNs })));

describe("splitByTime()", () => {
  test("lets each part see only what was over before the next one began, and the last only what was before the end", () => {
    fc.assert(
      fc.property(rows, (all) => {
        const { fit, tune, judge } = splitByTime(all, RANGE);
        const parts = [fit, tune, judge];
        parts.forEach((part, i) => {
          const next = parts.slice(i + 1).flat();
          for (const { settledNs } of part) {
            expect(settledNs < END_NS).toBe(true);
            for (const { decideNs } of next) expect(settledNs < decideNs).toBe(true);
          }
        });
        for (const { decideNs } of parts.flat()) expect(decideNs >= START_NS && decideNs < END_NS).toBe(true);
      }),
    );
  });

  test("is not changed by anything that was decided or known at the end or after it", () => {
    const future = fc.array(
      fc
        .record({ id: fc.nat(), decideNs: fc.bigInt({ min: START_NS, max: END_NS + 100n * NS }) })
        .map(({ id, decideNs }): Row => ({ id, decideNs, settledNs: (decideNs > END_NS ? decideNs : END_NS) + 1n })),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(rows, future, (past, poison) => {
        expect(splitByTime([...poison, ...past], RANGE)).toEqual(splitByTime(past, RANGE));
      }),
    );
  });

  test("takes 60, 20 and 20 of 100 rows whose outcomes were quick", () => {
    const all = Array.from({ length: 100 }, (_, i) => {
      const decideNs = START_NS + BigInt(i) * NS;
      return { decideNs, settledNs: decideNs + 1n };
    });
    const { fit, tune, judge, leftOut } = splitByTime(all, RANGE);
    expect([fit.length, tune.length, judge.length, leftOut]).toEqual([60, 20, 20, 0]);
    const slow = all.map(({ decideNs }) => ({ decideNs, settledNs: decideNs + 5n * NS }));
    const purged = splitByTime(slow, RANGE);
    expect([purged.fit.length, purged.tune.length, purged.judge.length, purged.leftOut]).toEqual([55, 15, 20, 10]);
  });
});
