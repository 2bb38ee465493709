/**
 * The congestion controllers of the native TPU engine have tests in Rust: this one runs them (`cargo test -p
 * sandpiper-congestion`, half a minute on a clean machine), so that a failure of theirs fails the suite. Without cargo it is
 * skipped, loudly: .ci/run does not build native/ then either.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";

const NATIVE = join(import.meta.dir, "..", "native");
/** It fetches and compiles two dozen crates on a clean machine. */
const TIMEOUT_MS = 600_000;
const skipped = Bun.which("cargo") === null;
if (skipped) process.stderr.write("SKIPPED: the tests of native/congestion, because there is no cargo on the PATH\n");

test.skipIf(skipped)(
  "cargo test -p sandpiper-congestion passes",
  async () => {
    const child = Bun.spawn(["cargo", "test", "--locked", "--release", "-p", "sandpiper-congestion"], {
      cwd: NATIVE,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`cargo test ended with ${code}\n${output}\n${errors}`);
    const ran = [...output.matchAll(/^test result: ok\. (\d+) passed; 0 failed; 0 ignored;/gm)];
    expect(ran.reduce((sum, [, passed]) => sum + Number(passed), 0)).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
