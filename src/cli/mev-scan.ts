/**
 * `sandpiper mev scan FILE|FOLDER [--json]`: sandwiches and atomic arbitrages in recorded blocks, in one pass over them.
 * For people a table with the reasons; with --json one finding per line (docs/judges.md).
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { blockFiles, readBlockFile } from "#market/block-file.ts";
import type { RecordedBlock } from "#market/block-shape.ts";
import { decodeSwaps, type MarketSwap } from "#market/swaps.ts";
import { type ArbitrageFinding, findArbitrage } from "#mev/arbitrage-finder.ts";
import type { SandwichFinding } from "#mev/finding.ts";
import { readMevTransaction } from "#mev/read-transaction.ts";
import { DETECTOR_DEFAULTS, type DetectorOptions, SandwichDetector } from "#mev/sandwich-detector.ts";
import type { PoolReading } from "#mev/trade.ts";
import { CLI_ERROR } from "./errors.ts";
import { runMevBackruns } from "./mev-backruns.ts";
import { findingLine, findingText, type ScanCounts, summaryText } from "./mev-output.ts";
import { runMevSimulate } from "./mev-simulate.ts";

const WINDOW_SLOTS_MAX = 100_000;

type Found = SandwichFinding | ArbitrageFinding;
type Command = { readonly path: string; readonly json: boolean; readonly options: Partial<DetectorOptions> };

/** Answers the exit code. Throws a SandpiperError for input that cannot be read. */
export async function runMev(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  if (args[0] === "backruns") return runMevBackruns(args.slice(1), write);
  if (args[0] === "simulate") return runMevSimulate(args.slice(1), write);
  const { path, json, options } = readCommand(args);
  const counts = scan(path, options, (finding) => write(json ? findingLine(finding) : findingText(finding)));
  if (!json) write(summaryText(counts));
  return EXIT_CODE.ok;
}

function readCommand(args: readonly string[]): Command {
  const [what, ...rest] = args;
  const number = (name: string, fallback: number, max: number) => {
    const at = rest.indexOf(name);
    if (at < 0) return fallback;
    const [, text = ""] = rest.splice(at, 2);
    const value = Number(text);
    return text !== "" && value >= 0 && value <= max ? value : usage(args, `${name} from 0 to ${max}`);
  };
  const windowSlots = number("--window-slots", DETECTOR_DEFAULTS.windowSlots, WINDOW_SLOTS_MAX);
  const scoreMin = number("--score-min", DETECTOR_DEFAULTS.scoreMin, 1);
  const paths = rest.filter((arg) => arg !== "--json");
  const [path] = paths;
  if (what !== "scan" || path === undefined || paths.length > 1 || path.startsWith("--"))
    return usage(args, "scan FILE|FOLDER [--json] [--window-slots N] [--score-min X], or simulate, or backruns");
  return { path, json: rest.includes("--json"), options: { windowSlots, scoreMin } };
}

function usage(args: readonly string[], want: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot run mev: ${want}, was ${JSON.stringify(args.join(" "))}`);
}

function scan(path: string, options: Partial<DetectorOptions>, give: (finding: Found) => void): ScanCounts {
  const detector = new SandwichDetector(options);
  const counts = { blocks: 0, transactions: 0, failed: 0, unreadable: 0, sandwiches: 0, arbitrages: 0 };
  const sandwiches = (found: readonly SandwichFinding[]) => {
    counts.sandwiches += found.length;
    for (const finding of found) give(finding);
  };
  let last: RecordedBlock | undefined;
  for (const file of blockFiles(path)) {
    const block = readBlockFile(file);
    if (last !== undefined && block.slot <= last.slot)
      throw new SandpiperError(CLI_ERROR.usage, `Cannot scan ${file}: a slot after ${last.slot}, was ${block.slot}`);
    last = block;
    counts.blocks++;
    for (const executed of block.transactions) {
      counts.transactions++;
      if (executed.failed) counts.failed++;
      if (executed.vote) continue;
      const { transaction, unreadable } = readMevTransaction(executed, readingsOf(decodeSwaps(executed).swaps));
      counts.unreadable += unreadable;
      sandwiches(detector.see(transaction));
      const arbitrage = findArbitrage(executed, transaction, (mint, amount) => detector.prices.lamports(mint, amount));
      if (arbitrage === undefined) continue;
      counts.arbitrages++;
      give(arbitrage);
    }
  }
  sandwiches(detector.flush());
  return { ...counts, ...detector.counters };
}

/** Only swaps whose logs tell the reserves they found. */
function readingsOf(swaps: readonly MarketSwap[]): ReadonlyMap<number, PoolReading> {
  return new Map(
    swaps.map(({ instructionIndex, inputSide, reservesBefore: [side0, side1], amountIn, amountOut, kind }) => [
      instructionIndex,
      {
        reserveIn: inputSide === 0 ? side0 : side1,
        reserveOut: inputSide === 0 ? side1 : side0,
        amountIn,
        amountOut,
        exact: kind === "base-in" ? "in" : "out",
      },
    ]),
  );
}
