import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { compileLibrary, findCompiler } from "./c-compiler.ts";
import { FFI_ERROR } from "./errors.ts";
import { openModelLibrary, openModelSource } from "./model-library.ts";

const compiler = findCompiler();
const HEADER = readFileSync(join(import.meta.dir, "../../abi/model_abi.h"), "utf8");
let folder = "";
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-test-model-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SUM = "float s = 0; for (size_t i = 0; i < length; i++) s += x[i]; return s;";

type Parts = { body?: string; table?: string; before?: string };
const TABLE = "{1, 3, 0.25f, predict, predict, 0}";

function sourceOf({ body = SUM, table = TABLE, before = "" }: Parts): string {
  return `${HEADER}\n${before}\nstatic float predict(const float *x, size_t length) { ${body} }
static const model_abi_v1 table = ${table};
const model_abi_v1 *model_abi_v1_export(void) { return &table; }\n`;
}

function sourceFile(text: string): string {
  const path = join(folder, `model-${files++}.c`);
  writeFileSync(path, text);
  return path;
}

function build(parts: Parts = {}): string {
  const source = sourceFile(sourceOf(parts));
  if (compiler === undefined) throw new Error("needs a C compiler");
  compileLibrary(compiler, source, `${source}.so`);
  return `${source}.so`;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SandpiperError && thrown.code === FFI_ERROR.modelLibrary) return thrown.message;
    throw thrown;
  }
  return "";
};

describe.skipIf(compiler === undefined)("openModelLibrary()", () => {
  test("reads the table and calls the function", () => {
    const model = openModelLibrary(build(), "predict_arb");
    expect([model.featureCount, model.defaultThreshold]).toEqual([3, 0.25]);
    expect(model.predict(new Float32Array([1, 2, 3.5]))).toBe(6.5);
    model.close();
  });

  test("reads a small row where it is now, though it was moved after it was made", () => {
    const model = openModelLibrary(build(), "predict_arb");
    const row = new Float32Array(3);
    for (let round = 0; round < 2_000; round++) {
      row.fill(round);
      if (round === 500) expect(row.buffer.byteLength).toBe(12);
      if (round % 500 === 499) Bun.gc(true);
      expect(model.predict(row)).toBe(3 * round);
    }
    model.close();
  });

  test("opens what a symlink names now, although the path was opened before", () => {
    const link = join(folder, "latest.so");
    const flip = (target: string) => {
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
    };
    flip(build({ body: "return x[0] + 1;" }));
    const first = openModelLibrary(link, "predict_mev");
    flip(build({ body: "return x[0] + 2;" }));
    const second = openModelLibrary(link, "predict_mev");
    const row = new Float32Array([0, 0, 0]);
    expect([first.predict(row), second.predict(row)]).toEqual([1, 2]);
    first.close();
    second.close();
  });

  const refused: [string, Parts, string][] = [
    ["another ABI version", { table: "{2, 3, 0.25f, predict, predict, 0}" }, "ABI version 1, was 2"],
    ["no features", { table: "{1, 0, 0.25f, predict, predict, 0}" }, "features, was 0"],
    ["too many features", { table: "{1, 5000, 0.25f, predict, predict, 0}" }, "features, was 5000"],
    ["a threshold above 1", { table: "{1, 3, 1.5f, predict, predict, 0}" }, "threshold from 0 to 1, was 1.5"],
    ["a null predict_mev", { table: "{1, 3, 0.25f, 0, predict, 0}" }, "predict_mev, was null"],
    ["a null predict_arb", { table: "{1, 3, 0.25f, predict, 0, 0}" }, "predict_arb, was null"],
    ["a function that crashes", { body: "return *(volatile float *)0;" }, "a child process survives"],
    ["a function that answers NaN", { body: "float z = x[0] * 0; return z / z;" }, "a child process survives"],
    [
      "a constructor that ends the process",
      { before: "void _exit(int); __attribute__((constructor)) static void leave(void) { _exit(0); }" },
      "a child process survives",
    ],
  ];
  test.each(refused)("refuses %s, and this process lives on", (_name, parts, words) => {
    expect(refusal(() => openModelLibrary(build(parts), "predict_arb"))).toContain(words);
  });

  test("refuses a library cut off at any length", () => {
    const whole = readFileSync(build());
    for (let part = 0; part < 12; part++) {
      const path = join(folder, `cut-${part}.so`);
      writeFileSync(path, whole.subarray(0, Math.floor((whole.length * part) / 12)));
      expect(refusal(() => openModelLibrary(path, "predict_arb"))).toMatch(/a whole library of|a 64-bit ELF library/);
    }
  });

  test("refuses a library with a hole in it: whole by its length, but not sound", () => {
    const bytes = readFileSync(build());
    bytes.fill(0, 64, Math.floor(bytes.length * 0.9));
    const path = join(folder, "hole.so");
    writeFileSync(path, bytes);
    expect(refusal(() => openModelLibrary(path, "predict_arb"))).toContain("a child process survives");
  });

  test("refuses a library without the export, a text file and a path without a file", () => {
    const source = sourceFile("int nothing(void) { return 0; }\n");
    if (compiler !== undefined) compileLibrary(compiler, source, `${source}.so`);
    expect(refusal(() => openModelLibrary(`${source}.so`, "predict_arb"))).toContain("a child process survives");
    expect(refusal(() => openModelLibrary(source, "predict_arb"))).toContain("a 64-bit ELF library");
    expect(refusal(() => openModelLibrary(join(folder, "absent.so"), "predict_arb"))).toContain("a file, was");
  });
});

describe.skipIf(compiler === undefined)("compileLibrary()", () => {
  test("gives the same bytes for the same source, wherever it lies", () => {
    const first = build();
    const elsewhere = join(mkdtempSync(join(folder, "elsewhere-")), "model.c");
    copyFileSync(first.replace(/\.so$/, ""), elsewhere);
    if (compiler !== undefined) compileLibrary(compiler, elsewhere, `${elsewhere}.so`);
    expect(readFileSync(`${elsewhere}.so`).equals(readFileSync(first))).toBe(true);
  });

  test("refuses a symbol that nothing defines, with the compiler's words", () => {
    expect(() => build({ before: "float absent(float);", body: "return absent(x[0]);" })).toThrow("absent");
  });

  test("refuses source that is no C", () => {
    expect(() => build({ before: "this is no C" })).toThrow("Cannot compile");
  });
});

describe("openModelSource()", () => {
  test("compiles with the compiler inside Bun, headers included", () => {
    const model = openModelSource(sourceFile(sourceOf({})), "predict_arb");
    expect(model.featureCount).toBe(3);
    expect(model.predict(new Float32Array([1, 2, 3.5]))).toBe(6.5);
    model.close();
  });

  test("refuses what is no C and what is no file", () => {
    expect(refusal(() => openModelSource(sourceFile("this is no C"), "predict_arb"))).toContain("inside Bun");
    expect(refusal(() => openModelSource(join(folder, "absent.c"), "predict_arb"))).toContain("a file, was");
  });
});

describe("findCompiler()", () => {
  test("finds none on a path without one", () => {
    expect(findCompiler(folder)).toBeUndefined();
  });
});

test("every typed array made in this room stands on memory that does not move", () => {
  const made = readdirSync(import.meta.dir)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap(
      (name) => readFileSync(join(import.meta.dir, name), "utf8").match(/new \w+(?:8|16|32|64)Array\(.*/g) ?? [],
    );
  expect(made.length).toBeGreaterThan(3);
  for (const line of made) expect(line).toMatch(/Array\((?:new ArrayBuffer\(|buffer\b)/);
});
