/**
 * Versions of the program on a machine, beside one another, and which one runs:
 *
 *   /opt/sandpiper/releases/<version>-<digest>/   what `bun run dist` makes, its SHA256SUMS checked
 *   /opt/sandpiper/current  → releases/…          what the units start
 *   /opt/sandpiper/previous → releases/…          what ran before, for a rollback
 *
 * A release gets its name after every byte of it was checked and its program has answered on this machine; then one link
 * changes by rename. Data is elsewhere (SERVICE_PATHS.state) and never touched.
 */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join, normalize, relative } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { fileSum } from "#core/file-sum.ts";
import { SUPERVISE_ERROR } from "#supervise/errors.ts";

const SUMS = "SHA256SUMS";
const SUM_LINE = /^([0-9a-f]{64}) {2}(\S+)$/;
const VERSION_TEXT = /^[0-9A-Za-z.+-]{1,40}$/;
const DIGEST_CHARS = 12;
/** Releases kept on disk, some 700 MB each; the oldest beyond them go, but never current or previous. */
const KEPT_MAX = 4;
const VERSION_MS_MAX = 30_000;
const UNPACK_MS_MAX = 300_000;

export type Release = { readonly name: string; readonly role: "current" | "previous" | "kept" };

/**
 * Takes a distribution, a folder or the tarball of one, and makes it the current release; answers its name. Throws a
 * SandpiperError when it is not whole or does not start here, and then everything is as it was.
 */
export async function installRelease(root: string, source: string): Promise<string> {
  const releases = join(root, "releases");
  mkdirSync(releases, { recursive: true });
  // What an install left that was killed.
  for (const name of readdirSync(releases))
    if (name.startsWith(".new-")) rmSync(join(releases, name), { recursive: true });
  const fresh = join(releases, `.new-${process.pid}`);
  try {
    unpack(source, fresh);
    const digest = await checkSums(fresh);
    const name = `${versionOf(fresh)}-${digest.slice(0, DIGEST_CHARS)}`;
    const place = join(releases, name);
    if (existsSync(place)) rmSync(fresh, { recursive: true });
    else renameSync(fresh, place);
    switchTo(root, name);
    prune(root);
    return name;
  } catch (thrown) {
    rmSync(fresh, { recursive: true, force: true });
    throw thrown;
  }
}

/** Makes the release before this one, or the one named, the current one; answers its name. */
export function rollBack(root: string, name = linked(root, "previous")): string {
  const known = listReleases(root).map((release) => release.name);
  if (name === undefined || !known.includes(name))
    refuse("roll back", `one of ${known.join(", ") || "no releases"}`, name ?? "no previous release");
  switchTo(root, name);
  return name;
}

/** Newest first. */
export function listReleases(root: string): readonly Release[] {
  const folder = join(root, "releases");
  if (!existsSync(folder)) return [];
  const [current, previous] = [linked(root, "current"), linked(root, "previous")];
  return (
    readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .map((name) => ({ name, atMs: statSync(join(folder, name, SUMS)).ctimeMs }))
      // Two in one tick of the file system's clock: the higher version.
      .sort((a, b) => b.atMs - a.atMs || b.name.localeCompare(a.name, "en", { numeric: true }))
      .map(({ name }) => ({ name, role: name === current ? "current" : name === previous ? "previous" : "kept" }))
  );
}

function unpack(source: string, fresh: string): void {
  if (!existsSync(source)) refuse("install", "a distribution's folder or its .tar.gz", source);
  if (statSync(source).isDirectory()) {
    cpSync(source, fresh, { recursive: true });
    return;
  }
  mkdirSync(fresh);
  const command = ["tar", "--extract", "--gzip", "--no-same-owner", "--file", source, "--directory", fresh];
  const ran = Bun.spawnSync(command, { stdin: "ignore", stdout: "ignore", timeout: UNPACK_MS_MAX });
  if (ran.exitCode !== 0) refuse("install", "a tarball that tar unpacks", ran.stderr.toString().trim().slice(0, 200));
}

/** Every file is listed, every listed file is there and has its sum; answers the digest of the list. */
async function checkSums(folder: string): Promise<string> {
  const path = join(folder, SUMS);
  if (!existsSync(path)) refuse("install", `a distribution with ${SUMS}`, "one without");
  const text = readFileSync(path, "utf8");
  const wanted = new Map<string, string>();
  for (const line of text.trim().split("\n")) {
    const [, sum, name] = SUM_LINE.exec(line) ?? refuse("install", `lines of a sum and a name in ${SUMS}`, line);
    wanted.set(name as string, sum as string);
  }
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const kind = lstatSync(join(folder, name));
    if (kind.isDirectory() || name === SUMS) continue;
    if (!kind.isFile() || !wanted.has(name)) refuse("install", `only files of ${SUMS}`, name);
  }
  for (const [name, sum] of wanted) {
    const file = join(folder, name);
    if (normalize(relative(folder, file)) !== name || !existsSync(file)) refuse("install", `${name} in it`, "missing");
    if ((await fileSum(file)) !== sum) refuse("install", `${name} with the sum of ${SUMS}`, "another");
  }
  return createHash("sha256").update(text).digest("hex");
}

/** Asks the program itself: one that cannot start on this machine is not installed. */
function versionOf(folder: string): string {
  let said = "";
  try {
    const command = [join(folder, "sandpiper"), "version"];
    said = Bun.spawnSync(command, { stdin: "ignore", timeout: VERSION_MS_MAX }).stdout.toString().trim();
  } catch (thrown) {
    said = (thrown as Error).message;
  }
  return VERSION_TEXT.test(said) ? said : refuse("install", "a program that says its version here", said || "silence");
}

/** The old link is "previous" before the new one is "current": a crash in between only forgets what ran before that. */
function switchTo(root: string, name: string): void {
  const before = linked(root, "current");
  if (before === name) return;
  if (before !== undefined) link(root, "previous", before);
  link(root, "current", name);
}

function link(root: string, role: "current" | "previous", name: string): void {
  const beside = join(root, `.${role}-${process.pid}`);
  rmSync(beside, { force: true });
  symlinkSync(join("releases", name), beside);
  renameSync(beside, join(root, role));
}

function linked(root: string, role: "current" | "previous"): string | undefined {
  try {
    return relative("releases", readlinkSync(join(root, role)));
  } catch {
    return undefined;
  }
}

function prune(root: string): void {
  const old = listReleases(root).slice(KEPT_MAX);
  for (const { name, role } of old) if (role === "kept") rmSync(join(root, "releases", name), { recursive: true });
}

function refuse(what: string, want: string, was: string): never {
  throw new SandpiperError(SUPERVISE_ERROR.release, `Cannot ${what}: ${want}, was ${was}`);
}
