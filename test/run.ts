/**
 * Runs every test and ends with `N passed, N failed, N skipped`, the line that CI reads: bun:test's own closing lines are
 * not one. The counts are those of its junit report. Further arguments go to `bun test`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-test-"));
const report = join(folder, "junit.xml");
/** For a test that names no limit of its own: a noisy machine may take ten times as long as a quiet one. */
const TIMEOUT_MS = 60_000;
const child = Bun.spawn(
  [
    process.execPath,
    "test",
    `--timeout=${TIMEOUT_MS}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...process.argv.slice(2),
  ],
  { stdin: "ignore", stdout: "inherit", stderr: "inherit" },
);
const exitCode = await child.exited;

/** Reads a count from the report's root element. */
function countOf(xml: string, name: string): number {
  const root = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? Number.NaN);
}

let xml = "";
try {
  xml = readFileSync(report, "utf8");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const tests = countOf(xml, "tests");
const failed = countOf(xml, "failures");
const skipped = countOf(xml, "skipped");
if (!Number.isSafeInteger(tests + failed + skipped)) {
  process.stderr.write("Cannot count the tests: a junit report with its totals, was something else\n");
  process.exit(1);
}
// A test file that cannot be loaded fails the run without being counted as a test.
const unloaded = exitCode !== 0 && failed === 0 ? 1 : 0;
process.stdout.write(`\n${tests - failed - skipped} passed, ${failed + unloaded} failed, ${skipped} skipped\n`);
process.exit(failed + unloaded > 0 ? 1 : 0);
