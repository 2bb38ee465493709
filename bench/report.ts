/** What the benches share: medians, a table, and what else the machine was doing. */
import { cpus, loadavg } from "node:os";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** Median, 99th percentile and largest, to print. */
export function spread(values: readonly number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => short(sorted[Math.ceil((sorted.length - 1) * share)] ?? Number.NaN));
}

/** Three significant digits. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Rows under a head, as Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** One line to stand under a table: figures without it say little. */
export function machine(): string {
  const processors = cpus();
  return `Bun ${Bun.version}, ${processors.length} × ${processors[0]?.model ?? "unknown"}, load ${loadavg().map(short).join(" ")}`;
}
