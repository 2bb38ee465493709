import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCompiler } from "#ffi/c-compiler.ts";
import { openLiveModels } from "./default-model.ts";
import { MODEL_ERROR } from "./errors.ts";
import { createFeatureRow, FEATURES } from "./features.ts";
import type { LiveModel } from "./live-model.ts";
import {
  addVersion,
  fileInUse,
  flip,
  hashOf,
  listVersions,
  readHistory,
  retire,
  versionBefore,
} from "./models-folder.ts";
import { addModel, compileModel, goldenRows, type LibraryParts } from "./test-models.ts";

const found = findCompiler();
const MINUTES_MS = 120_000;
const NOTE = { action: "promote", by: "a test", why: "to see", atMs: 1 } as const;
let root = "";
let models = "";
const live: LiveModel[] = [];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sandpiper-test-live-"));
});
beforeEach(() => {
  models = join(mkdtempSync(join(root, "run-")), "models");
});
afterAll(() => {
  for (const model of live) model.close();
  rmSync(root, { recursive: true, force: true });
});

const compiler = () => {
  if (found === undefined) throw new Error("needs a C compiler");
  return found;
};

/** An agent's models, its alarms, and how to wait for what the following does. */
function start() {
  const alarms: string[] = [];
  const { model, shadow } = openLiveModels(models, "arb", { info: () => {}, error: (text) => void alarms.push(text) });
  live.push(model, shadow);
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { model, shadow, alarms, until };
}

function good(value: number): string {
  const library = compileModel(root, compiler(), { body: `return ${value}f + 0.25f * x[0];` });
  return addModel(models, root, library, (first) => Math.fround(value) + 0.25 * first);
}

