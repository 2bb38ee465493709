/**
 * The models folder: every version there ever was, which one is in use, and who said so.
 *
 *   libarb_v<hash>.so           a version, never written again; <hash> is the first 16 hex digits of its SHA-256
 *   libarb_v<hash>.json         its manifest: how it was made, and how it did; written last, so a version has one
 *   libarb_v<hash>.golden.csv   rows with the answers of its trainer's own predictor (docs/judges.md); trained ones have it
 *   libarb_latest.so            symlink to the version in use
 *   libarb_shadow.so            symlink to the version that scores beside it, if one does
 *   arb-history.ndjson          each flip of a symlink: when, from, to, who, why
 *   retired/                    versions that may not come back; `sandpiper explain` still finds them here
 *   libarb_v<hash>.c and libarb_latest.c   the default model as source, on machines without a compiler; the .so wins
 *
 * Symlinks are replaced by rename and files are written beside and renamed: whoever looks sees the old or the new.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { SandpiperError } from "#core/error.ts";
import { MODEL_ERROR } from "./errors.ts";

const HASH_DIGITS = 16;
const HASH = /^[0-9a-f]{16}$/;

/** "arb" scores arbitrage bundles. */
export type ModelKind = "arb";
/** What a symlink is for: the version that decides, or the one that only scores beside it. */
export type ModelRole = "latest" | "shadow";

