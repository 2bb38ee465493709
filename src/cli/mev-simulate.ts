/** `sandpiper mev simulate --seed S --swaps N --out FILE`: writes a labelled run (docs/labelled-runs.md), gzipped for FILE.gz. */
import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { writeLabelledRun } from "#sim/labelled/labelled-run.ts";
import { CLI_ERROR } from "./errors.ts";

const SWAPS_MAX = 100_000_000;
const CHUNK_CHARS = 4_194_304;
const GZIP = { level: 1 };

type Command = { readonly seed: string; readonly swaps: number; readonly out: string };

/** The file is there when it is whole. Throws a SandpiperError when it cannot be written. */
export function runMevSimulate(args: readonly string[], write: (text: string) => void): number {
  const { seed, swaps, out } = readCommand(args);
  const half = `${out}.partial`;
  const counts = { transactions: 0, sandwiches: 0, attempts: 0, swaps: 0 };
  try {
    const file = openSync(half, "w");
    let [parts, chars]: [string[], number] = [[], 0];
    const flush = () => {
      const text = parts.join("");
      // Gzip members one after another are one gzip file.
      writeWhole(file, out.endsWith(".gz") ? gzipSync(text, GZIP) : Buffer.from(text));
      [parts, chars] = [[], 0];
    };
    counts.swaps = writeLabelledRun({ seed, swaps }, (row) => {
      if (row.type === "transaction") counts.transactions++;
      if (row.type === "attack") counts[row.sandwich ? "sandwiches" : "attempts"]++;
      const line = `${JSON.stringify(row)}\n`;
      parts.push(line);
      chars += line.length;
      if (chars >= CHUNK_CHARS) flush();
    });
    flush();
    closeSync(file);
    renameSync(half, out);
  } catch (cause) {
    throw new SandpiperError(
      CLI_ERROR.output,
      `Cannot write ${out}: a file that can be written, was ${errorText(cause)}`,
    );
  }
  write(
    `${out}: ${counts.swaps} swaps in ${counts.transactions} transactions, ${counts.sandwiches} sandwiches, ${counts.attempts} attempts without victim or profit\n`,
  );
  return EXIT_CODE.ok;
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

function readCommand(args: readonly string[]): Command {
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) flags.set(args[i] ?? "", args[i + 1] ?? "");
  const [seed, out, swaps] = [flags.get("--seed"), flags.get("--out"), Number(flags.get("--swaps"))];
  if (
    seed &&
    out &&
    flags.size === 3 &&
    args.length === 6 &&
    Number.isInteger(swaps) &&
    swaps >= 1 &&
    swaps <= SWAPS_MAX
  )
    return { seed, swaps, out };
  throw new SandpiperError(
    CLI_ERROR.usage,
    `Cannot run mev simulate: --seed TEXT --swaps 1 to ${SWAPS_MAX} --out FILE, was ${JSON.stringify(args.join(" "))}`,
  );
}
