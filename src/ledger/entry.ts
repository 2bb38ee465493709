/**
 * What a leaf says: one event of the control river, as one line of JSON whose bytes are fixed by its content.
 *
 *   {"agent":"arbitrage","atNs":"1790000000000000000","kind":"ack","message":"0a…","reason":"","requestId":"r-1",
 *    "source":"control-acks-proto/r-1/17","state":"applied"}
 *
 * Canonical: the members of RFC 8785 that we need. Keys in order of their UTF-16 units, no white space, strings as
 * JSON.stringify writes them, no numbers (a 64-bit count is text), every field present. `message` is the signed message
 * itself in hex, as it came: the leaf proves what the operator or the agent signed, not our reading of it.
 * A line never holds a line feed, so a file of leaves is NDJSON. It must never hold a secret: a refused token is named by
 * its hash.
 */
import { SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";

/** Longest leaf in bytes. */
export const ENTRY_BYTES_MAX = 65_536;

/** The fields of each kind, beside `kind`, `atNs` and `source`. text: any; hex: lower case, whole bytes; map: text to text. */
const KINDS = {
  /** An accepted command, as published. */
  command: { requestId: "text", issuer: "text", keyId: "text", module: "text", action: "text", message: "hex" },
  /** An agent's signed answer. */
  ack: { requestId: "text", agent: "text", state: "text", reason: "text", message: "hex" },
  /** Limits that changed, and what they were. */
  policy: { module: "text", requestId: "text", before: "map", after: "map" },
  /** A model that an agent swapped in. */
  model: { module: "text", before: "text", after: "text", reason: "text" },
  /** A training job's answer. */
  "training-ack": { jobId: "text", state: "text", message: "text" },
  /** What the guard did by itself, and the figures that made it. */
  guard: { module: "text", action: "text", requestId: "text", reason: "text", figures: "map" },
  /** An attempt that was turned away: at which door, by which code, and what came (cut, or its hash). */
  refused: { door: "text", who: "text", code: "text", reason: "text", message: "hex" },
} as const;

/** What every kind has beside its own fields. */
const COMMON: readonly string[] = ["kind", "atNs", "source"];

type Shape = "text" | "hex" | "map";
type ValueOf<S extends Shape> = S extends "map" ? Readonly<Record<string, string>> : string;
type Kind = keyof typeof KINDS;
type EntryOf<K extends Kind> = { readonly kind: K; readonly atNs: string; readonly source: string } & {
  readonly [F in keyof (typeof KINDS)[K]]: (typeof KINDS)[K][F] extends Shape ? ValueOf<(typeof KINDS)[K][F]> : never;
};

/** One event; `atNs` is Unix time in nanoseconds, as text; `source` says where it came from, once for each event. */
export type LedgerEntry = { [K in Kind]: EntryOf<K> }[Kind];

/** The canonical bytes. Throws for what is not an entry. */
export function encodeEntry(entry: LedgerEntry): Uint8Array {
  const bytes = new TextEncoder().encode(canonicalText(checked(entry)));
  if (bytes.length > ENTRY_BYTES_MAX) refuse(`at most ${ENTRY_BYTES_MAX} bytes`, `${bytes.length}`);
  return bytes;
}

/** Reads a leaf; throws unless these are the very bytes that encodeEntry gives for it. */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  if (bytes.length > ENTRY_BYTES_MAX) refuse(`at most ${ENTRY_BYTES_MAX} bytes`, `${bytes.length}`);
  const entry = readEntry(Buffer.from(bytes).toString("utf8"));
  if (Buffer.compare(encodeEntry(entry), bytes) !== 0) refuse("canonical bytes", "other bytes for the same entry");
  return entry;
}

/** Reads an entry from any JSON text of it. */
export function readEntry(text: string): LedgerEntry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("JSON", "something else");
  }
  return checked(value);
}

function checked(value: unknown): LedgerEntry {
  if (!isRecord(value)) return refuse("an object", typeof value);
  const { kind, atNs } = value;
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) return refuse("a known kind", `${kind}`.slice(0, 40));
  if (!isText(value["source"])) return refuse("a source as text", "missing or something else");
  if (typeof atNs !== "string" || !/^(0|[1-9][0-9]{0,19})$/.test(atNs)) return refuse("atNs in nanoseconds", "not");
  // Object.hasOwn above has shown that it is one.
  const fields: Readonly<Record<string, Shape>> = KINDS[kind as Kind];
  const unknown = Object.keys(value).find((name) => !COMMON.includes(name) && !Object.hasOwn(fields, name));
  if (unknown !== undefined) refuse(`only the fields of ${kind}`, unknown.slice(0, 40));
  for (const [name, shape] of Object.entries(fields))
    if (!fits(value[name], shape)) refuse(`${kind}.${name} as ${shape}`, "missing or something else");
  // Every field was checked against the table that the type is made from.
  return value as LedgerEntry;
}

function fits(value: unknown, shape: Shape): boolean {
  if (shape === "map") return isRecord(value) && Object.entries(value).every((pair) => pair.every(isText));
  return isText(value) && (shape === "text" || /^([0-9a-f]{2})*$/.test(value));
}

/** A lone surrogate has no bytes in UTF-8. */
const isText = (value: unknown): value is string => typeof value === "string" && value.isWellFormed();

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function canonicalText(value: unknown): string {
  if (!isRecord(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(",")}}`;
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(LEDGER_ERROR.entry, `Cannot take a ledger entry: ${want}, was ${was}`);
}