/** How a version was made. */
export type ModelManifest = {
  /** What compiled it: the compiler's own first line. */
  readonly compiledBy: string;
  /** Of the default model only: the hash of its source. */
  readonly sourceHash?: string;
  readonly madeAtMs?: number;
  readonly askedBy?: string;
  readonly jobId?: string;
  /** "xgb", "lgbm" or "torch". */
  readonly trainer?: string;
  /** The names of its features in order; the row that it wants. */
  readonly features?: readonly string[];
  readonly trainedOn?: { readonly start: string; readonly end: string; readonly rows: number };
  /** On rows behind those it was fitted on: auc, logLoss, brier, calibrationGap, and the same of the version in use then. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly parity?: { readonly rows: number; readonly largest: number };
  readonly latencyNsP50?: number;
};

export type ModelVersion = {
  readonly hash: string;
  readonly path: string;
  readonly manifest: ModelManifest;
  readonly role: ModelRole | "none" | "retired";
};

export type HistoryEntry = {
  readonly atMs: number;
  readonly action: "promote" | "rollback" | "shadow" | "unshadow" | "retire";
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly why: string;
};

export function hashOf(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, HASH_DIGITS);
}

const nameOf = (kind: ModelKind, hash: string): string => `lib${kind}_v${hash}`;
const linkOf = (kind: ModelKind, role: ModelRole, extension = ".so"): string => `lib${kind}_${role}${extension}`;

/** The hash in a version's file name, or undefined for another name. */
export function hashInName(path: string): string | undefined {
  const hash = basename(path).match(/^lib[a-z]+_v([0-9a-f]{16})\.(?:so|c)$/)?.[1];
  return hash;
}

/** The file that a symlink names, by its own unique path; undefined when there is none. One readlink, about 3 µs. */
export function fileInUse(modelsDir: string, kind: ModelKind, role: ModelRole, extension = ".so"): string | undefined {
  try {
    return join(modelsDir, basename(readlinkSync(join(modelsDir, linkOf(kind, role, extension)))));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** The library of a version, retired ones too; undefined when it is not there. */
export function findVersion(modelsDir: string, kind: ModelKind, hash: string): string | undefined {
  if (!HASH.test(hash)) return undefined;
  const places = [".so", ".c"].flatMap((end) => {
    const name = nameOf(kind, hash) + end;
    return [join(modelsDir, name), join(modelsDir, "retired", name)];
  });
  return places.find((path) => existsSync(path));
}

/** The golden rows of a version, if it has any. */
export function goldenOf(path: string): string | undefined {
  const golden = path.replace(/\.(so|c)$/, ".golden.csv");
  return existsSync(golden) ? golden : undefined;
}

export function manifestOf(path: string): ModelManifest | undefined {
  const found = readJsonFile(path.replace(/\.(so|c)$/, ".json")) as Partial<ModelManifest> | undefined;
  return typeof found?.compiledBy === "string" ? { ...found, compiledBy: found.compiledBy } : undefined;
}

/**
 * Adds a version: golden rows, library, then the manifest, each by rename; a version without manifest is none. The same
 * bytes again are the same version. Nobody uses it before a symlink is flipped. Answers its hash.
 */
export function addVersion(
  modelsDir: string,
  kind: ModelKind,
  built: { readonly library: string; readonly golden?: string; readonly extension?: ".so" | ".c" },
  manifest: ModelManifest,
): string {
  mkdirSync(modelsDir, { recursive: true });
  const hash = hashOf(readFileSync(built.library));
  const path = join(modelsDir, nameOf(kind, hash));
  const extension = built.extension ?? ".so";
  if (built.golden !== undefined) placeWhole(built.golden, `${path}.golden.csv`);
  if (!existsSync(path + extension)) placeWhole(built.library, path + extension);
  writeFileAtomic(`${path}.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  return hash;
}

function placeWhole(from: string, to: string): void {
  const beside = `${to}.${process.pid}.new`;
  try {
    copyFileSync(from, beside);
    renameSync(beside, to);
  } catch (thrown) {
    rmSync(beside, { force: true });
    throw thrown;
  }
}

/** Lets a role name this version from now on, or nothing. Every agent notices within 50 ms. */
export function flip(
  modelsDir: string,
  kind: ModelKind,
  role: ModelRole,
  hash: string | undefined,
  note: Pick<HistoryEntry, "action" | "by" | "why"> & { readonly atMs: number; readonly extension?: ".so" | ".c" },
): void {
  const { extension = ".so", ...entry } = note;
  const link = join(modelsDir, linkOf(kind, role, extension));
  const before = fileInUse(modelsDir, kind, role, extension);
  if (hash === undefined) rmSync(link, { force: true });
  else {
    const target = nameOf(kind, hash) + extension;
    if (!existsSync(join(modelsDir, target)))
      throw new SandpiperError(MODEL_ERROR.version, `Cannot ${entry.action} ${hash}: a version on record, was none`);
    const beside = `${link}.${process.pid}.new`;
    rmSync(beside, { force: true });
    symlinkSync(target, beside);
    renameSync(beside, link);
  }
  const from = before === undefined ? "" : (hashInName(before) ?? "");
  appendHistory(modelsDir, kind, { ...entry, from, to: hash ?? "" });
}

/** Every version with a manifest, newest first. */
export function listVersions(modelsDir: string, kind: ModelKind): ModelVersion[] {
  const roles = (["latest", "shadow"] as const).map((role) => [role, fileInUse(modelsDir, kind, role)] as const);
  const found: ModelVersion[] = [];
  for (const folder of [modelsDir, join(modelsDir, "retired")]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const hash = name.startsWith(`lib${kind}_v`) ? hashInName(name) : undefined;
      const manifest = hash === undefined ? undefined : manifestOf(path);
      if (hash === undefined || manifest === undefined) continue;
      const role = folder === modelsDir ? (roles.find(([, used]) => used === path)?.[0] ?? "none") : "retired";
      found.push({ hash, path, manifest, role });
    }
  }
  return found.sort((a, b) => (b.manifest.madeAtMs ?? 0) - (a.manifest.madeAtMs ?? 0));
}

/** The version that was in use before the present one and is still there, newest first in the history; undefined without. */
export function versionBefore(modelsDir: string, kind: ModelKind): string | undefined {
  const present = fileInUse(modelsDir, kind, "latest");
  const hash = present === undefined ? "" : hashInName(present);
  const back = readHistory(modelsDir, kind)
    .reverse()
    .find(({ action, to, from }) => action === "promote" && to === hash && from !== "" && from !== hash);
  if (back === undefined || !existsSync(join(modelsDir, `${nameOf(kind, back.from)}.so`))) return undefined;
  return back.from;
}

/** Takes a version out for good; the one in use or in shadow cannot be. */
export function retire(
  modelsDir: string,
  kind: ModelKind,
  hash: string,
  note: { readonly by: string; readonly why: string; readonly atMs: number },
): void {
  const version = listVersions(modelsDir, kind).find((one) => one.hash === hash);
  if (version === undefined || version.role !== "none")
    throw new SandpiperError(
      MODEL_ERROR.version,
      `Cannot retire ${hash}: a version on record that nobody uses, was ${version?.role ?? "none on record"}`,
    );
  const away = join(modelsDir, "retired");
  mkdirSync(away, { recursive: true });
  const name = nameOf(kind, hash);
  // The manifest goes first: from then on it is no version here.
  for (const end of [".json", ".so", ".golden.csv"]) {
    const from = join(modelsDir, name + end);
    if (existsSync(from)) renameSync(from, join(away, name + end));
  }
  appendHistory(modelsDir, kind, { ...note, action: "retire", from: hash, to: "" });
}

/** Oldest first. A line that broke off is passed over. */
export function readHistory(modelsDir: string, kind: ModelKind): HistoryEntry[] {
  const path = join(modelsDir, `${kind}-history.ndjson`);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as HistoryEntry];
      } catch {
        return [];
      }
    });
}

function appendHistory(modelsDir: string, kind: ModelKind, entry: HistoryEntry): void {
  appendFileSync(join(modelsDir, `${kind}-history.ndjson`), `${JSON.stringify(entry)}\n`);
}
