/** Where a run's recordings lie: a folder of the run under record.path, shared by the processes that record. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder that a process records its part ("market", "tape") into, or undefined when nothing is recorded. A process
 * that was started again finds its part there already and takes the next folder: recordings are never mixed.
 */
export function recordingFolder(recordPath: string, runId: string, part: string): string | undefined {
  if (recordPath === "") return undefined;
  for (let life = 1; ; life++) {
    const folder = join(recordPath, life === 1 ? runId : `${runId}-${life}`);
    if (!existsSync(join(folder, part))) return folder;
  }
}
