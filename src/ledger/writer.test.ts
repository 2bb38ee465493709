/** The folder under a writer: what is there after appends, after any torn write, after kill -9, and beside another writer. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEntry, encodeEntry } from "./entry.ts";
import { BATCH_LEAVES_MAX, ledgerFiles } from "./files.ts";
import { inspectLedger } from "./inspect.ts";
import { generateSignerKey, readSignerKey } from "./note.ts";
import { LedgerReader } from "./reader.ts";
import { testEntries, testEntry } from "./test-entries.ts";
import { openLedgerWriter } from "./writer.ts";

const ROOT = join(import.meta.dir, "../..");
const top = mkdtempSync(join(tmpdir(), "sandpiper-ledger-"));
afterAll(() => rmSync(top, { recursive: true }));

const secret = generateSignerKey("test/ledger");
const signer = readSignerKey(secret);
let folder = "";
let made = 0;
beforeEach(() => {
  folder = join(top, `${made++}`);
});

async function append(from: number, to: number, into = folder) {
  const writer = await openLedgerWriter(into, signer);
  writer.append(testEntries(from, to));
  writer.close();
  return writer.cutBytes;
}

const inspect = (path = folder) => inspectLedger(ledgerFiles(path), signer.verifier);

/** The numbers that the entries carry, each read with its proof. */
function numbers(path = folder): number[] {
  const reader = new LedgerReader(path, signer.verifier);
  try {
    return Array.from({ length: reader.checkpoint.size }, (_, index) => {
      const entry = decodeEntry(reader.leaf(index).bytes);
      return entry.kind === "refused" ? Number(entry.who.slice("nobody ".length)) : -1;
    });
  } finally {
    reader.close();
  }
}

const upTo = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

test("append() is there for a reader and for the next writer", async () => {
  expect(await append(0, 3)).toBe(0);
  expect(await append(3, 10)).toBe(0);
  expect(numbers()).toEqual(upTo(10));
  expect(inspect()).toMatchObject({ findings: [], scan: { tailBytes: 0 } });
});

test("LedgerReader proves that each earlier size is the beginning, and refuses places that are not there", async () => {
  await append(0, 9);
  const reader = new LedgerReader(folder, signer.verifier);
  for (let size = 1; size <= 9; size++) expect(reader.consistency(size).size2).toBe(9n);
  expect(() => reader.consistency(0)).toThrow("an earlier size from 1");
  expect(() => reader.leaf(9)).toThrow("an index below the size 9");
  reader.close();
});

test("a reader sees nothing of a batch that is not signed yet", async () => {
  await append(0, 3);
  appendFileSync(ledgerFiles(folder).leaves, '{"after"');
  expect(numbers()).toEqual(upTo(3));
});

test("openLedgerWriter() mends a batch torn anywhere in any file, and loses nothing that was signed", async () => {
  await append(0, 3);
  const before = join(top, "before");
  cpSync(folder, before, { recursive: true });
  await append(3, 6);
  const [old, now] = [ledgerFiles(before), ledgerFiles(folder)];
  const work = join(top, "torn");
  const tears = (["leaves", "offsets", "hashes"] as const).flatMap((name) => {
    const [from, to] = [readFileSync(old[name]).length, readFileSync(now[name]).length];
    const step = name === "leaves" ? 5 : 16;
    return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => ({ name, bytes: from + i * step }));
  });
  expect(tears.length).toBeGreaterThan(90);
  for (const { name, bytes } of tears) {
    rmSync(work, { recursive: true, force: true });
    cpSync(folder, work, { recursive: true });
    cpSync(old.checkpoint, ledgerFiles(work).checkpoint);
    truncateSync(ledgerFiles(work)[name], bytes);
    const writer = await openLedgerWriter(work, signer);
    const { size } = writer;
    writer.append([testEntry(size)]);
    writer.close();
    expect(size).toBe(3);
    expect([numbers(work), inspect(work).findings, inspect(work).scan.tailBytes]).toEqual([upTo(4), [], 0]);
  }
}, 60_000);

test("openLedgerWriter() never signs for whole leaves that are not signed", async () => {
  await append(0, 2);
  appendFileSync(ledgerFiles(folder).leaves, `${Buffer.from(encodeEntry(testEntry(66))).toString()}\n`);
  expect(await append(2, 3)).toBeGreaterThan(100);
  expect(numbers()).toEqual(upTo(3));
});

