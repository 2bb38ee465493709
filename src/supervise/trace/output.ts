/**
 * What `bpftrace -f json` writes, a line each: {"type": "hist", "data": {"@map": buckets}}, or {"@map": {"key": buckets}}
 * where the map has keys; buckets are [{"min": 8, "max": 15, "count": 3}, …], powers of two. {"type": "map", …} is the
 * same with a number in place of the buckets. Empty lines stand for maps that are empty.
 */
import type { TraceHistogram } from "#core/trace-report.ts";

type Buckets = TraceHistogram["buckets"];
type Bucket = { readonly min?: number; readonly max?: number; readonly count: number };
type Printed = { readonly type: string; readonly data?: Readonly<Record<string, unknown>> };

/** By map, by key; a map without keys has the one key "". */
export type TraceMaps = {
  readonly histograms: Map<string, Map<string, Buckets>>;
  readonly numbers: Map<string, Map<string, number>>;
};

/** Takes one line; says whether it tells that the probes are attached. */
export function takeLine(maps: TraceMaps, line: string): boolean {
  if (!line.startsWith("{")) return false;
  const { type, data = {} } = JSON.parse(line) as Printed;
  for (const [map, value] of Object.entries(data)) {
    if (type === "hist") maps.histograms.set(map, byKey(value, Array.isArray, bucketsOf));
    if (type === "map")
      maps.numbers.set(
        map,
        byKey(value, isNumber, (number) => number),
      );
  }
  return type === "attached_probes";
}

/** Ours alone write what is read here: bpftrace of the machine, our own programs. */
function byKey<Raw, Value>(value: unknown, isOne: (value: unknown) => value is Raw, read: (raw: Raw) => Value) {
  const entries = isOne(value) ? [["", value] as const] : Object.entries(value as Readonly<Record<string, Raw>>);
  return new Map(entries.map(([key, raw]) => [key, read(raw)]));
}

const isNumber = (value: unknown): value is number => typeof value === "number";

/** Values are whole µs, so what is at most `max` is below the next. A bucket without `min` is of negative ones: there are none. */
function bucketsOf(raw: readonly Bucket[]): Buckets {
  return raw.flatMap(({ min, max, count }) =>
    min === undefined || count === 0 ? [] : [[max === undefined ? Number.MAX_SAFE_INTEGER : max + 1, count] as const],
  );
}
