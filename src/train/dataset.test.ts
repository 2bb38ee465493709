/** The rows of a training job out of real tables: the right ones, whatever the future holds. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { FEATURES } from "#model/features.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine, type TestEngine } from "#store/test-engine.ts";
import { readDataset } from "./dataset.ts";

const LONG_MS = 120_000;
const RANGE = { startMs: 1_700_000_000_000, endMs: 1_700_000_100_000 };
const OPTIONS = { mode: "sim", rowsMin: 100 };
const NS = 1_000_000n;
let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  await migrate(engine.store);
}, LONG_MS);
afterAll(() => engine?.close());

type Row = {
  id: string;
  decideMs: number;
  landMs: number;
  landed?: boolean;
  mode?: string;
  state?: string;
  width?: number;
};

async function record(rows: readonly Row[]): Promise<void> {
  const at = (ms: number) => new Date(ms).toISOString().replace("T", " ").replace("Z", "");
  const decisions = rows.map(({ id, decideMs, mode = "sim", width = FEATURES.length }) => ({
    ...{ at: at(decideMs), decision_id: id, mode, action: "send", decide_ns: String(BigInt(decideMs) * NS) },
    ...{ score: 0.25, features: Array.from({ length: width }, (_, i) => decideMs % (i + 2)) },
  }));
  const outcomes = rows.map(({ id, landMs, mode = "sim", landed = true, state = "landed" }) => ({
    ...{ at: at(landMs), decision_id: id, bundle_id: id, mode, landed, state, land_ns: String(BigInt(landMs) * NS) },
  }));
  for (const [table, all] of [["arb_opportunities", decisions] as const, ["bundle_outcomes_typed", outcomes] as const])
    await engine.store.insertBytes(
      `INSERT INTO sandpiper.${table} FORMAT JSONEachRow`,
      new TextEncoder().encode(all.map((row) => JSON.stringify(row)).join("\n")),
    );
}

test(
  "readDataset() takes what was sent and known in the range, and poison of the future changes nothing",
  async () => {
    const past = Array.from({ length: 200 }, (_, i): Row => {
      const decideMs = RANGE.startMs + i * 400;
      return { id: `past-${i}`, decideMs, landMs: decideMs + 500, landed: i % 3 === 0 };
    });
    await record(past);
    const before = await readDataset(engine.store, RANGE, OPTIONS);
    const { fit, tune, judge, leftOut } = before;
    expect(fit.length + tune.length + judge.length + leftOut).toBe(200);
    expect([fit.length, tune.length, judge.length]).toEqual([119, 39, 40]);
    expect(fit[3]).toEqual({
      decideNs: BigInt(RANGE.startMs + 1_200) * NS,
      settledNs: BigInt(RANGE.startMs + 1_700) * NS,
      features: FEATURES.map((_, i) => (RANGE.startMs + 1_200) % (i + 2)),
      ...{ landed: true, score: 0.25 },
    });

    const { startMs, endMs } = RANGE;
    await record([
      // Decided in the range, known at its end or later; decided later; of another mode; nobody knows; another row.
      { id: "late", decideMs: startMs + 50, landMs: endMs, landed: false },
      { id: "later", decideMs: startMs + 60, landMs: endMs + 9_000_000, landed: false },
      { id: "after", decideMs: endMs, landMs: endMs + 10 },
      { id: "before", decideMs: startMs - 1, landMs: startMs + 10 },
      { id: "paper", decideMs: startMs + 70, landMs: startMs + 80, mode: "replay" },
      { id: "unknown", decideMs: startMs + 70, landMs: startMs + 80, landed: false, state: "unknown" },
      { id: "narrow", decideMs: startMs + 70, landMs: startMs + 80, width: 3 },
    ]);
    // And what is known of the past's bundles only later, and otherwise.
    await record(
      past.map(({ id }, i) => ({ id: `again-${id}`, decideMs: endMs + i, landMs: endMs + i, landed: i % 3 > 0 })),
    );
    expect(await readDataset(engine.store, RANGE, OPTIONS)).toEqual(before);
  },
  LONG_MS,
);

test("readDataset() refuses a range in which next to nothing was sent", async () => {
  const nothing = { startMs: 1_000, endMs: 2_000 };
  await expect(readDataset(engine.store, nothing, OPTIONS)).rejects.toThrow(
    "at least 100 sent decisions with an outcome",
  );
});
