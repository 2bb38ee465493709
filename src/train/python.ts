/**
 * The Python that fits models: an environment of its own with exactly the packages of training/requirements.txt, each
 * checked against its hash. It is made on first use, takes a minute and half a gigabyte, and is used as it is from then on.
 *
 *   <folder>/<hash of the requirements>/   the environment; `complete` in it says that it is whole
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { TRAIN_ERROR } from "./errors.ts";

const CANDIDATES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"] as const;
const MINOR_MIN = 11;
const INSTALL_MS_MAX = 900_000;

export type TrainingPython = {
  readonly python: string;
  /** Folder of the programs that came with the packages: cmake, ctest, ninja. */
  readonly bin: string;
};

/** Makes the environment if it is not there yet. Throws a SandpiperError with pip's own words. */
export async function ensureTrainingPython(folder: string, trainingDir: string): Promise<TrainingPython> {
  const requirements = join(trainingDir, "requirements.txt");
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const home = join(folder, hash);
  const found = { python: join(home, "bin", "python"), bin: join(home, "bin") };
  const complete = join(home, "complete");
  if (existsSync(complete)) return found;
  const base = findPython();
  // What an earlier attempt left behind is not to be trusted.
  rmSync(home, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run([base, "-m", "venv", home]);
  const pip = [found.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await run([...pip, "--only-binary", ":all:", "--require-hashes", "-r", requirements]);
  writeFileSync(complete, `${base}\n`);
  return found;
}

function findPython(): string {
  for (const name of CANDIDATES) {
    const path = Bun.which(name);
    if (path === null) continue;
    const asked = Bun.spawnSync([path, "-c", "import sys; print(*sys.version_info[:2])"], { stderr: "ignore" });
    const [major = 0, minor = 0] = asked.stdout.toString().trim().split(" ").map(Number);
    if (major === 3 && minor >= MINOR_MIN) return path;
  }
  throw new SandpiperError(
    TRAIN_ERROR.python,
    `Cannot train: Python 3.${MINOR_MIN} or newer with the module venv (Debian: python3-venv) on the PATH, was none`,
    "later",
  );
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn(["nice", ...command], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: INSTALL_MS_MAX,
  });
  const [words, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code === 0) return;
  const text = words.replaceAll(/\s+/g, " ").trim().slice(-500);
  throw new SandpiperError(
    TRAIN_ERROR.python,
    `Cannot install the training packages: pip without an error, was ${text === "" ? `exit ${code}` : text}`,
    "later",
  );
}
