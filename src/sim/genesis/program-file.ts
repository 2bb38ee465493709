/**
 * Where the bytes of the exchange programs are: in the source tree as programs/<name>.so, and in a distribution beside the
 * executable, in lib/, like every other native file.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { SIM_ERROR } from "#sim/errors.ts";

/** Where `bun build --compile` puts a program's own files. */
const COMPILED_ROOT = "/$bunfs/";

/** Throws a SandpiperError when the file is not there. */
export function readProgramFile(name: "cp-swap" | "clmm"): Uint8Array {
  const file = `${name}.so`;
  const path = import.meta.path.startsWith(COMPILED_ROOT)
    ? join(dirname(process.execPath), "lib", file)
    : join(import.meta.dir, "..", "..", "..", "programs", file);
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
