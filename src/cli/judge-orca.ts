/**
 * `judge orca DIR`: the cases of Orca's own swap tests against the curve of this build. Every file ending in .json or
 * .json.gz in DIR is judged; one that cannot be read is a failure by name. A case passes when all seven results are
 * equal, or the refusal's name is the expected one.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { TICK_ARRAY_TICKS } from "#dex/orca-whirlpool/layout.ts";
import { TICK_INDEX_MAX, TICK_INDEX_MIN } from "#dex/orca-whirlpool/limits.ts";
import { swapOnCurve } from "#dex/orca-whirlpool/swap.ts";
import { sqrtPriceFromTickIndex } from "#dex/orca-whirlpool/tick-math.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";
import { type OrcaCase, type OrcaOutcome, readOrcaCases } from "./orca-cases.ts";

const FILE_BYTES_MAX = 268_435_456;
const FILES_MAX = 10_000;
/** Mismatches that are named; all are counted. */
const NAMED_MAX = 20;
/** The clock of the official test. */
const UNIX_SECONDS = 1_643_027_024n;
const SEQUENCE_ARRAYS = 3;
const NO_TICKS: readonly undefined[] = new Array(TICK_ARRAY_TICKS).fill(undefined);

/** Writes a row per file and expected outcome, the first mismatches and the closing line. */
export function judgeOrca(folder: string, write: (text: string) => void): Verdict {
  const mismatches: string[] = [];
  let passed = 0;
  let failed = 0;
  const count = (file: string, group: string, total: number, wrong: readonly string[]): void => {
    passed += total - wrong.length;
    failed += wrong.length;
    mismatches.push(...wrong.slice(0, NAMED_MAX - mismatches.length));
    write(row(file, group, [total, total - wrong.length, wrong.length]));
  };
  write(row("file", "expected", ["cases", "passed", "failed"]));
  for (const name of caseFiles(folder)) {
    const cases = readCases(join(folder, name));
    if (typeof cases === "string") count(name, "unreadable", 1, [`${name}: ${cases}`]);
    else
      for (const [group, members] of byExpectation(cases))
        count(
          name,
          group,
          members.length,
          members.flatMap((item) => mismatch(item, name) ?? []),
        );
  }
  for (const text of mismatches) write(`${text}\n`);
  if (failed > mismatches.length) write(`… and ${failed - mismatches.length} more\n`);
  if (passed + failed === 0) write("no cases: nothing was judged\n");
  write(`${passed} passed, ${failed} failed\n`);
  return { passed, failed };
}

/** What this build does in a case, built as the official test builds it: three arrays without ticks, one amount. */
function outcomeOf(item: OrcaCase): string | OrcaOutcome {
  const { aToB, tickSpacing, currTickIndex } = item;
  const ticksInArray = TICK_ARRAY_TICKS * tickSpacing;
  const start = Math.floor(currTickIndex / ticksInArray) * ticksInArray;
  const last = aToB ? start - 2 * ticksInArray : start + 3 * ticksInArray - 1;
  const fill = swapOnCurve(
    {
      tickSpacing,
      feeRate: item.feeRate,
      protocolFeeRate: item.protocolFeeRate,
      liquidity: item.liquidity,
      sqrtPrice: sqrtPriceFromTickIndex(currTickIndex),
      tickCurrentIndex: currTickIndex,
      feeGrowthGlobalA: 0n,
      feeGrowthGlobalB: 0n,
      rewardLastUpdatedTimestamp: 0n,
      rewardInfos: [],
    },
    Array.from({ length: SEQUENCE_ARRAYS }, (_, i) => ({
      startTickIndex: start + (aToB ? -i : i) * ticksInArray,
      ticks: NO_TICKS,
    })),
    {
      amount: item.tradeAmount,
      sqrtPriceLimit: sqrtPriceFromTickIndex(Math.min(Math.max(last, TICK_INDEX_MIN), TICK_INDEX_MAX)),
      exactIn: item.amountIsInput,
      aToB,
      unixSeconds: UNIX_SECONDS,
    },
    undefined,
  );
  if ("custom" in fill) return fill.name;
  return {
    amountA: aToB ? fill.amountIn : fill.amountOut,
    amountB: aToB ? fill.amountOut : fill.amountIn,
    nextLiquidity: fill.liquidity,
    nextTickIndex: BigInt(fill.tickCurrentIndex),
    nextSqrtPrice: fill.sqrtPrice,
    nextFeeGrowthGlobal: fill.feeGrowthGlobal,
    nextProtocolFee: fill.protocolFee,
  };
}

function mismatch(item: OrcaCase, file: string): string | undefined {
  const outcome = outcomeOf(item);
  const differences = differencesOf(item.expected, outcome);
  if (differences === "") return undefined;
  return `${file}: testId ${item.testId}: ${differences}; ${item.description}`;
}

function differencesOf(expected: string | OrcaOutcome, outcome: string | OrcaOutcome): string {
  if (typeof expected === "string" || typeof outcome === "string")
    return expected === outcome ? "" : `expected ${headline(expected)}, was ${headline(outcome)}`;
  // Both have the same keys, which the type of Object.keys cannot say.
  return (Object.keys(expected) as (keyof OrcaOutcome)[])
    .filter((name) => expected[name] !== outcome[name])
    .map((name) => `${name} expected ${expected[name]}, was ${outcome[name]}`)
    .join("; ");
}

const headline = (outcome: string | OrcaOutcome): string =>
  typeof outcome === "string" ? outcome : `${outcome.amountA} of A and ${outcome.amountB} of B`;

/** Fills first, then each refusal. */
function byExpectation(cases: readonly OrcaCase[]): ReadonlyMap<string, readonly OrcaCase[]> {
  const groups = new Map<string, OrcaCase[]>([["fills", []]]);
  for (const item of cases) {
    const group = typeof item.expected === "string" ? item.expected : "fills";
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [item]);
    else members.push(item);
  }
  return groups;
}

/** The cases, or why they cannot be read. */
function readCases(path: string): readonly OrcaCase[] | string {
  try {
    const { size } = statSync(path);
    return size > FILE_BYTES_MAX
      ? `Cannot read swap cases: at most ${FILE_BYTES_MAX} bytes, was ${size}`
      : readOrcaCases(readFileSync(path));
  } catch (thrown) {
    return errorText(thrown);
  }
}

function caseFiles(folder: string): readonly string[] {
  const refuse = (want: string, was: string): never => {
    throw new SandpiperError(CLI_ERROR.orcaCases, `Cannot read ${folder}: ${want}, was ${was}`);
  };
  const list = (): readonly string[] => {
    try {
      return readdirSync(folder);
    } catch (cause) {
      return refuse("a folder that can be listed", errorText(cause));
    }
  };
  const files = list().filter((name) => name.endsWith(".json") || name.endsWith(".json.gz"));
  return files.length > FILES_MAX ? refuse(`at most ${FILES_MAX} files`, `${files.length}`) : files.toSorted();
}

const row = (file: string, group: string, cells: readonly (string | number)[]): string =>
  `${file.padEnd(40)} ${group.padEnd(34)}${cells.map((cell) => String(cell).padStart(9)).join("")}\n`;
