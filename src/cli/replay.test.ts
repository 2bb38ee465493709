/** `sandpiper replay` on blocks of our own making: the same bytes twice, decisions on a real cycle, refusals that leave nothing. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { SandpiperError } from "#core/error.ts";
import { testAmmPool, testBlock, testSwapTransaction } from "#market/test-block.ts";
import { decodeEnvelope, type Envelope } from "#wire/envelope.ts";
import { runReplay } from "./replay.ts";
import { delimited } from "./replay-envelopes.ts";

const SOL = 1_000_000_000n;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-replay-"));
const blocks = join(folder, "blocks");
const at = (name: string) => join(folder, name);
const replay = (path: string, out: string) => runReplay([path, "--out", at(out), "--dataDir", at("data")]);

/** Two pools of one token: a large swap on the first opens a cycle through the second. */
function writeBlocks(): void {
  const first = testAmmPool("first", "token", 1_000_000_000_000n, 1_000n * SOL);
  const second = testAmmPool("second", "token", 2_000_000_000_000n, 2_000n * SOL);
  const block = (slot: number, time: number, swaps: Parameters<typeof testSwapTransaction>[1][]) =>
    JSON.stringify(
      testBlock(
        slot - 1,
        time,
        swaps.map((swap, i) => testSwapTransaction(`${slot}/${i}`, swap)),
      ),
    );
  mkdirSync(blocks);
  const quiet = block(9, 1_700_000_000, [
    { pool: second, inputSide: 0, amount: 1_000_000n },
    { pool: first, inputSide: 1, amount: SOL, inner: true },
    { pool: first, inputSide: 0, amount: 5_000_000n, failed: true },
  ]);
  writeFileSync(join(blocks, "9.json"), quiet);
  const loud = block(10, 1_700_000_001, [{ pool: first, inputSide: 1, amount: 100n * SOL, kind: "base-in" }]);
  writeFileSync(join(blocks, "10.json.gz"), gzipSync(loud));
}

function readEnvelopes(path: string): Envelope[] {
  const bytes = readFileSync(path);
  const envelopes: Envelope[] = [];
  for (let place = 0; place < bytes.length; ) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[place++] as number;
      length |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    envelopes.push(decodeEnvelope(bytes.subarray(place, place + length)));
    place += length;
  }
  return envelopes;
}

beforeAll(writeBlocks);
afterAll(() => rmSync(folder, { recursive: true }));

describe("sandpiper replay", () => {
  test("replays a folder in slot order and counts what it saw", async () => {
    expect(await replay(blocks, "one")).toBe(0);
    expect(readdirSync(at("one")).sort()).toEqual(["envelopes.bin", "summary.json", "swaps.ndjson"]);
    expect(JSON.parse(readFileSync(at("one/summary.json"), "utf8"))).toMatchObject({
      blocks: 2,
      first_slot: 9,
      last_slot: 10,
      transactions: 4,
      votes: 0,
      failed: 1,
      swaps: 3,
      swaps_seen_by_mev: 3,
      exact_quotes: 3,
      unquoted_swaps: 0,
      pools: 2,
      dropped: 0,
    });
  });

  test("puts decisions on record, made on the recording's time, and the agents' metrics last", async () => {
    const envelopes = readEnvelopes(at("one/envelopes.bin"));
    const decisions = envelopes.flatMap(({ payload }) => (payload.case === "arb" ? [payload.value] : []));
    const metrics = envelopes.flatMap(({ payload }) => (payload.case === "metrics" ? [payload.value] : []));
    expect(decisions.length).toBeGreaterThan(0);
    const last = decisions.at(-1);
    expect(last).toMatchObject({ agent: "arbitrage", mode: "replay", slot: 10n, classification: "cycle-2" });
    // One second after the first block, in the first transaction of its block.
    expect(last?.eventNs).toBe(1_700_000_001_000_001_000n);
    expect(last?.grossLamports).toBe((last?.hopAmounts.at(-1) ?? 0n) - (last?.hopAmounts[0] ?? 0n));
    expect(last?.grossLamports).toBeGreaterThan(0n);
    expect(metrics.map(({ agent, swapsTotal }) => [agent, swapsTotal])).toEqual([
      ["arbitrage", 0n],
      ["mev", 3n],
    ]);
    expect(envelopes.at(-1)?.payload.case).toBe("metrics");
  });

  test("gives the same bytes on a second run, also over an earlier replay", async () => {
    expect(await replay(blocks, "two")).toBe(0);
    expect(await replay(blocks, "two")).toBe(0);
    for (const name of ["swaps.ndjson", "envelopes.bin", "summary.json"])
      expect(readFileSync(at(`two/${name}`)).equals(readFileSync(at(`one/${name}`)))).toBe(true);
  });

  test("leaves nothing of a recording whose second block is corrupt", async () => {
    const bad = at("bad");
    mkdirSync(bad);
    writeFileSync(join(bad, "9.json"), readFileSync(join(blocks, "9.json")));
    writeFileSync(join(bad, "10.json"), readFileSync(join(blocks, "10.json.gz")).subarray(0, 300));
    const before = readdirSync(folder).sort();
    await expect(replay(bad, "none")).rejects.toThrow("Cannot read recorded block");
    await replay(bad, "none").catch(() => {});
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  test("refuses one slot twice", async () => {
    const twice = at("twice");
    mkdirSync(twice);
    for (const name of ["a9.json", "b9.json"]) writeFileSync(join(twice, name), readFileSync(join(blocks, "9.json")));
    await expect(replay(twice, "none")).rejects.toThrow("a slot after 9");
  });

  test("never replaces a folder that is no replay's", async () => {
    const precious = at("precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "letter.txt"), "dear");
    await expect(replay(blocks, "precious")).rejects.toThrow(SandpiperError);
    expect(existsSync(join(precious, "letter.txt"))).toBe(true);
  });

  test.each([
    ["nothing", []],
    ["no folder", ["path"]],
    ["no path", ["--out", "folder"]],
    ["an absent path", [at("absent"), "--out", at("none"), "--dataDir", at("data")]],
  ])("refuses %s", async (_, args) => {
    await expect(runReplay(args)).rejects.toThrow(SandpiperError);
  });
});

test.each([0, 1, 127, 128, 300, 70_000])("delimited() writes protobuf's varint before %i bytes", (length) => {
  const framed = delimited(new Uint8Array(length));
  const prefix = [...framed.subarray(0, framed.length - length)];
  expect(prefix.reduce((sum, byte, i) => sum + (byte & 0x7f) * 128 ** i, 0)).toBe(length);
  expect(prefix.every((byte, i) => byte >> 7 === (i < prefix.length - 1 ? 1 : 0))).toBe(true);
});
