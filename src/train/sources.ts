/** Where the Python that fits models and the C of their libraries lie: in the source tree, or beside the executable. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

export function findTrainingSources(): { readonly trainingDir: string; readonly abiDir: string } {
  const tree = join(import.meta.dir, "..", "..");
  const root = existsSync(join(tree, "training", "fit_model.py")) ? tree : dirname(process.execPath);
  return { trainingDir: join(root, "training"), abiDir: join(root, "abi") };
}
