/**
 * Builds the programs, programs/<name>/<name>.c into programs/<name>.so: `bun programs/build.ts`. Needs Debian's clang-22
 * package (`apt-get install clang-22`; any LLVM with the BPF backend compiles them, but only version 22 gives the committed
 * bytes). `bun programs/build.ts --check` builds and compares with the committed files instead of writing them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { readElfObject } from "./elf-object.ts";
import { linkProgram } from "./link.ts";

const FOLDER = import.meta.dir;
export const PROGRAM_NAMES = ["cp-swap", "clmm"] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];
/** Where the committed build of a program is. */
export const programPath = (name: ProgramName): string => join(FOLDER, `${name}.so`);
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

/** The program of this name, from its source. */
export const buildProgram = (name: ProgramName): Uint8Array => compileProgram(name, `${name}.c`);

/** Compiles and links one source file of a folder beside this one; throws with the compiler's words when it refuses. */
export function compileProgram(folder: string, source: string): Uint8Array {
  const scratch = mkdtempSync(join(tmpdir(), "sandpiper-program-"));
  try {
    const object = join(scratch, "program.o");
    // Run in the folder and with relative names, so that no path of this machine gets into the object.
    const compiled = Bun.spawnSync([COMPILER, ...FLAGS, "-c", source, "-o", object], {
      cwd: join(FOLDER, folder),
      stderr: "pipe",
    });
    if (compiled.exitCode !== 0)
      throw new Error(`Cannot build ${source}: ${COMPILER} must compile it, was: ${compiled.stderr.toString().trim()}`);
    return linkProgram(readElfObject(readFileSync(object)));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (import.meta.main)
  for (const name of PROGRAM_NAMES) {
    const path = programPath(name);
    const built = buildProgram(name);
    if (process.argv.includes("--check")) {
      const same = Buffer.compare(built, readFileSync(path)) === 0;
      console.log(`programs/${name}.so is ${same ? "" : "not "}what its source builds`);
      if (!same) process.exitCode = 1;
    } else {
      writeFileAtomic(path, built);
      console.log(`programs/${name}.so: ${built.length} bytes`);
    }
  }
