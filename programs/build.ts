/**
 * Builds programs/cp-swap/cp-swap.c into programs/cp-swap.so: `bun programs/build.ts`. Needs Debian's clang-22 package
 * (`apt-get install clang-22`; any LLVM with the BPF backend compiles it, but only version 22 gives the committed bytes).
 * `bun programs/build.ts --check` builds and compares with the committed file instead of writing it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { readElfObject } from "./elf-object.ts";
import { linkProgram } from "./link.ts";

const FOLDER = import.meta.dir;
export const PROGRAM_PATH = join(FOLDER, "cp-swap.so");
/** The compiler whose output is committed. */
export const COMPILER = "clang-22";
/** SBPF version 0 is the oldest BPF: mcpu v1. Frames may be as large as the machine's, 4,096 bytes. */
const FLAGS = [
  "-target",
  "bpfel",
  "-mcpu=v1",
  "-mllvm",
  "-bpf-stack-size=4096",
  "-std=c17",
  "-O2",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-jump-tables",
  "-fno-asynchronous-unwind-tables",
  "-Wall",
  "-Wextra",
  "-Werror",
];

/** Compiles and links; throws with the compiler's own words when it refuses. */
export function buildProgram(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-program-"));
  try {
    const object = join(folder, "cp-swap.o");
    // Run in the folder and with relative names, so that no path of this machine gets into the object.
    const compiled = Bun.spawnSync([COMPILER, ...FLAGS, "-c", "cp-swap.c", "-o", object], {
      cwd: join(FOLDER, "cp-swap"),
      stderr: "pipe",
    });
    if (compiled.exitCode !== 0)
      throw new Error(`Cannot build cp-swap: ${COMPILER} must compile it, was: ${compiled.stderr.toString().trim()}`);
    return linkProgram(readElfObject(readFileSync(object)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const built = buildProgram();
  if (process.argv.includes("--check")) {
    const same = Buffer.compare(built, readFileSync(PROGRAM_PATH)) === 0;
    console.log(
      same ? "programs/cp-swap.so is what its source builds" : "programs/cp-swap.so is not what its source builds",
    );
    process.exitCode = same ? 0 : 1;
  } else {
    writeFileAtomic(PROGRAM_PATH, built);
    console.log(`programs/cp-swap.so: ${built.length} bytes`);
  }
}
