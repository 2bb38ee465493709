/** The one way to let a version decide or look on, whoever asks: an operator, the API, a rule. */
import { passGates } from "./gates.ts";
import { findVersion, flip, type HistoryEntry, type ModelKind, type ModelRole } from "./models-folder.ts";

/**
 * Gives the role to a version once its gates have passed. Answers false when it is not on record; rejects with a
 * SandpiperError that says which gate refused it.
 */
export async function useVersion(
  modelsDir: string,
  kind: ModelKind,
  role: ModelRole,
  hash: string,
  note: Pick<HistoryEntry, "action" | "by" | "why" | "atMs">,
): Promise<boolean> {
  const path = findVersion(modelsDir, kind, hash);
  if (path === undefined) return false;
  await passGates(path, kind);
  flip(modelsDir, kind, role, hash, note);
  return true;
}
