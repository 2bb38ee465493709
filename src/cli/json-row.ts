/** Fields of a row of foreign JSON. Each throws a TypeError that names the field and what it was. */

export type JsonRow = Readonly<Record<string, unknown>>;

export const field = (row: JsonRow, name: string): unknown =>
  row !== null && typeof row === "object" && Object.hasOwn(row, name) ? row[name] : undefined;

export function textOf(row: JsonRow, name: string): string {
  const value = field(row, name);
  if (typeof value === "string") return value;
  throw new TypeError(`${name} ${JSON.stringify(value)}`);
}

/** A whole number written as text. */
export function wholeOf(row: JsonRow, name: string): bigint {
  const text = textOf(row, name);
  if (/^-?[0-9]{1,40}$/.test(text)) return BigInt(text);
  throw new TypeError(`${name} ${JSON.stringify(text)}`);
}

export function listOf(row: JsonRow, name: string): JsonRow[] {
  const value = field(row, name);
  if (Array.isArray(value) && value.every((item) => item !== null && typeof item === "object")) return value;
  throw new TypeError(`${name} ${JSON.stringify(value)}`);
}
