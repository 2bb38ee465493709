/**
 * One place for every build, whatever folder the source is in. Bun 1.4 puts the scripts of the pages into the executable in
 * the order of a hash of their absolute paths, so the same source elsewhere gives the same scripts in another order. In a
 * mount namespace of its own, which root may make and on most machines anybody may, the source is bound to FOLDER; the
 * machine sees nothing of it.
 */
import { join } from "node:path";

const MOUNTS = "/mnt";
const FOLDER = `${MOUNTS}/sandpiper`;
/** The source is where this begins, and stays "." to mount: its folder may itself be under MOUNTS, and be hidden by then. */
const ENTER = `mount -t tmpfs tmpfs ${MOUNTS} && mkdir ${FOLDER} && mount --no-canonicalize --bind . ${FOLDER} && cd ${FOLDER} && exec "$@"`;

/** Runs this script again from FOLDER and ends with its code; returns when we are there, or cannot be. */
export function enterBuildFolder(root: string, script: string): void {
  if (root === FOLDER) return;
  const unshare = [
    "unshare",
    "--mount",
    ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]),
    "sh",
    "-c",
    ENTER,
    "sh",
  ];
  const may = Bun.which("unshare") !== null && Bun.spawnSync([...unshare, "true"], { cwd: root }).success;
  if (!may) {
    process.stdout.write(`no mount namespace here: these bytes will not come again in another folder than ${root}\n`);
    return;
  }
  const again = [process.execPath, join("scripts", script), ...process.argv.slice(2)];
  const ran = Bun.spawnSync([...unshare, ...again], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  process.exit(ran.exitCode ?? 1);
}
