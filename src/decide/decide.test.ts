/** The small parts of the hot thread: what is in flight, the tip, the bell, the catalogue. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { PoolCatalogue } from "#core/pool.ts";
import { createPolicyTarget } from "#memory/switchboard.ts";
import { createFeatureInput, createFeatureRow } from "#model/features.ts";
import { bellRinger, bellWaiter, createAgentMemory } from "./agent-memory.ts";
import { CatalogueFollower } from "./catalogue-follower.ts";
import { chooseTip, type TipChoice } from "./choose-tip.ts";
import { IN_FLIGHT_MAX, InFlight } from "./in-flight.ts";
import { REASON_CODE, REASONS, reasonOf } from "./reasons.ts";

describe("InFlight", () => {
  test("behaves as a plain list of held pools does", () => {
    const step = fc.record({
      kind: fc.constantFrom("hold" as const, "change" as const, "settle" as const),
      pools: fc.uniqueArray(fc.nat(12), { minLength: 2, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new InFlight();
        let plain: { sequence: number; pools: number[] }[] = [];
        steps.forEach(({ kind, pools }, i) => {
          const [first = 0] = pools;
          if (kind === "hold" && pools.every((pool) => !table.isHeld(pool, 0))) {
            table.hold(i + 1, Int32Array.from(pools), pools.length, 0);
            plain.push({ sequence: i + 1, pools });
          } else if (kind === "change") {
            table.poolChanged(first);
            plain = plain.filter((held) => !held.pools.includes(first));
          } else if (kind === "settle") {
            table.settled(first);
            plain = plain.filter((held) => held.sequence !== first);
          }
          for (let pool = 0; pool <= 12; pool++)
            expect(table.isHeld(pool, 0)).toBe(plain.some((held) => held.pools.includes(pool)));
          expect(table.count).toBe(plain.length);
        });
      }),
    );
  });

  test("is full at its bound, and lets go of what nobody settles", () => {
    const table = new InFlight();
    for (let i = 0; i < IN_FLIGHT_MAX; i++) expect(table.hold(i + 1, Int32Array.of(i), 1, 0)).toBe(true);
    expect(table.hold(1_000, Int32Array.of(1_000), 1, 0)).toBe(false);
    expect(table.isHeld(0, 90e9)).toBe(true);
    expect(table.isHeld(0, 90e9 + 1)).toBe(false);
    expect(table.hold(1_000, Int32Array.of(1_000), 1, 0)).toBe(true);
  });
});

describe("chooseTip()", () => {
  const limits = { feeLamports: 5_000, tipShareMax: 0.5, missCostLamports: 0 };
  const choose = (predict: (row: Float32Array) => number, gross = 1_000_000, change: Partial<typeof limits> = {}) => {
    const policy = createPolicyTarget();
    policy.tipLadderLamports.set([10_000, 100_000, 400_000, 900_000]);
    policy.tipCount = 4;
    const out: TipChoice = { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 0 };
    const features = createFeatureRow();
    const input = { ...createFeatureInput(), grossLamports: gross };
    chooseTip(out, features, input, policy, { ...limits, ...change }, predict);
    return { ...out, tipShare: features[13] ?? 0 };
  };

  test("takes the rung of the best expected value and leaves its features in the row", () => {
    // Likelier to land the higher the tip: 400,000 lands for sure, 100,000 seldom.
    const chosen = choose((row) => Math.min(1, 2.5 * (row[13] as number)));
    expect(chosen.tipLamports).toBe(400_000);
    expect(chosen.evLamports).toBeCloseTo(595_000, 0);
    expect(chosen.tipShare).toBeCloseTo(0.4, 5);
    expect(choose(() => 0.5).tipLamports).toBe(10_000);
  });

  test("never goes over the tip share or the profit", () => {
    const greedy = (row: Float32Array) => (row[13] as number) ** 4;
    expect(choose(greedy).tipLamports).toBe(400_000);
    expect(choose(greedy, 1_000_000, { tipShareMax: 1 }).tipLamports).toBe(900_000);
    expect(choose(greedy, 15_000, { tipShareMax: 1 }).tipLamports).toBe(0);
  });

  test("takes an answer outside 0 to 1, or no number, for what it can mean at most", () => {
    expect(choose(() => 7)).toMatchObject({ score: 1, evLamports: 985_000 });
    for (const nonsense of [Number.NaN, -3]) expect(choose(() => nonsense).evLamports).toBe(0);
  });

  test("counts the cost of a miss", () => {
    expect(choose(() => 0.5, 1_000_000, { missCostLamports: 5_000 }).evLamports).toBe(0.5 * 985_000 - 2_500);
  });
});

test("REASONS have codes of their own that read back", () => {
  expect(new Set(REASONS.map(({ code }) => code)).size).toBe(REASONS.length);
  for (const { name, code } of REASONS) {
    expect(REASON_CODE[name]).toBe(code);
    expect(reasonOf(code)?.name).toBe(name);
  }
  expect(reasonOf(0)).toBeUndefined();
});

test("bellWaiter() wakes for a ring, also for one that came before it waited", async () => {
  const memory = createAgentMemory(false);
  const ring = bellRinger(memory);
  const wait = bellWaiter(memory);
  ring();
  await wait(60_000);
  const waiting = wait(60_000);
  ring();
  await waiting;
  await wait(1);
});

test("CatalogueFollower takes over a newer file once, and not before it is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  try {
    const path = join(folder, "pools.json");
    const taken: number[] = [];
    const setCatalogue = ({ version }: PoolCatalogue) => void taken.push(version);
    const loop = { doWork: () => 0, catalogueWanted: 0, ended: false, setCatalogue };
    const follower = new CatalogueFollower(loop, path);
    follower.follow(0);
    writeFileSync(path, JSON.stringify({ version: 3, pools: [] }));
    follower.follow(1e6);
    expect(taken).toEqual([]);
    follower.follow(1e9);
    follower.follow(2e9);
    loop.catalogueWanted = 4;
    follower.follow(3e9);
    writeFileSync(path, JSON.stringify({ version: 4, pools: [] }));
    follower.follow(4e9);
    expect(taken).toEqual([3, 4]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
