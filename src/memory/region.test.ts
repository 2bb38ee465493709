import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";
import { createRegion, openRegion } from "./region.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync("/dev/shm/sandpiper-test-region-");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (run: () => unknown): number => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SandpiperError) return thrown.code;
    throw thrown;
  }
  return 0;
};

describe("createRegion()", () => {
  test("makes a zeroed file of the size, private, with its parents", () => {
    const path = join(folder, "a", "b", "zeros");
    const buffer = createRegion(path, 1_500_000);
    expect(buffer.byteLength).toBe(1_500_000);
    expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(1_500_000);
  });

  test("keeps the content of a region that has the size", () => {
    const path = join(folder, "kept");
    new Uint8Array(createRegion(path, 4_096))[100] = 7;
    expect(new Uint8Array(createRegion(path, 4_096))[100]).toBe(7);
  });

  test("replaces a region of another size and leaves the old mapping usable", () => {
    const path = join(folder, "resized");
    const old = new Uint8Array(createRegion(path, 8_192));
    old[8_191] = 1;
    const fresh = new Uint8Array(createRegion(path, 4_096));
    expect(fresh.length).toBe(4_096);
    expect(fresh.every((byte) => byte === 0)).toBe(true);
    expect(old[8_191]).toBe(1);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 40])("refuses a size of %p", (bytes) => {
    expect(codeOf(() => createRegion(join(folder, "refused"), bytes))).toBe(MEMORY_ERROR.regionCreate);
  });

  test("refuses a place where no file can be made, and leaves nothing", () => {
    writeFileSync(join(folder, "file"), "");
    expect(codeOf(() => createRegion(join(folder, "file", "below"), 64))).toBe(MEMORY_ERROR.regionCreate);
  });
});

describe("openRegion()", () => {
  test("shares the memory of the one who created it", () => {
    const path = join(folder, "shared");
    const mine = new Int32Array(createRegion(path, 4_096));
    const theirs = new Int32Array(openRegion(path));
    Atomics.store(mine, 5, 42);
    expect(Atomics.load(theirs, 5)).toBe(42);
  });

  test("refuses what is not there", () => {
    expect(codeOf(() => openRegion(join(folder, "absent")))).toBe(MEMORY_ERROR.regionOpen);
  });

  test("refuses an empty file", () => {
    writeFileSync(join(folder, "empty"), "");
    expect(codeOf(() => openRegion(join(folder, "empty")))).toBe(MEMORY_ERROR.regionOpen);
  });
});
