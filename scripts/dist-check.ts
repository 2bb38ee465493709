/**
 * `bun scripts/dist-check.ts`: whether the commit that is checked out makes the same distribution in another folder. It is
 * cloned to two places, each gets its own packages and is built; SHA256SUMS of both and the sums of their tarballs must be
 * one. A native module that is built here is given to both: cargo's build is not compared. Takes 3 GB and two minutes.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const NATIVE = join("native", "sandpiper-native.node");
const work = mkdtempSync(join(tmpdir(), "sandpiper-dist-check-"));

function run(cwd: string, ...command: readonly string[]): string {
  const ran = Bun.spawnSync([...command], { cwd, stdin: "ignore", stderr: "pipe" });
  if (!ran.success) throw new Error(`Cannot ${command.join(" ")} in ${cwd}: ${ran.stderr.toString().slice(-500)}`);
  return ran.stdout.toString();
}

/** Every sum of a distribution, and at the end its tarball's. */
function sumsAt(place: string): string[] {
  const clone = join(work, place);
  mkdirSync(dirname(clone), { recursive: true });
  run(ROOT, "git", "clone", "--quiet", "--no-checkout", ROOT, clone);
  run(clone, "git", "checkout", "--quiet", "--detach", run(ROOT, "git", "rev-parse", "HEAD").trim());
  run(clone, process.execPath, "install", "--frozen-lockfile");
  if (existsSync(join(ROOT, NATIVE))) copyFileSync(join(ROOT, NATIVE), join(clone, NATIVE));
  const said = run(clone, process.execPath, "scripts/dist.ts", "--tarball").split("\n");
  const tarball = said.find((line) => line.endsWith(".tar.gz")) ?? "no tarball";
  const sums = readFileSync(join(clone, "dist", "SHA256SUMS"), "utf8")
    .trim()
    .split("\n");
  rmSync(clone, { recursive: true });
  return [...sums, tarball];
}

try {
  const [one, other] = [sumsAt("one"), sumsAt("some/deeper/folder of another name")];
  const differ = one.filter((line) => !other.includes(line));
  for (const line of differ) process.stdout.write(`differs: ${line}\n`);
  process.stdout.write(
    `${one.length - differ.length} of ${one.length} sums are the same in two folders; ${one.at(-1)}\n`,
  );
  process.exitCode = differ.length === 0 && one.length === other.length ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
