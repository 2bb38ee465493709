/**
 * The gate: format and lint, types, generated code up to date, nothing unused, tests. Runs all of it even when one part
 * fails, and says at the end what did. `--without-tests` leaves the tests to the caller.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const BIN = join(ROOT, "node_modules", ".bin");

async function run(command: readonly string[]): Promise<boolean> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    env: { ...process.env, PATH: `${BIN}:${process.env["PATH"]}` },
  });
  return (await child.exited) === 0;
}

/** True when generating the protobuf code again gives the very files that are committed. */
async function generatedIsCurrent(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-generated-"));
  try {
    if (!(await run(["buf", "generate", "--output", folder]))) return false;
    const fresh = join(folder, "src", "wire", "gen");
    const committed = join(ROOT, "src", "wire", "gen");
    const names = [...new Set([...readdirSync(fresh), ...readdirSync(committed)])];
    const read = (path: string) => {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    };
    const stale = names.filter((name) => read(join(fresh, name)) !== read(join(committed, name)));
    for (const name of stale)
      process.stdout.write(`src/wire/gen/${name} is not what proto/ gives: run bun run generate\n`);
    return stale.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const steps: readonly [name: string, check: () => Promise<boolean>][] = [
  ["format and lint", () => run(["biome", "ci", "."])],
  ["proto lint", () => run(["buf", "lint"])],
  ["types", () => run(["tsc", "--noEmit"])],
  ["generated code", generatedIsCurrent],
  ["unused code", () => run(["knip"])],
  ["tests", () => run([process.execPath, "test/run.ts"])],
];

const failed: string[] = [];
for (const [name, check] of steps) {
  if (name === "tests" && process.argv.includes("--without-tests")) continue;
  process.stdout.write(`\n── ${name}\n`);
  if (!(await check())) failed.push(name);
}
process.stdout.write(failed.length === 0 ? "\nok\n" : `\nnot ok: ${failed.join(", ")}\n`);
process.exit(failed.length === 0 ? 0 : 1);
