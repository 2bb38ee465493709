/**
 * The Python that fits models: an environment of its own with exactly the packages of training/requirements.txt, each
 * checked against its hash. It is made on first use, takes a minute and half a gigabyte, and is used as it is from then on.
 * torch is an extra of several gigabytes in another environment, which the first torch job makes; or it is the
 * operator's own Python.
 *
 *   <folder>/<hash of the requirements>/   an environment; `complete` in it says that it is whole
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { TRAIN_ERROR } from "./errors.ts";

const CANDIDATES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"] as const;
const MINOR_MIN = 11;
/** For gigabytes over a slow line. */
const INSTALL_MS_MAX = 3_600_000;

export type TrainingPython = {
  readonly python: string;
  /** Folder of the programs that came with the packages: cmake, ctest, ninja. */
  readonly bin: string;
};

/** Makes the environment if it is not there yet. Throws a SandpiperError with pip's own words. */
export function ensureTrainingPython(folder: string, trainingDir: string): Promise<TrainingPython> {
  return ensureEnvironment(folder, join(trainingDir, "requirements.txt"));
}

/**
 * Python with torch and numpy: `torchPython` as it is, or an environment of training/requirements-torch.txt when it is
 * empty. The programs of the build are those of the other environment, which is made too. Throws a SandpiperError.
 */
export async function ensureTorchPython(
  folder: string,
  trainingDir: string,
  torchPython: string,
): Promise<TrainingPython> {
  const { bin } = await ensureTrainingPython(folder, trainingDir);
  if (torchPython === "") {
    const { python } = await ensureEnvironment(folder, join(trainingDir, "requirements-torch.txt"));
    return { python, bin };
  }
  const path = Bun.which(torchPython);
  const program = "import numpy, torch; torch.from_numpy(numpy.zeros(1))";
  const { code, said } =
    path === null ? { code: 127, said: "no such program" } : await runQuietly([path, "-c", program]);
  if (path !== null && code === 0) return { python: path, bin };
  const words = said.trim().split("\n").at(-1) ?? "";
  throw new SandpiperError(
    TRAIN_ERROR.python,
    `Cannot train with torch: training.torchPython as a Python with numpy and torch, was ${torchPython}: ${words.slice(0, 300)}`,
  );
}

/** A job that is cancelled does not end what it waits for: the next one waits for the same. */
const making = new Map<string, Promise<void>>();

function ensureEnvironment(folder: string, requirements: string): Promise<TrainingPython> {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const home = join(folder, hash);
  const found = { python: join(home, "bin", "python"), bin: join(home, "bin") };
  if (existsSync(join(home, "complete"))) return Promise.resolve(found);
  const begun = making.get(home) ?? makeEnvironment(home, requirements).finally(() => making.delete(home));
  making.set(home, begun);
  return begun.then(() => found);
}

async function makeEnvironment(home: string, requirements: string): Promise<void> {
  const base = findPython();
  // What an earlier attempt left behind is not to be trusted.
  rmSync(home, { recursive: true, force: true });
  mkdirSync(dirname(home), { recursive: true });
  // It dies with this process: two that write the same folder would leave something that is neither.
  const install = [base, join(dirname(requirements), "low_priority.py")];
  await run([...install, base, "-m", "venv", home]);
  const python = join(home, "bin", "python");
  const pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await run([...install, ...pip, "--only-binary", ":all:", "--require-hashes", "-r", requirements]);
  writeFileSync(join(home, "complete"), `${base}\n`);
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
  const { code, said } = await runQuietly(command);
  if (code === 0) return;
  const text = said.replaceAll(/\s+/g, " ").trim().slice(-500);
  throw new SandpiperError(
    TRAIN_ERROR.python,
    `Cannot install the training packages: pip without an error, was ${text === "" ? `exit ${code}` : text}`,
    "later",
  );
}

async function runQuietly(command: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: INSTALL_MS_MAX,
  });
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { code, said };
}
