/** Compiles the native yardsticks into a folder that is gone with the process, with the flags a C++ user would choose. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of the executable made from bench/native/`name`. Needs gcc or g++. */
export function compileNative(name: string, flags: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const compiler = name.endsWith(".cpp") ? "g++" : "gcc";
  const standard = name.endsWith(".cpp") ? "-std=c++20" : "-std=gnu11";
  const output = join(folder, "native");
  const source = join(import.meta.dir, "native", name);
  const ran = Bun.spawnSync([compiler, standard, "-O3", "-pthread", "-o", output, source, ...flags]);
  if (!ran.success)
    throw new Error(`Cannot compile ${name}: ${compiler} without an error, was ${ran.stderr.toString()}`);
  return output;
}
