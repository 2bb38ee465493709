/**
 * Opens a model library (abi/model_abi.h): checks its table and calls its function without allocating.
 *
 * A library is code, and a bad one takes the process with it: a truncated file is a SIGBUS, an unresolved symbol an exit
 * on the first call. So a child process opens it first and asks it for a few scores; only what the child survives is
 * opened here. It is opened by its resolved path, since the loader answers the old library for a path it has seen,
 * though the symlink has moved. A library file must never be written again under its name.
 */
import { CFunction, cc, dlopen, type Pointer, read } from "bun:ffi";
import { readFileSync, realpathSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";
import { type ModelReport, type TrialEnd, tryInChild, tryInChildSync } from "./model-trial.ts";

const ABI_VERSION = 1;
/** Byte offsets in model_abi_v1. */
const TABLE = {
  abiVersion: 0,
  featureCount: 4,
  defaultThreshold: 8,
  predict_mev: 16,
  predict_arb: 24,
  calibrate_tip: 32,
} as const;
const ELF = {
  magic: 0x7f45_4c46,
  class64: 2,
  headerBytes: 64,
  sectionsAt: 0x28,
  sectionSizeAt: 0x3a,
  sectionCountAt: 0x3c,
} as const;
const FEATURES_MAX = 4_096;
const EXPORTS = { model_abi_v1_export: { args: [], returns: "ptr" } } as const;

export type { ModelReport } from "./model-trial.ts";

/** Which function of the table to call. */
export type ModelEntry = "predict_mev" | "predict_arb" | "calibrate_tip";

export type ModelLibrary = {
  readonly featureCount: number;
  readonly defaultThreshold: number;
  /** The score of one row. NaN when the row has not `featureCount` values. Never allocates. */
  predict(features: Float32Array): number;
  /** After this `predict` must not be called. */
  close(): void;
};

/** Opens the library at `path` (symlinks are followed) after a child process has tried it. */
export function openModelLibrary(path: string, entry: ModelEntry): ModelLibrary {
  const resolved = resolve(path);
  checkWhole(resolved);
  readReport(resolved, tryInChildSync({ path: resolved, functions: [entry] }));
  return openTriedLibrary(resolved, entry);
}

/**
 * Lets a child process open the library and compares its answers with golden rows (docs/judges.md) when there are some.
 * Rejects with a SandpiperError when the child does not survive it; what the answers are worth is the caller's question.
 */
export async function tryModelLibrary(
  path: string,
  functions: readonly ModelEntry[],
  goldenPath?: string,
): Promise<ModelReport> {
  const resolved = resolve(path);
  checkWhole(resolved);
  const asked = { path: resolved, functions, ...(goldenPath !== undefined && { goldenPath }) };
  return readReport(resolved, await tryInChild(asked));
}

/** Opens a library that a child process has tried: on an untried one this process may end. */
export function openTriedLibrary(path: string, entry: ModelEntry): ModelLibrary {
  const resolved = resolve(path);
  const library = dlopen(resolved, EXPORTS);
  return readTable(library.symbols.model_abi_v1_export(), entry, resolved, () => library.close());
}

/** Compiles a C source in memory with the compiler inside Bun: slower code, for machines without a compiler. */
export function openModelSource(path: string, entry: ModelEntry): ModelLibrary {
  const resolved = resolve(path);
  try {
    const library = cc({ source: resolved, symbols: EXPORTS });
    return readTable(library.symbols.model_abi_v1_export(), entry, resolved, () => library.close());
  } catch (thrown) {
    if (thrown instanceof SandpiperError) throw thrown;
    return refuse(resolved, "C that the compiler inside Bun understands", errorText(thrown));
  }
}

function resolve(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new SandpiperError(
      FFI_ERROR.modelLibrary,
      `Cannot open model ${path}: a file, was ${errorText(cause)}`,
      "later",
      { cause },
    );
  }
}

/** The section table of an ELF file stands at its end, and the header says where: a copy that broke off is too short. */
function checkWhole(path: string): void {
  const bytes = readFileSync(path);
  const isElf = bytes.length >= ELF.headerBytes && bytes.readUInt32BE(0) === ELF.magic && bytes[4] === ELF.class64;
  if (!isElf) refuse(path, "a 64-bit ELF library", `${bytes.length} bytes of something else`);
  const sections = bytes.readUInt16LE(ELF.sectionSizeAt) * bytes.readUInt16LE(ELF.sectionCountAt);
  const end = Number(bytes.readBigUInt64LE(ELF.sectionsAt)) + sections;
  if (bytes.length < end) refuse(path, `a whole library of ${end} bytes`, bytes.length);
}

function readReport(path: string, end: TrialEnd): ModelReport {
  if (end.report !== undefined) return end.report;
  return refuse(path, "a library that a child process survives", end.why);
}

function readTable(
  answered: Pointer | bigint | null,
  entry: ModelEntry,
  path: string,
  close: () => void,
): ModelLibrary {
  if (answered === null) return refuse(path, "a table", "null");
  // A user-space address is below 2^47 and so a number, whatever the type allows.
  const table = Number(answered) as Pointer;
  const version = read.u32(table, TABLE.abiVersion);
  if (version !== ABI_VERSION) return refuse(path, `ABI version ${ABI_VERSION}`, version);
  const featureCount = read.u32(table, TABLE.featureCount);
  if (featureCount < 1 || featureCount > FEATURES_MAX)
    return refuse(path, `1 to ${FEATURES_MAX} features`, featureCount);
  const defaultThreshold = read.f32(table, TABLE.defaultThreshold);
  if (!(defaultThreshold >= 0 && defaultThreshold <= 1))
    return refuse(path, "a default threshold from 0 to 1", defaultThreshold);
  if (read.ptr(table, TABLE.predict_mev) === 0) return refuse(path, "predict_mev", "null");
  const address = read.ptr(table, TABLE[entry]);
  if (address === 0) return refuse(path, entry, "null");
  // The row itself is the argument, never a kept pointer: a small typed array can move between two calls.
  const call = CFunction({ ptr: address as Pointer, args: ["ptr", "usize"], returns: "f32" });
  const predict = (features: Float32Array): number => call(features, features.length);
  return {
    featureCount,
    defaultThreshold,
    predict,
    close: () => {
      call.close();
      close();
    },
  };
}

function refuse(path: string, want: string, was: string | number): never {
  throw new SandpiperError(FFI_ERROR.modelLibrary, `Cannot use model ${path}: ${want}, was ${was}`);
}