describe.skipIf(found === undefined)("LiveModel", () => {
  test(
    "answers by the new version soon after the flip, and by the old one when it is flipped back",
    async () => {
      const { model, alarms, until } = start();
      const first = model.hash;
      const row = createFeatureRow();
      const before = model.predict(row);
      const hash = good(0.5);
      flip(models, "arb", "latest", hash, NOTE);
      await until(() => model.hash === hash);
      expect(model.predict(row)).toBe(0.5);
      expect(versionBefore(models, "arb")).toBe(first);
      flip(models, "arb", "latest", first, NOTE);
      await until(() => model.hash === first);
      expect(model.predict(row)).toBe(before);
      expect([alarms, model.stats().swaps]).toEqual([[], 2]);
    },
    MINUTES_MS,
  );

  test(
    "lets the shadow come and go beside the model that decides",
    async () => {
      const { model, shadow, until } = start();
      const first = model.hash;
      expect([shadow.hash, shadow.predict(createFeatureRow())]).toEqual(["", Number.NaN]);
      const hash = good(0.25);
      flip(models, "arb", "shadow", hash, { ...NOTE, action: "shadow" });
      await until(() => shadow.hash === hash);
      expect([shadow.predict(createFeatureRow()), model.hash]).toEqual([0.25, first]);
      flip(models, "arb", "shadow", undefined, { ...NOTE, action: "unshadow" });
      await until(() => shadow.hash === "");
      expect(readHistory(models, "arb").map(({ action }) => action)).toEqual(["promote", "shadow", "unshadow"]);
    },
    MINUTES_MS,
  );

  const HALF = (): string => goldenRows(root, () => 0.5);
  const library = (parts: LibraryParts) => compileModel(root, compiler(), parts);
  const added = (parts: LibraryParts, golden = HALF()) => addModel(models, root, library(parts), () => 0.5, golden);
  /** A version under a name of its own, whatever its bytes are. */
  const placed = (bytes: Uint8Array | string, hash = "00000000000000aa") => {
    writeFileSync(join(models, `libarb_v${hash}.so`), bytes);
    cpSync(HALF(), join(models, `libarb_v${hash}.golden.csv`));
    writeFileSync(join(models, `libarb_v${hash}.json`), '{"compiledBy":"a test"}');
    return hash;
  };
  const whole = () => readFileSync(library({}));
  const cut = (share: number) => {
    const bytes = whole();
    return bytes.subarray(0, Math.floor(bytes.length * share));
  };
  const named = (bytes: Uint8Array) => placed(bytes, hashOf(bytes));
  const holed = () => {
    const bytes = whole();
    bytes.fill(0, 64, Math.floor(bytes.length * 0.9));
    return bytes;
  };
  const WIDTH = FEATURES.length;
  const BAD: readonly [name: string, make: () => string, words: string][] = [
    ["crashes when it is called", () => added({ body: "return *(volatile float *)0;" }), "child process survives"],
    [
      "ends the process when it is opened",
      () => added({ before: "void _exit(int); __attribute__((constructor)) static void leave(void) { _exit(0); }" }),
      "child process survives",
    ],
    ["never answers", () => added({ body: "for (;;) ; return 0;" }), "child process survives"],
    ["answers NaN", () => added({ body: "float z = 0; return z / z;" }), "child process survives"],
    ["answers infinity", () => added({ body: "float z = 0; return 1 / z;" }), "child process survives"],
    ["is cut off, under the hash of what is left", () => named(cut(0.5)), "a whole library"],
    ["is cut off, under the hash of the whole", () => placed(cut(0.8), hashOf(whole())), "bytes of the hash"],
    ["has a hole in it", () => named(holed()), "child process survives"],
    ["is no library", () => named(Buffer.from("#!/bin/sh\nexit 0\n".repeat(20))), "64-bit ELF"],
    ["is of another ABI", () => added({ table: `{2, ${WIDTH}, 0.05f, predict, predict, 0}` }), "ABI version 1"],
    ["wants rows of another width", () => added({ table: "{1, 3, 0.05f, predict, predict, 0}" }), "golden rows of"],
    [
      "wants rows of another width, with rows to match",
      () =>
        added(
          { body: "return 0.5f + 0 * x[2];", table: "{1, 3, 0.05f, predict, predict, 0}" },
          goldenRows(root, () => 0.5, 3),
        ),
      `${WIDTH} features, was 3`,
    ],
    ["has no predict_arb", () => added({ table: `{1, ${WIDTH}, 0.05f, predict, 0, 0}` }), "which the library has not"],
    ["answers other numbers than its trainer", () => added({ body: "return 0.500002f;" }), "golden rows within"],
    [
      "is too slow",
      () => added({ body: "volatile float s = 0; for (int i = 0; i < 400000; i++) s += x[0]; return 0.5f;" }),
      "at the median",
    ],
    ["has a threshold above 1", () => added({ table: `{1, ${WIDTH}, 1.5f, predict, predict, 0}` }), "threshold"],
    [
      "brings no golden rows",
      () => addVersion(models, "arb", { library: library({ body: "return 0.75f;" }) }, { compiledBy: "a test" }),
      "golden rows beside it",
    ],
  ];
  test(
    `refuses ${BAD.length} kinds of bad library, says why, and goes on with the model that it has`,
    async () => {
      const { model, alarms, until } = start();
      const first = model.hash;
      const answer = model.predict(createFeatureRow());
      for (const [name, make, words] of BAD) {
        const seen = model.stats().refused;
        flip(models, "arb", "latest", make(), NOTE);
        await until(() => model.stats().refused > seen);
        expect([name, alarms.at(-1)]).toEqual([name, expect.stringContaining(words)]);
        expect([model.hash, model.predict(createFeatureRow())]).toEqual([first, answer]);
      }
      expect([alarms.length, model.stats()]).toEqual([
        BAD.length,
        { swaps: 0, refused: BAD.length, lastRefusal: expect.stringContaining("golden rows beside it") },
      ]);
      // A good one is still taken.
      const hash = good(0.125);
      flip(models, "arb", "latest", hash, NOTE);
      await until(() => model.hash === hash);
    },
    4 * MINUTES_MS,
  );

  test(
    "starts on the default model when the one in use is not sound, and takes a sound one later",
    async () => {
      start();
      flip(models, "arb", "latest", added({ body: "return *(volatile float *)0;" }), NOTE);
      const { model, alarms, until } = start();
      expect(alarms[0]).toContain("the default decides");
      expect(model.predict(createFeatureRow())).toBeGreaterThan(0);
      const hash = good(0.5);
      flip(models, "arb", "latest", hash, NOTE);
      await until(() => model.hash === hash);
    },
    MINUTES_MS,
  );
});

describe.skipIf(found === undefined)("the models folder", () => {
  test("lists versions with their roles, and retires only what nobody uses", () => {
    start();
    const [first] = listVersions(models, "arb");
    const hash = good(0.5);
    expect(listVersions(models, "arb").map((one) => [one.hash, one.role])).toContainEqual([hash, "none"]);
    const note = { by: "a test", why: "old", atMs: 1 };
    expect(() => retire(models, "arb", first?.hash ?? "", note)).toThrow("that nobody uses, was latest");
    retire(models, "arb", hash, note);
    expect(listVersions(models, "arb").find((one) => one.hash === hash)?.role).toBe("retired");
    expect(() => flip(models, "arb", "latest", hash, NOTE)).toThrow("a version on record, was none");
    expect(fileInUse(models, "arb", "latest")).toBe(first?.path ?? "");
  });

  test("refuses to flip to what is no version", () => {
    start();
    let code = 0;
    try {
      flip(models, "arb", "latest", "ffffffffffffffff", NOTE);
    } catch (thrown) {
      code = (thrown as { code: number }).code;
    }
    expect(code).toBe(MODEL_ERROR.version);
  });
});
