/** The training environment for tests: installed once per machine and set of requirements, under the temporary folder. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureTrainingPython } from "#train/python.ts";

export const TRAINING_DIR = join(import.meta.dir, "../../training");

export const trainingPython = () =>
  ensureTrainingPython(join(tmpdir(), `sandpiper-python-${process.getuid?.() ?? 0}`), TRAINING_DIR);

/** How long the first test that needs it may wait for the download. */
export const PYTHON_INSTALL_MS = 600_000;
