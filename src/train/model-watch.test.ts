/** The rules at work on real tables and a real models folder, at a time that the test says. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { findCompiler } from "#ffi/c-compiler.ts";
import { fileInUse, flip, hashInName, readHistory } from "#model/models-folder.ts";
import { addModel, compileModel } from "#model/test-models.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine, type TestEngine } from "#store/test-engine.ts";
import { readModelFacts, watchModels } from "./model-watch.ts";

const LONG_MS = 120_000;
const START_MS = 1_700_000_000_000;
const RULES = {
  ...{ promoteByRule: true, promoteRowsMin: 100, rollback: true, driftRowsMin: 100 },
  ...{ calibrationGapMax: 0.2, hotPathFactorMax: 3 },
};
let engine: TestEngine;
let modelsDir = "";
let [first, second] = ["", ""];

beforeAll(async () => {
  engine = await startTestEngine();
  await migrate(engine.store);
  modelsDir = join(engine.folder, "models");
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error("needs a C compiler");
  const add = (body: string, score: number) =>
    addModel(modelsDir, engine.folder, compileModel(engine.folder, compiler, { body }), () => score);
  [first, second] = [add("return 0.5f;", 0.5), add("return 0.25f;", 0.25)];
}, LONG_MS);
afterAll(() => engine?.close());

const at = (ms: number) => new Date(ms).toISOString().replace("T", " ").replace("Z", "");
const insert = (table: string, rows: readonly object[]) =>
  engine.store.insertBytes(
    `INSERT INTO sandpiper.${table} FORMAT JSONEachRow`,
    new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join("\n")),
  );

/** 120 sent decisions from `fromMs`, of which one in four landed. */
async function record(fromMs: number, decision: object): Promise<void> {
  const rows = Array.from({ length: 120 }, (_, i) => ({ at: at(fromMs + i), decision_id: `${fromMs}-${i}` }));
  await insert(
    "arb_opportunities",
    rows.map((row) => ({ ...row, action: "send", ...decision })),
  );
  await insert(
    "bundle_outcomes_typed",
    rows.map((row, i) => ({ ...row, landed: i % 4 === 0, state: "outbid" })),
  );
}
const inUse = () => hashInName(fileInUse(modelsDir, "arb", "latest") ?? "");

test(
  "watchModels() promotes the better shadow, and takes it back when it drifts",
  async () => {
    const options = { store: engine.store, modelsDir, rules: RULES, log: { info: () => {}, warn: () => {} } };
    const note = { by: "test", why: "", atMs: START_MS } as const;
    flip(modelsDir, "arb", "latest", first, { action: "promote", ...note });
    flip(modelsDir, "arb", "shadow", second, { action: "shadow", ...note });
    expect(await watchModels(options, START_MS + 1)).toBeUndefined();

    await record(START_MS + 10, { model_hash: first, score: 0.5, shadow_model_hash: second, shadow_score: 0.25 });
    const facts = await readModelFacts(
      engine.store,
      { latest: first, shadow: second, sinceMs: START_MS },
      START_MS + 5_000,
    );
    expect([facts.both.rows, facts.latest.landedShare]).toEqual([120, 0.25]);
    expect(facts.both.latestLogLoss).toBeCloseTo(Math.log(2), 6);
    expect(facts.both.shadowLogLoss).toBeCloseTo(-0.25 * Math.log(0.25) - 0.75 * Math.log(0.75), 6);
    expect(await watchModels(options, START_MS + 5_000)).toMatchObject({ action: "promote", target: second });
    expect([inUse(), fileInUse(modelsDir, "arb", "shadow")]).toEqual([second, undefined]);

    await record(START_MS + 10_000, { model_hash: second, score: 0.25 });
    expect(await watchModels(options, START_MS + 20_000)).toBeUndefined();
    await record(START_MS + 30_000, { model_hash: second, score: 0.95 });
    expect(await watchModels(options, START_MS + 40_000)).toMatchObject({ action: "rollback", target: first });
    expect(inUse()).toBe(first);
    expect(readHistory(modelsDir, "arb").at(-1)).toMatchObject({ action: "rollback", by: "rule", from: second });
    expect(await watchModels(options, START_MS + 50_000)).toBeUndefined();
  },
  LONG_MS,
);

test(
  "watchModels() takes a version back that made the hot path slower",
  async () => {
    const options = { store: engine.store, modelsDir, rules: RULES, log: { info: () => {}, warn: () => {} } };
    const promotedMs = START_MS + 10_000_000;
    flip(modelsDir, "arb", "latest", second, { action: "promote", by: "test", why: "", atMs: promotedMs });
    const windows = (fromMs: number, ms: number) =>
      insert(
        "metrics",
        Array.from({ length: 40 }, (_, i) => ({ at: at(fromMs + i * 1_000), hotpath_p50: ms })),
      );
    await windows(promotedMs - 60_000, 0.01);
    await windows(promotedMs + 1_000, 0.02);
    expect(await watchModels(options, promotedMs + 60_000)).toBeUndefined();
    await windows(promotedMs + 700_000, 0.05);
    const done = await watchModels(options, promotedMs + 760_000);
    expect(done).toMatchObject({ action: "rollback", target: first, why: expect.stringContaining("latency drift") });
  },
  LONG_MS,
);
