/**
 * `judge model LIB.so GOLDEN.csv`: whether a model library is one that Sandpiper would load, and whether it answers what
 * its trainer's own predictor answers. Everything is asked in a child process; a library that ends it is a failure.
 */
import { existsSync, statSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { tryModelLibrary } from "#ffi/model-library.ts";
import { PARITY_MAX } from "#ffi/model-trial.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";

const GOLDEN_BYTES_MAX = 256 * 1024 * 1024;

/** Writes a row per check and function, and the closing line. */
export async function judgeModel(library: string, write: (text: string) => void, golden = ""): Promise<Verdict> {
  if (golden === "")
    throw new SandpiperError(CLI_ERROR.usage, "Cannot judge a model: golden rows behind the library, was one path");
  const bytes = existsSync(golden) ? statSync(golden).size : 0;
  if (bytes === 0 || bytes > GOLDEN_BYTES_MAX)
    throw new SandpiperError(
      CLI_ERROR.golden,
      `Cannot read ${golden}: golden rows, 1 to ${GOLDEN_BYTES_MAX} bytes, was ${bytes}`,
    );
  const row = (what: string, cells: readonly (string | number)[]) =>
    write(`${what.padEnd(20)}${cells.map((cell) => String(cell).padStart(14)).join("")}\n`);
  row("check", ["rows", "passed", "failed", "largest"]);
  const close = (passed: number, failed: number): Verdict => {
    write(`${passed} passed, ${failed} failed\n`);
    return { passed, failed };
  };
  try {
    const report = await tryModelLibrary(library, ["predict_mev"], golden);
    row("abi", [1, 1, 0, "-"]);
    let [passed, failed] = [1, 0];
    for (const { name, rows, differing, largest, worstLine } of report.parity) {
      row(name, [rows, rows - differing, differing, largest.toExponential(2)]);
      if (differing > 0) write(`${name}: line ${worstLine} differs most, by more than ${PARITY_MAX}\n`);
      passed += rows - differing;
      failed += differing;
    }
    write(
      `${report.featureCount} features, threshold ${report.defaultThreshold}, has ${report.has.join(", ")}; one row through bun:ffi: p50 ${report.latencyNsP50} ns, p99 ${report.latencyNsP99} ns\n`,
    );
    return close(passed, failed);
  } catch (thrown) {
    if (!(thrown instanceof SandpiperError)) throw thrown;
    row("abi", [1, 0, 1, "-"]);
    write(`${errorText(thrown)}\n`);
    return close(0, 1);
  }
}
