/** A disk that a test may fill. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system of its own; undefined where mounting is not allowed. */
export function smallDisk(mebibytes: number): { folder: string; remove(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-data-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]);
  if (mounted.exitCode !== 0) {
    if (process.env["CI"] === "true") throw new Error(`CI must be able to mount a tmpfs: ${mounted.stderr.toString()}`);
    return undefined;
  }
  return { folder, remove: () => void Bun.spawnSync(["umount", "-l", folder]) };
}
