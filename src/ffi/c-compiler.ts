/**
 * Turns C into a shared library with the compiler of this machine. The same source and the same compiler give the same
 * bytes. Where there is no compiler, callers fall back on the one inside Bun (openModelSource in ./model-library.ts).
 */
import { SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";

const CANDIDATES = ["cc", "gcc", "clang"] as const;
const COMPILE_MS_MAX = 120_000;
const ERROR_TEXT_MAX = 2_000;

/** Every symbol must resolve at link time and again at load time: a library that would fail on first call is no library. */
const FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-fno-math-errno", "-s"] as const;
const LINK_FLAGS = ["-Wl,-z,defs", "-Wl,-z,now", "-Wl,--build-id=none", "-lm"] as const;

export type Compiler = {
  readonly path: string;
  /** Its own first line about itself: "gcc (Debian 12.2.0-14+deb12u1) 12.2.0". */
  readonly version: string;
};

/** The first of cc, gcc and clang on the PATH that runs, or undefined. */
export function findCompiler(path = process.env["PATH"] ?? ""): Compiler | undefined {
  for (const name of CANDIDATES) {
    const found = Bun.which(name, { PATH: path });
    if (found === null) continue;
    const asked = Bun.spawnSync([found, "--version"], { stderr: "ignore", timeout: COMPILE_MS_MAX });
    const version = asked.stdout.toString().split("\n")[0]?.trim() ?? "";
    if (asked.success && version !== "") return { path: found, version };
  }
  return undefined;
}

/** Compiles one source file into the library `output`. Throws a SandpiperError with the compiler's own words. */
export function compileLibrary(compiler: Compiler, source: string, output: string): void {
  const ran = Bun.spawnSync([compiler.path, ...FLAGS, "-o", output, source, ...LINK_FLAGS], {
    stdout: "ignore",
    stderr: "pipe",
    timeout: COMPILE_MS_MAX,
  });
  if (ran.success) return;
  const words = ran.stderr.toString().replaceAll(/\s+/g, " ").trim().slice(0, ERROR_TEXT_MAX);
  throw new SandpiperError(
    FFI_ERROR.compile,
    `Cannot compile ${source}: ${compiler.path} without an error, was ${words === "" ? "no answer" : words}`,
  );
}
