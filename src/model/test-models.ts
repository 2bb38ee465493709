/** What the tests of swapping share: small libraries made here, good and bad ones. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Compiler, compileLibrary } from "#ffi/c-compiler.ts";
import { FEATURES } from "./features.ts";
import { addVersion, hashOf } from "./models-folder.ts";

const HEADER = readFileSync(join(import.meta.dir, "../../abi/model_abi.h"), "utf8");
const ROWS = 120;

export type LibraryParts = {
  /** The body of `predict`; x is the row. */
  readonly body?: string;
  readonly table?: string;
  readonly before?: string;
};

/** Compiles a library whose score is what `body` says; answers its path. */
export function compileModel(folder: string, compiler: Compiler, parts: LibraryParts = {}): string {
  const { body = "return 0.5f;", before = "" } = parts;
  const table = parts.table ?? `{1, ${FEATURES.length}, 0.05f, predict, predict, 0}`;
  const path = join(mkdtempSync(join(folder, "library-")), "model.c");
  writeFileSync(
    path,
    `${HEADER}\n${before}\nstatic float predict(const float *x, size_t length) { ${body} }
static const model_abi_v1 table = ${table};
const model_abi_v1 *model_abi_v1_export(void) { return &table; }\n`,
  );
  compileLibrary(compiler, path, `${path}.so`);
  return `${path}.so`;
}

/** Golden rows on which the library must answer `score` of the first feature. */
export function goldenRows(
  folder: string,
  score: (first: number) => number,
  features: number = FEATURES.length,
): string {
  const names = Array.from({ length: features }, (_, i) => `f${i}`);
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const first = row / ROWS;
    return [...names.map((_, i) => (i === 0 ? first : i)), score(Math.fround(first))].join(",");
  });
  const path = join(mkdtempSync(join(folder, "golden-")), "golden.csv");
  writeFileSync(path, `${[[...names, "predict_arb"].join(","), ...lines].join("\n")}\n`);
  return path;
}

/** Adds a library as a version with golden rows that it is right about, unless they are given; answers its hash. */
export function addModel(
  modelsDir: string,
  folder: string,
  library: string,
  score: (first: number) => number,
  golden = goldenRows(folder, score),
): string {
  addVersion(modelsDir, "arb", { library, golden }, { compiledBy: "a test", madeAtMs: 1 });
  return hashOf(readFileSync(library));
}
