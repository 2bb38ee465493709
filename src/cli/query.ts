/**
 * `sandpiper query SQL | NAME [column=value …] [--json] [--limit N]`: one statement that reads, in ClickHouse's
 * words, or a named view, of which the given columns must have the given values. It prints a table for people, or one
 * JSON object a line. 64-bit integers are exact in both: JSON has them as text.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { DATABASE, type Store } from "#store/client.ts";
import { NAMED_VIEWS } from "#store/named-views.ts";
import { openStore } from "#store/open.ts";
import { CLI_ERROR } from "./errors.ts";

type Row = Readonly<Record<string, unknown>>;
type Asked = {
  readonly text: string;
  readonly filters: readonly (readonly [column: string, value: string])[];
  readonly json: boolean;
  readonly limit: number;
  /** The rest: flags of the configuration. */
  readonly flags: readonly string[];
};

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 100_000;
/** Characters of one cell in a table; JSON is whole. */
const CELL_LENGTH_MAX = 60;

export async function runQuery(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    process.stdout.write(usage());
    return EXIT_CODE.usage;
  }
  const asked = readArguments(args);
  const config = await readConfigWithSecrets(asked.flags, process.env);
  const store = openStore(config, runPaths(config.dataDir));
  try {
    const rows = await ask(store, asked);
    process.stdout.write(asked.json ? rows.map((row) => `${JSON.stringify(row)}\n`).join("") : tableOf(rows));
    return EXIT_CODE.ok;
  } finally {
    await store.close();
  }
}

const usage = () =>
  [
    "usage: sandpiper query SQL | NAME [column=value …] [--json] [--limit N] [flags]",
    "",
    ...Object.entries(NAMED_VIEWS).map(([name, about]) => `  ${name.padEnd(20)} ${about}`),
    "",
  ].join("\n");

function readArguments(args: readonly string[]): Asked {
  const words: string[] = [];
  const flags: string[] = [];
  let json = false;
  let limit = LIMIT_DEFAULT;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === "--json") json = true;
    else if (arg === "--limit") limit = readLimit(args[++i]);
    else if (arg.startsWith("--limit=")) limit = readLimit(arg.slice("--limit=".length));
    else if (arg.startsWith("--")) {
      flags.push(arg);
      if (!arg.includes("=") && args[i + 1] !== undefined) flags.push(args[++i] as string);
    } else words.push(arg);
  }
  const [text, ...filters] = words;
  if (text === undefined) refuse("SQL or the name of a view", "nothing");
  return { text, filters: filters.map(readFilter), json, limit, flags };
}

function readLimit(text: string | undefined): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    refuse(`--limit from 1 to ${LIMIT_MAX}`, String(text));
  return limit;
}

function readFilter(word: string): readonly [string, string] {
  const found = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(word);
  if (!found) refuse("column=value after the name of a view", word);
  return [found[1] as string, found[2] as string];
}

/** A view's values are compared as text, so that any column can be asked for; SQL may only read. */
function ask(store: Store, { text, filters, limit }: Asked): Promise<Row[]> {
  if (/\s/.test(text.trim())) {
    if (filters.length > 0) refuse("SQL alone, with its conditions inside", filters.map(([name]) => name).join(", "));
    const sql = text.trim().replace(/;$/, "");
    return store.query<Row>(sql, undefined, { readonly: "2", limit: String(limit) });
  }
  if (!Object.hasOwn(NAMED_VIEWS, text)) refuse(`one of ${Object.keys(NAMED_VIEWS).join(", ")}, or SQL`, text);
  const where = filters.map(([column], i) => `toString(\`${column}\`) = {value${i}:String}`);
  const params = Object.fromEntries(filters.map(([, value], i) => [`value${i}`, value]));
  return store.query<Row>(
    `SELECT * FROM ${DATABASE}.${text} ${where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""} LIMIT ${limit}`,
    params,
  );
}

/** Columns as wide as their widest cell, numbers to the right. */
function tableOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (!first) return "no rows\n";
  const columns = Object.keys(first);
  const lines = [columns, ...rows.map((row) => columns.map((column) => cellOf(row[column])))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)));
  const isRight = columns.map((column) => rows.every((row) => /^-?[\d.]+(e[-+]?\d+)?$/.test(cellOf(row[column]))));
  const aligned = lines.map((line) =>
    line.map((cell, i) => (isRight[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  "),
  );
  return `${aligned.map((line) => line.trimEnd()).join("\n")}\n`;
}

function cellOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // A row is a line: what would break it, or act on a terminal, is shown as a space.
  const line = text.replaceAll(/\p{Cc}/gu, " ");
  return line.length > CELL_LENGTH_MAX ? `${line.slice(0, CELL_LENGTH_MAX - 1)}…` : line;
}

function refuse(must: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot query: ${must}, was ${was}`, "never");
}
