/** The risk limits: books, states, a restart at any moment, the hot thread's gate, and the desk's last word. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { testPool } from "#arbitrage/test-pools.ts";
import { createLog } from "#core/log.ts";
import { readConfig } from "#core/read-config.ts";
import { RiskGate } from "#decide/risk/risk-gate.ts";
import { RISK_BYTES, RiskWords } from "#decide/risk/risk-words.ts";
import { notLanded, type SentBundle } from "#execute/bundle.ts";
import { writeArmedUntilMs, writeResumedMs } from "./orders.ts";
import { RiskBook, type RiskEntry, readRiskFile } from "./risk-book.ts";
import { RiskDesk } from "./risk-desk.ts";

const LIMITS = {
  lossPerDayLamportsMax: 1_000,
  tipsPerDayLamportsMax: 1_000_000,
  lossPerPoolLamportsMax: 400,
  openAttemptsMax: 8,
};
const DAY_MS = 86_400_000;

let folder: string;
let nowMs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "risk-"));
  nowMs = Date.UTC(2026, 0, 31, 23, 0);
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "risk.json");
const openBook = (limits = LIMITS) => {
  const attempts: number[] = [];
  const book = new RiskBook(
    file(),
    limits,
    () => nowMs,
    (_, attemptsMax) => attempts.push(attemptsMax),
  );
  return { book, attempts };
};
const entry = (id: number, netLamports: bigint, change: Partial<RiskEntry> = {}): RiskEntry => ({
  decisionId: `d-${id}`,
  netLamports,
  tipLamports: 0n,
  places: ["pool"],
  ...change,
});

describe("RiskBook", () => {
  test("goes from active to reducing to halted, and stays there over gains, restarts and days", () => {
    const { book, attempts } = openBook();
    book.settled(entry(1, -700n));
    expect([book.report.state, book.attemptsMax]).toEqual(["active", 8]);
    book.settled(entry(2, -50n));
    expect([book.report.state, book.attemptsMax]).toEqual(["reducing", 1]);
    book.settled(entry(3, 5_000n));
    expect(book.report.state).toBe("reducing");
    book.settled(entry(4, -250n));
    expect(book.report).toMatchObject({
      state: "halted",
      reason: "lost 1000 of 1000 lamports a day",
      lossLamports: 1_000,
    });
    expect(attempts.at(-1)).toBe(0);
    nowMs += 2 * DAY_MS;
    const again = openBook().book;
    again.look(0);
    expect(again.report).toMatchObject({ state: "halted", lossLamports: 0, day: "2026-02-02" });
    again.look(nowMs + 1);
    expect(openBook().book.report).toMatchObject({ state: "active", reason: "" });
  });

  test("halts on tips alone", () => {
    const { book } = openBook();
    book.settled(entry(1, 5n, { tipLamports: 1_000_000n }));
    expect(book.report).toMatchObject({ state: "halted", reason: "tipped 1000000 of 1000000 lamports a day" });
  });

  test("ends reducing with the day", () => {
    const { book } = openBook();
    book.settled(entry(1, -800n));
    expect(book.report.state).toBe("reducing");
    nowMs += DAY_MS;
    book.look(0);
    expect(book.report.state).toBe("active");
  });

  test("leaves a pool alone that lost its share, until the day ends", () => {
    const { book } = openBook();
    book.settled(entry(1, -400n, { places: ["__proto__", "toString"] }));
    expect([book.isBlocked("__proto__"), book.isBlocked("toString"), book.isBlocked("pool")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(openBook().book.isBlocked("toString")).toBe(true);
    nowMs += DAY_MS;
    expect(openBook().book.isBlocked("toString")).toBe(false);
  });

  test("counts each decision once and forgets no loss, wherever a kill puts its restart", () => {
    const step = fc.record({ id: fc.nat(20), loss: fc.nat(60), restart: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        rmSync(file(), { force: true });
        let { book } = openBook();
        const losses = new Map<number, number>();
        for (const { id, loss, restart } of steps) {
          if (!losses.has(id)) losses.set(id, loss);
          book.settled(entry(id, BigInt(-(losses.get(id) as number))));
          if (restart) book = openBook().book;
        }
        const sum = [...losses.values()].reduce((total, loss) => total + loss, 0);
        expect(book.report.lossLamports).toBe(sum);
        expect(openBook().book.report.lossLamports).toBe(sum);
      }),
    );
  });

  test.each(["", "{", "[]", '{"state":"calm"}', "null"])("refuses to start on a file of %p", (text) => {
    writeFileSync(file(), text);
    expect(() => readRiskFile(file())).toThrow("Cannot read the risk file");
    expect(openBook).toThrow("Cannot read the risk file");
  });
});

describe("RiskGate", () => {
  const pools = Int32Array.of(3, 4);

  test("says no to a halt, too many attempts, a blocked pool and too many sends a minute", () => {
    const words = new RiskWords(new SharedArrayBuffer(RISK_BYTES));
    const gate = new RiskGate(words, 2);
    expect(gate.refusal(pools, 2, 0, 1e9)).toBe("too_many_in_flight");
    words.write("active", 4);
    words.blockPool(4, true);
    expect(gate.refusal(pools, 2, 0, 1e9)).toBe("risk_pool");
    words.blockPool(4, false);
    for (const expected of [undefined, undefined, "sends_per_minute" as const]) {
      expect(gate.refusal(pools, 2, 0, 1e9)).toBe(expected);
      if (expected === undefined) gate.sent();
    }
    expect(gate.refusal(pools, 2, 0, 1e9 + 30e9)).toBeUndefined();
    words.write("reducing", 1);
    expect(gate.refusal(pools, 2, 1, 61e9)).toBe("too_many_in_flight");
    words.write("halted", 0);
    expect(gate.refusal(pools, 2, 0, 61e9)).toBe("risk_halted");
  });
});

describe("RiskDesk", () => {
  const pool = testPool(3, 0, 1);
  const openDesk = (...flags: string[]) => {
    const { config } = readConfig(["--risk.lossPerDayLamportsMax", "1000", ...flags], {});
    const buffer = new SharedArrayBuffer(RISK_BYTES);
    const paths = { risk: file(), riskResumed: join(folder, "resumed.json"), armed: join(folder, "armed.json") };
    const log = createLog({ process: "arbitrage", level: "error", format: "text" });
    const desk = new RiskDesk({ config, paths, words: buffer, pools: () => [pool], wallMs: () => nowMs, log });
    return { desk, paths, words: new RiskWords(buffer) };
  };
  const lose = (desk: RiskDesk, id: string, lamports: bigint) =>
    desk.settled({ decisionId: id, pools: [pool.address], tipLamports: 5n } as unknown as SentBundle, {
      ...notLanded("failed", ""),
      realisedNetLamports: -lamports,
    });

  test("halts the hot thread and its own sends, over a restart, until a resume", () => {
    const { desk, words } = openDesk();
    expect([desk.refusal(1), words.attemptsMax]).toEqual([undefined, 64]);
    lose(desk, "a", 1_000n);
    expect([desk.refusal(1), words.halted]).toEqual(["risk_halted", true]);
    const next = openDesk();
    expect([next.desk.refusal(1), next.words.halted]).toEqual(["risk_halted", true]);
    writeResumedMs(next.paths.riskResumed, nowMs + 1);
    next.desk.look();
    expect([next.desk.refusal(1), next.words.halted]).toEqual([undefined, false]);
  });

  test("keeps a pool and its tokens from the hot thread when they lost their share", () => {
    const { desk, words } = openDesk("--risk.lossPerPoolLamportsMax", "100");
    lose(desk, "a", 100n);
    desk.look();
    expect([words.isPoolBlocked(3), words.isPoolBlocked(4), desk.refusal(1)]).toEqual([true, false, undefined]);
  });

  test("lets live transactions leave only while armed", () => {
    const { desk, paths } = openDesk("--mode", "live");
    expect(desk.refusal(1)).toBe("not_armed");
    writeArmedUntilMs(paths.armed, nowMs + 60_000);
    desk.look();
    expect(desk.refusal(1)).toBeUndefined();
    nowMs += 60_000;
    expect(desk.refusal(1)).toBe("not_armed");
    writeFileSync(paths.armed, '{"untilMs": "never"}');
    desk.look();
    expect(desk.refusal(1)).toBe("not_armed");
  });
});
