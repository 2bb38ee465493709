/**
 * The CSV of recorded AMM v4 swaps (docs/judges.md): one header line, one line per swap, plain values without quotes.
 * Read strictly: a line that is not exactly of this form ends the reading with its number.
 */
import { SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";

export const SWAPS_CSV_COLUMNS = [
  "tx_index",
  "signature",
  "fee_payer",
  "pool",
  "direction",
  "amount_in",
  "amount_out",
  "coin_reserve_before",
  "pc_reserve_before",
] as const;

export type SwapRow = {
  /** Line of the file, the header being 1. */
  readonly line: number;
  readonly signature: string;
  readonly pool: string;
  readonly direction: "coin_in" | "pc_in";
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly coinReserveBefore: bigint;
  readonly pcReserveBefore: bigint;
};

const ROWS_MAX = 5_000_000;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const SIGNATURE = /^[1-9A-HJ-NP-Za-km-z]{64,88}$/;
const WHOLE = /^\d{1,20}$/;

/** Throws a SandpiperError that names the line; `name` is the file, for people. */
export function readSwapsCsv(text: string, name: string): SwapRow[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const header = SWAPS_CSV_COLUMNS.join(",");
  if (lines[0] !== header) refuse(name, 1, `the header ${header}`, lines[0] ?? "");
  if (lines.length - 1 > ROWS_MAX) refuse(name, ROWS_MAX + 2, `at most ${ROWS_MAX} rows`, `${lines.length - 1}`);
  return lines.slice(1).map((line, i) => readRow(line, i + 2, name));
}

function readRow(text: string, line: number, name: string): SwapRow {
  const cells = text.split(",");
  if (cells.length !== SWAPS_CSV_COLUMNS.length)
    refuse(name, line, `${SWAPS_CSV_COLUMNS.length} values`, `${cells.length}`);
  const cell = (column: (typeof SWAPS_CSV_COLUMNS)[number], pattern: RegExp, want: string): string => {
    const value = cells[SWAPS_CSV_COLUMNS.indexOf(column)] ?? "";
    return pattern.test(value) ? value : refuse(name, line, `${column} to be ${want}`, value);
  };
  const units = (column: (typeof SWAPS_CSV_COLUMNS)[number]): bigint => {
    const value = BigInt(cell(column, WHOLE, "a whole number"));
    return value <= U64_MAX ? value : refuse(name, line, `${column} to fit 64 bits`, `${value}`);
  };
  units("tx_index");
  cell("fee_payer", ADDRESS, "an address");
  return {
    line,
    signature: cell("signature", SIGNATURE, "a signature"),
    pool: cell("pool", ADDRESS, "an address"),
    direction: cell("direction", /^(coin_in|pc_in)$/, "coin_in or pc_in") === "coin_in" ? "coin_in" : "pc_in",
    amountIn: units("amount_in"),
    amountOut: units("amount_out"),
    coinReserveBefore: units("coin_reserve_before"),
    pcReserveBefore: units("pc_reserve_before"),
  };
}

function refuse(name: string, line: number, want: string, was: string): never {
  const shown = JSON.stringify(was.length > 80 ? `${was.slice(0, 80)}…` : was);
  throw new SandpiperError(CLI_ERROR.csv, `Cannot read ${name} line ${line}: ${want}, was ${shown}`);
}
