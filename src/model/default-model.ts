/**
 * The models folder: which library is in use, and the default one for a start without any.
 *
 *   libarb_v<hash>.so     a library; <hash> is the first 16 hex digits of the SHA-256 of its bytes
 *   libarb_v<hash>.json   how it was made (optional)
 *   libarb_latest.so      symlink to the one in use, replaced by rename
 *   libarb_v<hash>.c and libarb_latest.c   the same as source, on machines without a compiler; the .so wins
 *
 * Files are written beside and renamed, so that two processes starting at once only do the same work twice.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { type Compiler, compileLibrary, findCompiler } from "#ffi/c-compiler.ts";
import { type ModelLibrary, openModelLibrary, openModelSource } from "#ffi/model-library.ts";
import { MODEL_ERROR } from "./errors.ts";
import { FEATURES } from "./features.ts";

const HASH_DIGITS = 16;
const BUILT_IN_COMPILER = "TinyCC inside Bun";
const SOURCE_NAMES = ["model_abi.h", "default_model_tables.h", "default_model.c"] as const;

/** "arb" scores arbitrage bundles. */
export type ModelKind = "arb";

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

type Provenance = { readonly compiledBy: string; readonly sourceHash: string };

/**
 * Makes sure that a model is in use: builds the default one when there is none, or when the one in use is the default of
 * an earlier source. A library that somebody else put there is left alone. Says whether it built.
 */
export function ensureDefaultModel(modelsDir: string, options: DefaultModelOptions = {}): boolean {
  mkdirSync(modelsDir, { recursive: true });
  const source = singleSource(options.sourceDir ?? findSourceDir());
  const sourceHash = hashOf(source);
  const inUse = fileInUse(modelsDir, "arb");
  if (inUse !== undefined) {
    const made = provenanceOf(inUse);
    if (made === undefined || made.sourceHash === sourceHash) return false;
  }
  const compiler = options.compiler === undefined ? findCompiler() : options.compiler;
  const building = mkdtempSync(join(modelsDir, ".building-"));
  try {
    // The name is part of what the compiler writes: it must be the same each time.
    const sourcePath = join(building, "default_model.c");
    writeFileAtomic(sourcePath, source);
    if (compiler === undefined || compiler === null)
      publish(modelsDir, sourcePath, ".c", { compiledBy: BUILT_IN_COMPILER, sourceHash });
    else {
      const library = join(building, "default_model.so");
      compileLibrary(compiler, sourcePath, library);
      publish(modelsDir, library, ".so", { compiledBy: compiler.version, sourceHash });
    }
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return true;
}

/** Opens the model in use. Throws a SandpiperError when there is none or it is not sound. */
export function loadModel(modelsDir: string, kind: ModelKind): Model {
  const path = fileInUse(modelsDir, kind);
  if (path === undefined)
    throw new SandpiperError(
      MODEL_ERROR.load,
      `Cannot load the ${kind} model: lib${kind}_latest.so in ${modelsDir}, was nothing`,
      "later",
    );
  const library = path.endsWith(".c")
    ? openModelSource(path, `predict_${kind}`)
    : openModelLibrary(path, `predict_${kind}`);
  checkFeatures(library, path);
  return {
    hash: hashOf(readFileSync(path)),
    featureCount: library.featureCount,
    defaultThreshold: library.defaultThreshold,
    compiledBy: provenanceOf(path)?.compiledBy ?? "unknown",
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

/** The file that the latest symlink names, by its own path. */
function fileInUse(modelsDir: string, kind: ModelKind): string | undefined {
  for (const extension of [".so", ".c"]) {
    try {
      return join(modelsDir, basename(readlinkSync(join(modelsDir, `lib${kind}_latest${extension}`))));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }
  return undefined;
}

function publish(modelsDir: string, built: string, extension: ".so" | ".c", provenance: Provenance): void {
  const name = `libarb_v${hashOf(readFileSync(built))}`;
  writeFileAtomic(join(modelsDir, `${name}.json`), `${JSON.stringify(provenance)}\n`);
  renameSync(built, join(modelsDir, name + extension));
  const link = join(dirname(built), "latest");
  symlinkSync(name + extension, link);
  renameSync(link, join(modelsDir, `libarb_latest${extension}`));
}

function provenanceOf(path: string): Provenance | undefined {
  const found = readJsonFile(path.replace(/\.(so|c)$/, ".json")) as Partial<Provenance> | undefined;
  return typeof found?.compiledBy === "string" && typeof found.sourceHash === "string"
    ? { compiledBy: found.compiledBy, sourceHash: found.sourceHash }
    : undefined;
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

function hashOf(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, HASH_DIGITS);
}
