/**
 * Where the exchange program's bytes are: in the source tree as programs/cp-swap.so, and in a distribution beside the
 * executable, in lib/, like every other native file.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { SIM_ERROR } from "#sim/errors.ts";

/** Where `bun build --compile` puts a program's own files. */
const COMPILED_ROOT = "/$bunfs/";
const PROGRAM_FILE = "cp-swap.so";

/** Throws a SandpiperError when the file is not there. */
export function readProgramFile(): Uint8Array {
  const path = import.meta.path.startsWith(COMPILED_ROOT)
    ? join(dirname(process.execPath), "lib", PROGRAM_FILE)
    : join(import.meta.dir, "..", "..", "..", "programs", PROGRAM_FILE);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SandpiperError(
      SIM_ERROR.genesis,
      `Cannot write genesis: the exchange program at ${path}, was: ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}