test("openLedgerWriter() cuts zeros that a lost page left", async () => {
  await append(0, 2);
  appendFileSync(ledgerFiles(folder).leaves, Buffer.alloc(5_000));
  expect(await append(2, 3)).toBe(5_000);
  expect(numbers()).toEqual(upTo(3));
});

const KILLS = 30;
test(`${KILLS} times kill -9: what was acknowledged is there, once and in order, and all of it is proven`, async () => {
  const script = `
    import { openLedgerWriter } from "#ledger/writer.ts";
    import { readSignerKey } from "#ledger/note.ts";
    import { testEntries } from "#ledger/test-entries.ts";
    const writer = await openLedgerWriter(${JSON.stringify(folder)}, readSignerKey(${JSON.stringify(secret)}));
    for (;;) {
      const { size } = writer.append(testEntries(writer.size, writer.size + 1 + (writer.size % 40)));
      require("node:fs").writeSync(1, size + "\\n");
    }`;
  let most = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = Bun.spawn([process.execPath, "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" });
    let said = "";
    for await (const bytes of child.stdout) {
      if (said === "") setTimeout(() => child.kill("SIGKILL"), Math.random() * 20);
      said += Buffer.from(bytes).toString();
    }
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    const acknowledged = Number(said.split("\n").slice(0, -1).at(-1));
    const { checkpoint, findings } = inspect();
    expect(findings).toEqual([]);
    expect(checkpoint.size).toBeGreaterThanOrEqual(acknowledged);
    most = Math.max(most, checkpoint.size);
  }
  const writer = await openLedgerWriter(folder, signer);
  writer.append([testEntry(writer.size)]);
  writer.close();
  const seen = numbers();
  expect(seen.length).toBeGreaterThan(Math.max(most, KILLS));
  expect(seen).toEqual(upTo(seen.length));
  expect(inspect()).toMatchObject({ findings: [], scan: { tailBytes: 0 } });
}, 120_000);

describe("openLedgerWriter() refuses", () => {
  test("a folder that another writer has, until that one is closed", async () => {
    const first = await openLedgerWriter(folder, signer);
    expect(openLedgerWriter(folder, signer)).rejects.toThrow("no other writer");
    first.close();
    await append(0, 1);
  });

  test("another key", async () => {
    await append(0, 1);
    const other = readSignerKey(generateSignerKey("test/ledger"));
    expect(openLedgerWriter(folder, other)).rejects.toThrow("Cannot open the signed note");
  });

  test("to sign for an edited leaf, and lets go of the folder", async () => {
    await append(0, 3);
    const { leaves } = ledgerFiles(folder);
    const right = readFileSync(leaves, "utf8");
    writeFileSync(leaves, right.replace("nobody 1", "nobody 7"));
    expect(openLedgerWriter(folder, signer)).rejects.toThrow("leaf 1 is the first that differs");
    writeFileSync(leaves, right);
    await append(3, 4);
  });

  test("leaves without a checkpoint", async () => {
    await append(0, 3);
    rmSync(ledgerFiles(folder).checkpoint);
    expect(openLedgerWriter(folder, signer)).rejects.toThrow("a checkpoint beside its leaves");
  });

  test("an old checkpoint under more leaves than one batch", async () => {
    await append(0, 1);
    const { checkpoint } = ledgerFiles(folder);
    const old = readFileSync(checkpoint);
    const writer = await openLedgerWriter(folder, signer);
    const long = { ...testEntry(1), reason: "x".repeat(65_000) };
    for (let batch = 0; batch < 2; batch++) writer.append(new Array(40).fill(long));
    writer.close();
    writeFileSync(checkpoint, old);
    expect(openLedgerWriter(folder, signer)).rejects.toThrow("at most one batch of");
  });
});

test("append() refuses no leaves, too many, a bad entry and a file that somebody else wrote to, and goes on", async () => {
  const writer = await openLedgerWriter(folder, signer);
  expect(() => writer.append([])).toThrow("1 to 1024 leaves, was 0");
  expect(() => writer.append(testEntries(0, BATCH_LEAVES_MAX + 1))).toThrow("was 1025");
  expect(() => writer.append([testEntry(0), { ...testEntry(1), atNs: "now" }])).toThrow("atNs in nanoseconds");
  expect(writer.append([testEntry(0)]).size).toBe(1);
  appendFileSync(ledgerFiles(folder).leaves, "x");
  expect(() => writer.append([testEntry(1)])).toThrow("as this writer left them");
  writer.close();
  expect(numbers()).toEqual([0]);
});
