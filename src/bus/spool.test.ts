import { afterEach, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { BUS_ERROR } from "./errors.ts";
import { type Outgoing, Spool } from "./spool.ts";

const MIB = 1024 * 1024;
const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-spool-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const message = (i: number, bytes = 8): Outgoing => ({
  topic: "metrics-proto",
  key: `schlüssel ${i}`,
  value: new Uint8Array(bytes).fill(i),
  publishedMs: 1_700_000_000_000.5 + i,
});
const messages = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => message(from + i));
const all = (spool: Spool) => spool.head(1_000, MIB).messages;

test("append() keeps topic, key, value and time over a reopening, in order", () => {
  const folder = newFolder();
  const spool = new Spool(folder, "mev", MIB);
  expect(spool.append(messages(0, 3))).toBe(3);
  expect(spool.append(messages(3, 5))).toBe(2);
  spool.close();
  const again = new Spool(folder, "mev", MIB);
  expect(again.pending).toBe(5);
  expect(all(again)).toEqual(messages(0, 5));
});

test("advance() is remembered, and an emptied spool begins anew at the start of its file", () => {
  const folder = newFolder();
  const spool = new Spool(folder, "mev", MIB);
  spool.append(messages(0, 5));
  spool.advance(spool.head(2, MIB));
  spool.close();
  const again = new Spool(folder, "mev", MIB);
  expect(all(again)).toEqual(messages(2, 5));
  again.advance(again.head(10, MIB));
  expect([again.pending, statSync(join(folder, "mev.spool")).size]).toEqual([0, 0]);
  again.append(messages(7, 8));
  again.close();
  expect(all(new Spool(folder, "mev", MIB))).toEqual(messages(7, 8));
});

test("append() takes what has room under the limit and says how many", () => {
  const spool = new Spool(newFolder(), "mev", 1_000);
  const taken = spool.append(Array.from({ length: 5 }, (_, i) => message(i, 300)));
  expect([taken, spool.pending]).toEqual([2, 2]);
  expect(spool.append([message(9, 300)])).toBe(0);
});

test("a tail torn by a kill is cut, wherever it was torn, and what was whole stays", () => {
  const folder = newFolder();
  const path = join(folder, "mev.spool");
  const spool = new Spool(folder, "mev", MIB);
  spool.append(messages(0, 2));
  const whole = statSync(path).size;
  spool.append(messages(2, 3));
  spool.close();
  const bytes = readFileSync(path);
  for (let size = whole; size < bytes.length; size++) {
    writeFileSync(path, bytes.subarray(0, size));
    const torn = new Spool(folder, "mev", MIB);
    expect([torn.pending, torn.cutBytes]).toEqual([2, size - whole]);
    torn.append(messages(5, 6));
    expect(all(torn)).toEqual([...messages(0, 2), message(5)]);
    torn.close();
  }
});

test("a frame whose bytes were changed is not handed out", () => {
  const folder = newFolder();
  const path = join(folder, "mev.spool");
  const spool = new Spool(folder, "mev", MIB);
  spool.append(messages(0, 1));
  const first = statSync(path).size;
  spool.append(messages(1, 2));
  spool.close();
  const bytes = readFileSync(path);
  bytes[first + 20] = (bytes[first + 20] as number) ^ 1;
  writeFileSync(path, bytes);
  expect(all(new Spool(folder, "mev", MIB))).toEqual(messages(0, 1));
});

test("a place behind the end, left by a kill between emptying and noting it, means from the start", () => {
  const folder = newFolder();
  const spool = new Spool(folder, "mev", MIB);
  spool.append(messages(0, 3));
  spool.advance(spool.head(1, MIB));
  spool.close();
  truncateSync(join(folder, "mev.spool"), 0);
  expect(new Spool(folder, "mev", MIB).pending).toBe(0);
});

test("Spool refuses a place that is no number and a folder that is none", () => {
  const folder = newFolder();
  writeFileSync(join(folder, "mev.place"), "yesterday");
  expect(() => new Spool(folder, "mev", MIB)).toThrow(expect.objectContaining({ code: BUS_ERROR.spool }));
  expect(() => new Spool(join(folder, "mev.place"), "x", MIB)).toThrow(/^Cannot open the spool/);
});

test("Spool answers hostile bytes with whole frames or nothing", () => {
  const folder = newFolder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
      const path = join(folder, "mev.spool");
      rmSync(path, { force: true });
      const spool = new Spool(folder, "mev", MIB);
      spool.append(messages(0, 1));
      spool.close();
      appendFileSync(path, tail);
      const again = new Spool(folder, "mev", MIB);
      expect(all(again)).toEqual(messages(0, 1));
      again.close();
    }),
    { numRuns: 200 },
  );
});
