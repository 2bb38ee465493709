/** Labelled runs: the same seed gives the same run, prices are exact, and the truth is true. */
import { describe, expect, test } from "bun:test";
import { quoteExactIn } from "#dex/quote.ts";
import { writeLabelledRun } from "./labelled-run.ts";
import type { AttackRow, RunRow, TransactionRow } from "./run-rows.ts";

function run(seed: string, swaps: number): RunRow[] {
  const rows: RunRow[] = [];
  writeLabelledRun({ seed, swaps }, (row) => void rows.push(row));
  return rows;
}

const rows = run("a test", 8_000);
const transactions = rows.filter((row): row is TransactionRow => row.type === "transaction");
const attacks = rows.filter((row): row is AttackRow => row.type === "attack");
const bySignature = new Map(transactions.map((row, order) => [row.signature, { row, order }]));

describe("writeLabelledRun()", () => {
  test("gives the same run for the same seed and another for another", () => {
    expect(run("1", 500)).toEqual(run("1", 500));
    expect(run("1", 500)).not.toEqual(run("2", 500));
  });

  test("has as many swaps as were asked for, in execution order", () => {
    expect(transactions.reduce((sum, { swaps }) => sum + swaps.length, 0)).toBeGreaterThanOrEqual(8_000);
    const places = transactions.map(({ slot, index }) => slot * 1e6 + index);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(bySignature.size).toBe(transactions.length);
  });

  test("prices AMM v4 as the program does, and failed transactions move nothing", () => {
    const fee = { feeNumerator: 25, feeDenominator: 10_000 };
    const told = transactions.flatMap(({ swaps }) => swaps).filter(({ venue }) => venue === "raydium-amm-v4");
    expect(told.length).toBeGreaterThan(1_000);
    for (const { exact, reserve_in = "0", reserve_out = "0", amount_in, amount_out } of told)
      if (exact === "in")
        expect(quoteExactIn(fee, BigInt(reserve_in), BigInt(reserve_out), BigInt(amount_in))).toBe(BigInt(amount_out));
    expect(transactions.some(({ failed }) => failed)).toBe(true);
    for (const { failed, swaps } of transactions) expect(failed && swaps.length > 0).toBe(false);
  });

  test("has sandwiches of every kind and way", () => {
    const real = attacks.filter(({ sandwich }) => sandwich);
    expect(new Set(real.map(({ kind }) => kind)).size).toBe(4);
    const variants = new Set(real.flatMap((attack) => attack.variants));
    for (const one of ["split", "victims", "pools", "kept", "sells", "linked by funding", "linked by tip payer"])
      expect(variants).toContain(one);
    expect(attacks.some(({ sandwich }) => !sandwich)).toBe(true);
  });

  test("labels after the last leg what lies in the run: fronts before backs, victims between, on their pools", () => {
    for (const { sandwich, kind, fronts, backs, victims, attackers, net_lamports } of attacks) {
      if (!sandwich) continue;
      const order = (signature: string) => bySignature.get(signature as never)?.order ?? Number.NaN;
      const [lastFront, firstBack] = [Math.max(...fronts.map(order)), Math.min(...backs.map(order))];
      expect(lastFront).toBeLessThan(firstBack);
      // Those who come by chance may lie between split legs.
      for (const { signature, pool, loss } of victims) {
        expect(order(signature)).toBeGreaterThan(Math.min(...fronts.map(order)));
        expect(order(signature)).toBeLessThan(Math.max(...backs.map(order)));
        expect(bySignature.get(signature)?.row.swaps.map((swap) => swap.pool)).toContain(pool);
        expect(BigInt(loss)).toBeGreaterThan(0n);
      }
      expect(BigInt(net_lamports)).toBeGreaterThan(0n);
      expect(attackers.length).toBe(kind === "multi_wallet" ? 2 : 1);
      const legs = [...fronts, ...backs].map((signature) => bySignature.get(signature)?.row as TransactionRow);
      for (const { swaps } of legs) for (const { trader } of swaps) expect(attackers).toContain(trader);
      const slots = legs.map(({ slot }) => slot);
      if (kind === "wide") expect(Math.max(...slots)).toBeGreaterThan(Math.min(...slots));
      if (kind === "bundle" || kind === "same_slot") expect(new Set(slots).size).toBe(1);
    }
  });
});
