import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arbEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import { ageText, latencyText, nameTokens, percentText, solText, tokenText } from "./format.ts";
import { PageState, ROWS_MAX } from "./page-state.ts";
import type { PageStatus } from "./status.ts";

const status = (changes: Partial<PageStatus>): PageStatus => ({
  mode: "sim",
  version: "0",
  run_id: "one",
  started_at: null,
  now_ms: 0,
  report_age_ms: null,
  landed: 0,
  attempts: 0,
  decisions: 0,
  profit_lamports: "0",
  exact_share: null,
  processes: [],
  off: [],
  hotpath: { p50_ms: null, p99_ms: null },
  market: { slot: null, lag_ms: null },
  guard: null,
  alarms: [],
  store: { reachable: true, totals_age_ms: 0, why: "", behind: 0 },
  ...changes,
});

describe("PageState", () => {
  test("keeps the newest rows, newest first, each once, in whatever order and however often they come", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 200 }), (times) => {
        const state = new PageState();
        state.acceptEnvelopes(times.map((time) => arbEnvelope({ decisionId: `d${time}`, decideNs: BigInt(time) })));
        const wanted = [...new Set(times)].sort((left, right) => right - left).slice(0, ROWS_MAX);
        expect(state.decisions.rows.map(({ decideNs }) => Number(decideNs))).toEqual(wanted);
      }),
    );
  });

  test("keeps what was sent apart, so that a flood of skips never hides it", () => {
    const state = new PageState();
    state.acceptEnvelopes([arbEnvelope({ decisionId: "sent", action: "send", decideNs: 1n })]);
    for (let i = 2; i < 2 + ROWS_MAX; i++)
      state.acceptEnvelopes([arbEnvelope({ decisionId: `${i}`, action: "skip", decideNs: BigInt(i) })]);
    expect(state.decisions.rows.some(({ decisionId }) => decisionId === "sent")).toBe(false);
    expect(state.sent.rows.map(({ decisionId }) => decisionId)).toEqual(["sent"]);
    state.acceptEnvelopes([outcomeEnvelope({ bundleId: "b" })]);
    expect(state.outcomes.rows).toHaveLength(1);
  });

  test("draws profit from the record on, adds only what changed, and starts anew with another run", () => {
    const state = new PageState();
    state.acceptProfit({ started_at_ms: 0, points: [{ at_ms: 10, profit_lamports: "5" }] });
    state.acceptStatus(status({ now_ms: 20, profit_lamports: "5" }));
    state.acceptStatus(status({ now_ms: 30, profit_lamports: "-7" }));
    expect(state.profit).toEqual([
      { atMs: 0, lamports: 0n },
      { atMs: 10, lamports: 5n },
      { atMs: 30, lamports: -7n },
    ]);
    state.acceptStatus(status({ run_id: "two", now_ms: 40, profit_lamports: "1" }));
    expect(state.profit).toEqual([{ atMs: 40, lamports: 1n }]);
  });

  test("draws no profit that was never read, and stays bounded", () => {
    const state = new PageState();
    state.acceptStatus(status({ store: { reachable: false, totals_age_ms: null, why: "away", behind: 0 } }));
    expect(state.profit).toEqual([]);
    for (let i = 1; i <= 5_000; i++) state.acceptStatus(status({ now_ms: i, profit_lamports: `${i}` }));
    expect(state.profit.length).toBeLessThanOrEqual(800);
    expect(state.profit.at(-1)).toEqual({ atMs: 5_000, lamports: 5_000n });
  });
});

describe("format", () => {
  test.each([
    [0n, "0.000000"],
    [1_234_567n, "0.001234"],
    [-1_234_567n, "\u22120.001234"],
    [-999n, "0.000000"],
    [1_234_567_890_123n, "1,234.567890"],
  ])("solText(%s) is %s", (lamports, text) => {
    expect(solText(lamports)).toBe(text);
  });
  test.each([
    [-5, "0.0 s"],
    [400, "0.4 s"],
    [12_000, "12 s"],
    [180_000, "3 m"],
    [18_000_000, "5 h"],
    [200_000_000, "2 d"],
  ])("ageText(%s) is %s", (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });
  test("latencies, shares and tokens read as people say them", () => {
    expect([0.0042, 0.021, 1.234, 42.4, 1_500].map(latencyText)).toEqual([
      "4.2 µs",
      "21 µs",
      "1.23 ms",
      "42 ms",
      "1.5 s",
    ]);
    expect([0, 0.9521, 1].map(percentText)).toEqual(["0 %", "95.2 %", "100 %"]);
    expect(tokenText("So11111111111111111111111111111111111111112")).toBe("SOL");
    expect(tokenText("9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin")).toBe("9xQe");
  });
});

test("nameTokens() shows what tokens call themselves, and never one as another", () => {
  const mint = (start: string) => start.padEnd(44, "1");
  const usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
  nameTokens([
    { mint: mint("aaaa"), symbol: "STINT" },
    { mint: mint("bbbb"), symbol: "TWIN" },
    { mint: mint("cccc"), symbol: "twin" },
    { mint: mint("dddd"), symbol: "\uFF35\uFF33\uFF24\uFF23" },
    { mint: mint("eeee"), symbol: "__proto__" },
    { mint: mint("ffff"), symbol: "AVERYLONGSYMBOL" },
    { mint: usdc, symbol: "STINT" },
  ]);
  expect(tokenText(mint("bbbb"))).toBe("TWIN bbbb");
  expect(tokenText(mint("cccc"))).toBe("twin cccc");
  expect(tokenText(mint("dddd"))).toEndWith(" dddd");
  expect(tokenText(mint("eeee"))).toBe("__proto__");
  expect(tokenText(mint("ffff"))).toBe("AVERYLONG…");
  expect(tokenText(mint("gggg"))).toBe("gggg");
  expect(tokenText("toString")).toBe("toSt");
  expect(tokenText(usdc)).toBe("USDC");
  nameTokens([]);
  expect(tokenText(mint("aaaa"))).toBe("aaaa");
});
