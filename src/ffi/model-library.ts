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

const ABI_VERSION = 1;
/** Byte offsets in model_abi_v1. */
const TABLE = { abiVersion: 0, featureCount: 4, defaultThreshold: 8, predict_mev: 16, predict_arb: 24 } as const;
const ELF = {
  magic: 0x7f45_4c46,
  class64: 2,
  headerBytes: 64,
  sectionsAt: 0x28,
  sectionSizeAt: 0x3a,
  sectionCountAt: 0x3c,
} as const;
const FEATURES_MAX = 4_096;
const CHECK_MS_MAX = 10_000;
const EXPORTS = { model_abi_v1_export: { args: [], returns: "ptr" } } as const;

/** Which function of the table to call. */
export type ModelEntry = "predict_mev" | "predict_arb";

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
  checkInChild(resolved, entry);
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

/**
 * The child's program: opens the library whole, calls the function on rows of zeros, ones and mixed values, and says
 * "sound" when each answer is a finite number. It judges only what could kill; readTable judges the rest, with words.
 */
const CHECK_PROGRAM = `
import { CFunction, dlopen, read } from "bun:ffi";
const [path, offset] = [process.env.SANDPIPER_MODEL, Number(process.env.SANDPIPER_MODEL_ENTRY)];
const table = dlopen(path, { model_abi_v1_export: { args: [], returns: "ptr" } }).symbols.model_abi_v1_export();
if (table !== null && read.u32(table, 0) === ${ABI_VERSION} && read.ptr(table, offset) !== 0) {
  const predict = CFunction({ ptr: read.ptr(table, offset), args: ["ptr", "usize"], returns: "f32" });
  const row = new Float32Array(new ArrayBuffer(4 * Math.min(${FEATURES_MAX}, read.u32(table, 4))));
  for (const fill of [() => 0, () => 1, (i) => (i * 37) % 11]) {
    const score = predict(row.map((_, i) => fill(i)), row.length);
    if (!Number.isFinite(score)) throw new Error("a score that is no number");
  }
}
console.log("sound");
`;

function checkInChild(path: string, entry: ModelEntry): void {
  const child = Bun.spawnSync([process.execPath, "-e", CHECK_PROGRAM], {
    // A compiled Sandpiper behaves as Bun itself when asked to.
    env: {
      BUN_BE_BUN: "1",
      PATH: process.env["PATH"] ?? "",
      SANDPIPER_MODEL: path,
      SANDPIPER_MODEL_ENTRY: String(TABLE[entry]),
    },
    stdout: "pipe",
    stderr: "pipe",
    timeout: CHECK_MS_MAX,
  });
  if (child.success && child.stdout.toString().trim() === "sound") return;
  const words = child.stderr.toString().match(/error: (.*)/i)?.[1] ?? "";
  refuse(
    path,
    "a library that a child process survives",
    `${child.signalCode ?? `exit ${child.exitCode}`} ${words}`.trim(),
  );
}
