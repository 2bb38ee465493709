/**
 * The default model, for a start without any: C of our own, compiled here. Two processes that start at once only do the
 * same work twice. The folder's layout is in models-folder.ts.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { type Compiler, compileLibrary, findCompiler } from "#ffi/c-compiler.ts";
import type { ModelLibrary } from "#ffi/model-library.ts";
import { MODEL_ERROR } from "./errors.ts";
import { FEATURES } from "./features.ts";
import { LiveModel, openVersion } from "./live-model.ts";
import { addVersion, fileInUse, flip, hashOf, listVersions, type ModelKind, manifestOf } from "./models-folder.ts";

const BUILT_IN_COMPILER = "TinyCC inside Bun";
const SOURCE_NAMES = ["model_abi.h", "default_model_tables.h", "default_model.c"] as const;

export type Model = {
  /** The first 16 hex digits of the SHA-256 of the file. */
  readonly hash: string;
  readonly featureCount: number;
  readonly defaultThreshold: number;
  /** What compiled it, or "unknown". */
  readonly compiledBy: string;
  /** The score of one row, 0..1. Never allocates. */
  predict(features: Float32Array): number;
  close(): void;
};

export type DefaultModelOptions = {
  /** Folder of model_abi.h and default_model.c; default: abi/ of the source tree, else abi/ beside the executable. */
  readonly sourceDir?: string;
  /** The compiler to use; null says there is none. Default: the first that is found. */
  readonly compiler?: Compiler | null;
};

/**
 * Makes sure that a model is in use: builds the default one when there is none, or when the one in use is the default of
 * an earlier source. A library that somebody else put there is left alone. Says whether it built.
 */
export function ensureDefaultModel(modelsDir: string, options: DefaultModelOptions = {}): boolean {
  mkdirSync(modelsDir, { recursive: true });
  const source = singleSource(options.sourceDir ?? findSourceDir());
  const sourceHash = hashOf(source);
  const inUse = fileOf(modelsDir, "arb");
  if (inUse !== undefined) {
    const made = manifestOf(inUse)?.sourceHash;
    if (made === undefined || made === sourceHash) return false;
  }
  const { hash, extension } = buildDefault(modelsDir, source, options);
  flip(modelsDir, "arb", "latest", hash, {
    action: "promote",
    by: "sandpiper",
    why: "the default model",
    atMs: Date.now(),
    extension,
  });
  return true;
}

/** Compiles the default model and adds it as a version. */
function buildDefault(modelsDir: string, source: string, options: DefaultModelOptions) {
  const sourceHash = hashOf(source);
  const compiler = options.compiler === undefined ? findCompiler() : options.compiler;
  const building = mkdtempSync(join(modelsDir, ".building-"));
  try {
    // The name is part of what the compiler writes: it must be the same each time.
    const sourcePath = join(building, "default_model.c");
    writeFileAtomic(sourcePath, source);
    if (compiler === undefined || compiler === null) {
      const built = { library: sourcePath, extension: ".c" } as const;
      const hash = addVersion(modelsDir, "arb", built, { compiledBy: BUILT_IN_COMPILER, sourceHash });
      return { hash, extension: ".c" } as const;
    }
    const library = join(building, "default_model.so");
    compileLibrary(compiler, sourcePath, library);
    const hash = addVersion(modelsDir, "arb", { library }, { compiledBy: compiler.version, sourceHash });
    return { hash, extension: ".so" } as const;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** The model that decides and the one that looks on, if any, following their symlinks from now on. */
export function openLiveModels(modelsDir: string, kind: ModelKind, log: Pick<Log, "info" | "error">) {
  if (ensureDefaultModel(modelsDir)) log.info("compiled the default model");
  const model = openLiveModel(modelsDir, kind, log);
  const shadow = new LiveModel({ modelsDir, kind, role: "shadow", log });
  model.follow();
  shadow.follow();
  return { model, shadow };
}

/**
 * The model for an agent's start, ready to be swapped. When the one in use is not sound the default takes its place until
 * a sound one is promoted: an agent without a model cannot trade, and one with a bad model must not.
 */
function openLiveModel(modelsDir: string, kind: ModelKind, log: Pick<Log, "info" | "error">): LiveModel {
  const options = { modelsDir, kind, role: "latest", log } as const;
  const inUse = fileOf(modelsDir, kind);
  try {
    if (inUse !== undefined) return new LiveModel(options, { path: inUse, library: openChecked(inUse, kind) });
  } catch (thrown) {
    log.error(`ALARM: the model in use is not, the default decides: ${errorText(thrown)}`);
  }
  buildDefault(modelsDir, singleSource(findSourceDir()), {});
  const sourceHash = hashOf(singleSource(findSourceDir()));
  const path = listVersions(modelsDir, kind).find(({ manifest }) => manifest.sourceHash === sourceHash)?.path;
  if (path === undefined)
    throw new SandpiperError(MODEL_ERROR.defaultModel, `Cannot start: a default model in ${modelsDir}, was none`);
  return new LiveModel(options, { path, library: openChecked(path, kind) });
}

/** The file in use, a library before a source. */
const fileOf = (modelsDir: string, kind: ModelKind): string | undefined =>
  fileInUse(modelsDir, kind, "latest") ?? fileInUse(modelsDir, kind, "latest", ".c");

function openChecked(path: string, kind: ModelKind): ModelLibrary {
  const library = openVersion(path, kind);
  checkFeatures(library, path);
  return library;
}

/** Opens the model in use. Throws a SandpiperError when there is none or it is not sound. */
export function loadModel(modelsDir: string, kind: ModelKind): Model {
  const path = fileOf(modelsDir, kind);
  if (path === undefined)
    throw new SandpiperError(
      MODEL_ERROR.load,
      `Cannot load the ${kind} model: lib${kind}_latest.so in ${modelsDir}, was nothing`,
      "later",
    );
  const library = openChecked(path, kind);
  return {
    hash: hashOf(readFileSync(path)),
    featureCount: library.featureCount,
    defaultThreshold: library.defaultThreshold,
    compiledBy: manifestOf(path)?.compiledBy ?? "unknown",
    predict: library.predict,
    close: library.close,
  };
}

function checkFeatures(library: ModelLibrary, path: string): void {
  if (library.featureCount === FEATURES.length) return;
  library.close();
  throw new SandpiperError(
    MODEL_ERROR.features,
    `Cannot use model ${path}: ${FEATURES.length} features, was ${library.featureCount}`,
  );
}

/** The default model as one source without includes of its own, so that it compiles alone wherever it lies. */
function singleSource(sourceDir: string): string {
  try {
    return SOURCE_NAMES.map((name) =>
      readFileSync(join(sourceDir, name), "utf8").replaceAll(/^#include "[^"]*"\n/gm, ""),
    ).join("\n");
  } catch (cause) {
    throw new SandpiperError(
      MODEL_ERROR.defaultModel,
      `Cannot build the default model: ${SOURCE_NAMES.join(", ")} in ${sourceDir}, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}

function findSourceDir(): string {
  const inTree = join(import.meta.dir, "..", "..", "abi");
  return existsSync(join(inTree, "default_model.c")) ? inTree : join(dirname(process.execPath), "abi");
}
