/** Families of /metrics in Prometheus' text format 0.0.4: each has its help and its type, with samples or without. */

export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number | bigint | string };

/** One histogram of a family: counts of its buckets, each with all that is below, and what all have together. */
export type HistogramSample = {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly (readonly [le: string, count: number])[];
  readonly count: number;
  readonly sum: number;
};

export const gauge = (name: string, help: string, samples: readonly Sample[]) => family(name, "gauge", help, samples);
export const summary = (name: string, help: string, samples: readonly Sample[]) =>
  family(name, "summary", help, samples);
export const counter = (name: string, help: string, samples: readonly Sample[]) =>
  family(name, "counter", help, samples);
export const optional = (value: number | string | null): Sample[] => (value === null ? [] : [{ value }]);
export const quantile = (label: string, ms: number | null): Sample[] =>
  ms === null ? [] : [{ labels: { quantile: label }, value: ms / 1_000 }];

/** Buckets must be in order, without the last one: +Inf holds all there is. */
export function histogram(name: string, help: string, samples: readonly HistogramSample[]): string {
  const full = `sandpiper_${name}`;
  const lines = samples.flatMap(({ labels, buckets, count, sum }) => [
    ...[...buckets, ["+Inf", count] as const].map(
      ([le, up]) => `${full}_bucket${labelText({ ...labels, le })} ${up}\n`,
    ),
    `${full}_sum${labelText(labels)} ${sum}\n`,
    `${full}_count${labelText(labels)} ${count}\n`,
  ]);
  return `${head(full, "histogram", help)}${lines.join("")}`;
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const full = `sandpiper_${name}`;
  const lines = samples.map(({ labels, value }) => `${full}${labelText(labels)} ${value}\n`);
  return `${head(full, type, help)}${lines.join("")}`;
}

const head = (full: string, type: string, help: string) => `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n`;

function labelText(labels: Sample["labels"]): string {
  if (!labels || Object.keys(labels).length === 0) return "";
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",")}}`;
}

const escapeLabel = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
