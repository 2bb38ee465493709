/** Backtests of a recorded market in the box: the figures agree with the rows, come again, and know no future. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import type { MarketEvent } from "#market/source.ts";
import { runBacktest } from "./backtest.ts";
import { marketEvents, recordEvents } from "./test-market-events.ts";

const LONG_MS = 120_000;
const SLOTS = 60;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-backtest-"));
const at = (name: string) => join(folder, name);
let events: MarketEvent[] = [];

beforeAll(async () => {
  events = await marketEvents(SLOTS, 1);
  recordEvents(at("market"), events);
}, LONG_MS);
afterAll(() => rmSync(folder, { recursive: true }));

type Fill = { slot: number; state: string; net_lamports: string; slot_delta: number; predicted_lamports: string };

async function backtest(recording: string, out: string, ...flags: readonly string[]) {
  let said = "";
  const args = [at(recording), "--out", at(out), "--dataDir", at("data"), ...flags];
  expect(await runBacktest(args, (text) => (said += text))).toBe(0);
  const fills = readFileSync(at(`${out}/fills.ndjson`), "utf8")
    .split("\n")
    .filter(Boolean);
  const summary = JSON.parse(readFileSync(at(`${out}/summary.json`), "utf8"));
  return { said, summary, fills: fills.map((line) => JSON.parse(line) as Fill) };
}

describe("sandpiper backtest", () => {
  test(
    "earns what its rows say, and says so to people",
    async () => {
      const { said, summary, fills } = await backtest("market", "one");
      const of = (state: string) => fills.filter((fill) => fill.state === state);
      expect(of("landed").length).toBeGreaterThan(0);
      expect(summary.sends).toBe(fills.length);
      expect(summary.total.states.landed).toBe(of("landed").length);
      expect(summary.total.attempts).toBe(fills.length - of("repeat").length - of("open").length);
      const net = of("landed").reduce((sum, fill) => sum + BigInt(fill.net_lamports), 0n);
      expect(summary.total.net_lamports).toBe(`${net}`);
      // A bundle lands as it was decided, or better, or not at all.
      for (const { net_lamports, predicted_lamports } of of("landed"))
        expect(BigInt(net_lamports)).toBeGreaterThanOrEqual(BigInt(predicted_lamports));
      for (const { state, net_lamports } of fills) if (state !== "landed") expect(net_lamports).toBe("0");
      expect(summary.total.net_lamports_low).toBeLessThanOrEqual(Number(net));
      expect(summary.total.net_lamports_high).toBeGreaterThanOrEqual(Number(net));
      expect(summary.latency.map((row: { latency_ms: number }) => row.latency_ms)).toEqual([
        50, 55, 60, 75, 100, 150, 250, 450,
      ]);
      expect(summary.capacity.map((row: { size: number }) => row.size)).toEqual([0.25, 0.5, 1, 2, 4]);
      for (const group of ["route", "leader", "hour"])
        expect(
          Object.values(summary.by[group] as Record<string, { attempts: number }>).reduce(
            (n, row) => n + row.attempts,
            0,
          ),
        ).toBe(summary.total.attempts);
      expect(said).toMatch(/net -?\d+\.\d{6} SOL \(95 %: /);
      expect(said).toContain("latency, ms");
    },
    LONG_MS,
  );

  test(
    "loses to the recorded rivals what comes too late, and gives nobody's gap twice",
    async () => {
      const quick = await backtest("market", "quick", "--latencyMs", "0");
      const slow = await backtest("market", "slow", "--latencyMs", "2000");
      expect(slow.summary.total.landed_share).toBeLessThan(quick.summary.total.landed_share);
      expect(slow.summary.total.states.rival + slow.summary.total.states.moved).toBeGreaterThan(0);
      expect(quick.fills.filter(({ state }) => state === "landed").every(({ slot_delta }) => slot_delta === 0)).toBe(
        true,
      );
    },
    LONG_MS,
  );

  test(
    "gives the same bytes on a second run",
    async () => {
      const [one, two] = [await backtest("market", "a"), await backtest("market", "b")];
      expect(two.said).toBe(one.said);
      for (const name of ["fills.ndjson", "summary.json"])
        expect(readFileSync(at(`b/${name}`)).equals(readFileSync(at(`a/${name}`)))).toBe(true);
    },
    LONG_MS,
  );

  test(
    "knows no future: with all that comes after a slot shuffled, everything up to it is the same",
    async () => {
      const cut = events.findIndex(({ arrivedNs }) => arrivedNs >= ((events.at(-1)?.arrivedNs ?? 0) * 2) / 3);
      const cutNs = events[cut]?.arrivedNs as number;
      const random = seededRandom("future");
      const future = events.slice(cut);
      const order = future.map((event) => ({ event, key: random.unit() })).sort((a, b) => a.key - b.key);
      const shuffled = order.map(({ event }, i) => ({ ...event, arrivedNs: future[i]?.arrivedNs as number }));
      recordEvents(at("shuffled"), [...events.slice(0, cut), ...shuffled]);
      const [real, other] = [await backtest("market", "real"), await backtest("shuffled", "other")];
      const lastSlot = events.slice(0, cut).reduce((slot, event) => ("slot" in event ? Number(event.slot) : slot), 0);
      const past = (fills: readonly Fill[]) => fills.filter(({ slot }) => slot < lastSlot);
      expect(past(real.fills).length).toBeGreaterThan(10);
      expect(past(other.fills)).toEqual(past(real.fills));
      expect(other.fills).not.toEqual(real.fills);
      expect(cutNs).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  test(
    "files landings under their leaders",
    async () => {
      const first = Number(events.find((event) => event.kind === "slot")?.slot ?? 0);
      const schedule = { alice: Array.from({ length: SLOTS / 2 }, (_, i) => i) };
      writeFileSync(at("leaders.json"), JSON.stringify({ firstSlot: first, schedule }));
      const { summary } = await backtest("market", "leaders", "--leaders", at("leaders.json"));
      expect(Object.keys(summary.by.leader).sort()).toEqual(["alice", "unknown"]);
    },
    LONG_MS,
  );

  test.each([
    ["nothing", []],
    ["a latency that is none", ["x", "--latencyMs", "soon"]],
    ["leaders that are none", ["x", "--leaders", import.meta.path]],
    ["an absent recording", ["/absent"]],
  ])("refuses %s in words", async (_, args) => {
    await expect(runBacktest([...args, "--dataDir", at("data")], () => {})).rejects.toThrow(/^Cannot /);
  });
});
