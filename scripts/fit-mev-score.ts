/**
 * `bun scripts/fit-mev-score.ts RUN…`: fits the weights of the mev score to labelled runs and writes src/mev/score-weights.ts.
 * Logistic regression by Newton's method with a ridge, one model for candidates within a slot and one for those over
 * several. Seeds that are fitted to are never judged by (docs/mev-scan.md).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLabelledRow } from "#cli/labelled-run.ts";
import { judgedFinding, matchFindings } from "#cli/mev-truth.ts";
import { textLines } from "#cli/text-lines.ts";
import type { SandwichFinding } from "#mev/finding.ts";
import { SandwichDetector } from "#mev/sandwich-detector.ts";
import { FEATURES } from "#mev/score.ts";

const RIDGE = 2;
const STEPS_MAX = 100;
const OUT = join(import.meta.dir, "../src/mev/score-weights.ts");

type Sample = { readonly x: readonly number[]; readonly y: 0 | 1 };
const samples: Record<"oneSlot" | "severalSlots", Sample[]> = { oneSlot: [], severalSlots: [] };

for (const path of process.argv.slice(2)) await collect(path);
const body = (["oneSlot", "severalSlots"] as const).map((regime) => {
  const weights = fit(samples[regime]);
  const lines = FEATURES.map(({ name }, i) => `    ${JSON.stringify(name)}: ${(weights[i] as number).toFixed(4)},`);
  const real = samples[regime].filter(({ y }) => y === 1).length;
  console.log(`${regime}: ${samples[regime].length} candidates, ${real} of them sandwiches`);
  return [`  ${regime}: {`, ...lines, "  },"].join("\n");
});
const head = `/** Written by scripts/fit-mev-score.ts; not to be edited by hand. */
type Weights = Readonly<Record<string, number>>;

export const SCORE_WEIGHTS: { readonly oneSlot: Weights; readonly severalSlots: Weights } = {`;
writeFileSync(OUT, `${head}\n${body.join("\n")}\n};\n`);

async function collect(path: string): Promise<void> {
  const detector = new SandwichDetector({ scoreMin: 0 });
  const [found, attacks]: [SandwichFinding[], Parameters<typeof matchFindings>[1][number][]] = [[], []];
  let line = 0;
  for await (const lines of textLines(path))
    for (const text of lines) {
      const row = readLabelledRow(text, `${path} line ${++line}`);
      if (row.type === "attack") attacks.push(row.attack);
      if (row.type === "transaction") found.push(...detector.see(row.transaction));
    }
  found.push(...detector.flush());
  for (const [i, { attack }] of matchFindings(found.map(judgedFinding), attacks).entries()) {
    const { evidence, legs } = found[i] as SandwichFinding;
    const values = new Map(evidence.map(({ name, value }) => [name, value]));
    const slots = legs.map(({ trade }) => trade.transaction.slot);
    const regime = Math.max(...slots) === Math.min(...slots) ? "oneSlot" : "severalSlots";
    samples[regime].push({ x: FEATURES.map(({ name }) => values.get(name) ?? 0), y: attack === undefined ? 0 : 1 });
  }
}

function fit(data: readonly Sample[]): number[] {
  const size = FEATURES.length;
  const weights = new Array<number>(size).fill(0);
  for (let step = 0; step < STEPS_MAX; step++) {
    const gradient = weights.map((weight, i) => (i === 0 ? 0 : RIDGE * weight));
    const hessian = weights.map((_, i) => weights.map((__, j) => (i === j ? (i === 0 ? 1e-6 : RIDGE) : 0)));
    for (const { x, y } of data) {
      const odds = x.reduce((sum, value, i) => sum + value * (weights[i] as number), 0);
      const p = 1 / (1 + Math.exp(-odds));
      const spread = p * (1 - p);
      for (let i = 0; i < size; i++) {
        const xi = x[i] as number;
        if (xi === 0) continue;
        gradient[i] = (gradient[i] as number) + (p - y) * xi;
        const row = hessian[i] as number[];
        for (let j = 0; j < size; j++) row[j] = (row[j] as number) + spread * xi * (x[j] as number);
      }
    }
    const move = solve(hessian, gradient);
    for (let i = 0; i < size; i++) weights[i] = (weights[i] as number) - Math.max(-3, Math.min(3, move[i] as number));
    if (Math.max(...move.map(Math.abs)) < 1e-6) break;
  }
  return weights;
}

/** Gauss with pivots. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const best = rows
      .slice(column)
      .reduce(
        (top, row, i) => (Math.abs(row[column] as number) > Math.abs(rows[top]?.[column] as number) ? column + i : top),
        column,
      );
    [rows[column], rows[best]] = [rows[best] as number[], rows[column] as number[]];
    const pivot = rows[column] as number[];
    for (const [i, row] of rows.entries()) {
      if (i === column) continue;
      const factor = (row[column] as number) / (pivot[column] as number);
      for (let j = column; j <= size; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
    }
  }
  return rows.map((row, i) => (row[size] as number) / (row[i] as number));
}
