import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { SandpiperError } from "#core/error.ts";
import { compileLibrary, findCompiler } from "#ffi/c-compiler.ts";
import { ensureDefaultModel, loadModel, type Model } from "./default-model.ts";
import { MODEL_ERROR } from "./errors.ts";
import { createFeatureRow, FEATURES } from "./features.ts";

const ABI = join(import.meta.dir, "../../abi");
const compiler = findCompiler();
let root = "";
let models = "";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sandpiper-test-models-"));
});
beforeEach(() => {
  models = join(mkdtempSync(join(root, "run-")), "models");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const filesOf = (folder: string) => readdirSync(folder).sort();

describe.skipIf(compiler === undefined)("ensureDefaultModel() with a compiler", () => {
  test("builds a library named by its own hash, says what compiled it, and leaves no other file", () => {
    expect(ensureDefaultModel(models)).toBe(true);
    const model = loadModel(models, "arb");
    expect(model.compiledBy).toBe(compiler?.version ?? "");
    expect(filesOf(models)).toEqual([
      "arb-history.ndjson",
      "libarb_latest.so",
      `libarb_v${model.hash}.json`,
      `libarb_v${model.hash}.so`,
    ]);
    expect(readlinkSync(join(models, "libarb_latest.so"))).toBe(`libarb_v${model.hash}.so`);
    model.close();
  });

  test("gives the same bytes in another folder", () => {
    ensureDefaultModel(models);
    const other = join(models, "other");
    ensureDefaultModel(other);
    expect(readlinkSync(join(other, "libarb_latest.so"))).toBe(readlinkSync(join(models, "libarb_latest.so")));
  });

  test("leaves a model that is up to date, and one that somebody else put there", () => {
    ensureDefaultModel(models);
    expect(ensureDefaultModel(models)).toBe(false);
    const mine = readlinkSync(join(models, "libarb_latest.so"));
    renameSync(join(models, mine), join(models, "libarb_vtrained.so"));
    symlinkSync("libarb_vtrained.so", join(models, "flip"));
    renameSync(join(models, "flip"), join(models, "libarb_latest.so"));
    expect(ensureDefaultModel(models)).toBe(false);
    const model = loadModel(models, "arb");
    expect(model.compiledBy).toBe("unknown");
    model.close();
  });

  test("builds anew when the default's own source has changed", () => {
    const changed = join(models, "changed-abi");
    cpSync(ABI, changed, { recursive: true });
    const source = readFileSync(join(changed, "default_model.c"), "utf8");
    writeFileSync(join(changed, "default_model.c"), source.replace("SCORE_HIGH 0.99f", "SCORE_HIGH 0.98f"));
    ensureDefaultModel(models, { sourceDir: changed });
    const old = loadModel(models, "arb");
    expect(ensureDefaultModel(models)).toBe(true);
    const model = loadModel(models, "arb");
    expect(model.hash).not.toBe(old.hash);
    model.close();
    old.close();
  });

  test("loadModel() refuses a library for another list of features", () => {
    ensureDefaultModel(models);
    const header = readFileSync(join(ABI, "model_abi.h"), "utf8");
    writeFileSync(
      join(models, "narrow.c"),
      `${header}\nstatic float one(const float *x, size_t n) { return n > 0 ? x[0] : 0; }
       static const model_abi_v1 table = {1, 3, 0.5f, one, one, 0};
       const model_abi_v1 *model_abi_v1_export(void) { return &table; }\n`,
    );
    if (compiler !== undefined) compileLibrary(compiler, join(models, "narrow.c"), join(models, "narrow.so"));
    symlinkSync("narrow.so", join(models, "flip"));
    renameSync(join(models, "flip"), join(models, "libarb_latest.so"));
    expect(() => loadModel(models, "arb")).toThrow(`${FEATURES.length} features, was 3`);
  });
});

describe("ensureDefaultModel() without a compiler", () => {
  test("publishes the source, which the compiler inside Bun then compiles, with the same scores", () => {
    expect(ensureDefaultModel(models, { compiler: null })).toBe(true);
    const inBun = loadModel(models, "arb");
    expect(inBun.compiledBy).toBe("TinyCC inside Bun");
    expect(filesOf(models)).toEqual([
      "arb-history.ndjson",
      `libarb_latest.c`,
      `libarb_v${inBun.hash}.c`,
      `libarb_v${inBun.hash}.json`,
    ]);
    if (compiler !== undefined) {
      const other = join(models, "other");
      ensureDefaultModel(other);
      const compiled = loadModel(other, "arb");
      fc.assert(fc.property(anyRow, (row) => expect(inBun.predict(row)).toBe(compiled.predict(row))));
      compiled.close();
    }
    inBun.close();
  });

  test("refuses a folder without the sources and leaves nothing half-made", () => {
    expect(() => ensureDefaultModel(models, { sourceDir: root })).toThrow("Cannot build the default model");
    expect(filesOf(models)).toEqual([]);
  });
});

describe("loadModel()", () => {
  test("says what is missing", () => {
    try {
      loadModel(root, "arb");
      throw new Error("it loaded");
    } catch (thrown) {
      expect((thrown as SandpiperError).code).toBe(MODEL_ERROR.load);
    }
  });
});

const anyRow = fc
  .tuple(...FEATURES.map((feature) => fc.double({ min: feature.low, max: feature.high, noNaN: true })))
  .map((values) => {
    const row = createFeatureRow();
    row.set(values);
    return row;
  });

describe("the default model", () => {
  let model: Model;
  beforeAll(() => {
    const folder = join(root, "default");
    ensureDefaultModel(folder);
    model = loadModel(folder, "arb");
  });
  afterAll(() => model.close());

  test("answers a probability that is never certain", () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const score = model.predict(row);
        expect(score).toBeGreaterThanOrEqual(Math.fround(0.01));
        expect(score).toBeLessThanOrEqual(Math.fround(0.99));
      }),
    );
  });

  test("answers NaN for a row of another length", () => {
    expect(model.predict(new Float32Array(3))).toBeNaN();
    expect(model.predict(new Float32Array(FEATURES.length + 1))).toBeNaN();
  });

  const directions: [string, 1 | -1][] = [
    ["tip_log10", 1],
    ["tip_share", 1],
    ["tip_over_recent_log10", 1],
    ["recent_landed_share", 1],
    ["event_age_ms", -1],
    ["recent_outbid_share", -1],
  ];
  test.each(directions)("never moves against %s", (name, direction) => {
    const place = FEATURES.findIndex((feature) => feature.name === name);
    const { low, high } = FEATURES[place] ?? { low: 0, high: 1 };
    const value = fc.double({ min: low, max: high, noNaN: true });
    fc.assert(
      fc.property(anyRow, value, value, (row, a, b) => {
        row[place] = Math.min(a, b);
        const before = model.predict(row);
        row[place] = Math.max(a, b);
        expect(direction * (model.predict(row) - before)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
