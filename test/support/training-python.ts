/** The training environment for tests: installed once per machine and set of requirements, under the temporary folder. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureTrainingPython } from "#train/python.ts";

export const TRAINING_DIR = join(import.meta.dir, "../../training");
export const PYTHON_DIR = join(tmpdir(), `sandpiper-python-${process.getuid?.() ?? 0}`);

export const trainingPython = () => ensureTrainingPython(PYTHON_DIR, TRAINING_DIR);

/**
 * A Python with torch, which tests do not download by themselves: Debian's, or the one that SANDPIPER_TORCH_PYTHON names.
 * Undefined without one; in CI that is an error.
 */
export function torchPython(): string | undefined {
  const path = process.env["SANDPIPER_TORCH_PYTHON"] ?? "/usr/bin/python3";
  if (Bun.spawnSync(["sh", "-c", '"$0" -c "import numpy, torch"', path]).success) return path;
  const words = `torch for ${path} (Debian: apt-get install --no-install-recommends python3-torch)`;
  if (process.env["CI"] === "true") throw new Error(`Cannot test training with torch: ${words}, was none`);
  console.warn(`SKIPPED: training with torch needs ${words}, or SANDPIPER_TORCH_PYTHON=PATH of another`);
  return undefined;
}

/** How long the first test that needs it may wait for the download. */
export const PYTHON_INSTALL_MS = 600_000;
