/** A disk that a test may fill. */
import { mkdtempSync, statfsSync } from "node:fs";
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

/** Writes until there is no room at all; answers the file that takes it. */
export function fillDisk(folder: string): string {
  const { bavail, bsize } = statfsSync(folder);
  const filler = join(folder, "filler");
  Bun.spawnSync(["dd", "if=/dev/zero", `of=${filler}`, "bs=1M", `count=${Math.ceil((bavail * bsize) / 2 ** 20)}`]);
  return filler;
}
