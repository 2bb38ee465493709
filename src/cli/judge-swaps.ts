/**
 * `judge swaps FILE.csv`: recorded Raydium AMM v4 swaps against the quote of this build. A swap is right when its output
 * is what the quote gives for its input, or its input what the quote asks for its output: a recording does not say which
 * of the two the trader fixed.
 */
import { readFileSync, statSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import { AMM_V4_FEE } from "#dex/raydium-amm-v4/layout.ts";
import { CLI_ERROR } from "./errors.ts";
import { readSwapsCsv, type SwapRow } from "./swaps-csv.ts";

const FILE_BYTES_MAX = 1_073_741_824;
/** Mismatches that are named; all are counted. */
const NAMED_MAX = 20;
const FEE = { feeNumerator: AMM_V4_FEE.numerator, feeDenominator: AMM_V4_FEE.denominator };

export type Verdict = { readonly passed: number; readonly failed: number };

/** Writes the table, the mismatches and the closing line. */
export function judgeSwaps(path: string, write: (text: string) => void): Verdict {
  const rows = readSwapsCsv(readText(path), path);
  const mismatches: string[] = [];
  write("direction    pools    swaps   passed   failed\n");
  let passed = 0;
  for (const direction of ["coin_in", "pc_in"] as const) {
    const group = rows.filter((row) => row.direction === direction);
    const wrong = group.flatMap((row) => mismatch(row) ?? []);
    mismatches.push(...wrong);
    passed += group.length - wrong.length;
    const pools = new Set(group.map((row) => row.pool)).size;
    const figures = [pools, group.length, group.length - wrong.length, wrong.length];
    write(`${direction.padEnd(9)}${figures.map((figure) => String(figure).padStart(9)).join("")}\n`);
  }
  for (const text of mismatches.slice(0, NAMED_MAX)) write(`${text}\n`);
  if (mismatches.length > NAMED_MAX) write(`… and ${mismatches.length - NAMED_MAX} more\n`);
  if (rows.length === 0) write("no rows: nothing was judged\n");
  write(`${passed} passed, ${mismatches.length} failed\n`);
  return { passed, failed: mismatches.length };
}

function mismatch(row: SwapRow): string | undefined {
  const [reserveIn, reserveOut] =
    row.direction === "coin_in"
      ? [row.coinReserveBefore, row.pcReserveBefore]
      : [row.pcReserveBefore, row.coinReserveBefore];
  const out = quoteExactIn(FEE, reserveIn, reserveOut, row.amountIn);
  const asked = quoteExactOut(FEE, reserveIn, reserveOut, row.amountOut);
  // A quote of 0 is a refusal, which no recorded swap can equal.
  if ((out === row.amountOut && out > 0n) || (asked === row.amountIn && asked > 0n)) return undefined;
  return (
    `line ${row.line}: pool ${row.pool} ${row.direction} in ${row.amountIn} out ${row.amountOut}; ` +
    `the quote pays ${out} for that input and asks ${asked} for that output; signature ${row.signature}`
  );
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size <= FILE_BYTES_MAX) return readFileSync(path, "utf8");
    throw new SandpiperError(CLI_ERROR.csv, `Cannot read ${path}: at most ${FILE_BYTES_MAX} bytes, was ${size}`);
  } catch (cause) {
    if (cause instanceof SandpiperError) throw cause;
    throw new SandpiperError(CLI_ERROR.csv, `Cannot read ${path}: a readable file, was ${errorText(cause)}`, "never", {
      cause,
    });
  }
}
