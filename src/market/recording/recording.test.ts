/** Recordings: round trips, and whatever can be wrong with files. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import { indexBytes } from "#core/segments/format.ts";
import { openSegments } from "#core/segments/reader.ts";
import type { Address, Signature } from "#core/units.ts";
import type { MarketEvent } from "#market/source.ts";
import { testAddress } from "#market/test-block.ts";
import { decodeEvents, EventEncoder } from "./event-codec.ts";
import { MarketRecorder } from "./recorder.ts";
import { createRecordingSource, openRecording } from "./recording-source.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-recording-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const address = fc.constantFrom("one", "two", "three").map(testAddress);
const data = fc.uint8Array({ maxLength: 40 });
const account = fc.record({ address, owner: fc.oneof(address, fc.constant("" as Address)), data });
const accounts = fc.array(account, { maxLength: 4 });
const slot = fc.bigInt({ min: 0n, max: 1n << 40n });
const arrivedNs = fc.integer({ min: 0, max: 2 ** 50 });
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => base58Encode(bytes) as Signature);
const transaction = fc.record({
  slot,
  indexInSlot: fc.nat(5_000),
  signature,
  feePayer: address,
  failed: fc.boolean(),
  instructions: fc.array(
    fc.record({
      program: address,
      accounts: fc.array(address, { maxLength: 3 }),
      depth: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      data: fc.option(data, { nil: undefined }),
    }),
    { maxLength: 3 },
  ),
  logs: fc.array(fc.string(), { maxLength: 3 }),
  tokenAccounts: fc.array(
    fc.tuple(
      address,
      fc.record({ mint: address, decimals: fc.nat(18), change: fc.bigInt({ min: -(1n << 64n), max: 1n << 64n }) }),
    ),
    { maxLength: 2 },
  ),
});
const event = fc.oneof(
  fc.record({ kind: fc.constant("snapshot" as const), slot, arrivedNs, accounts }),
  fc.record({ kind: fc.constant("writes" as const), slot, arrivedNs, accounts }),
  fc.record({ kind: fc.constant("slot" as const), slot, arrivedNs, slotStartMs: fc.nat() }),
  fc.record({ kind: fc.constant("gap" as const), slot, arrivedNs, why: fc.string() }),
  fc.record({ kind: fc.constant("dead" as const), slot, arrivedNs }),
  fc.record({ kind: fc.constant("transaction" as const), arrivedNs, accounts, transaction }),
);
type Made = typeof event extends fc.Arbitrary<infer T> ? T : never;

function real(made: Made): MarketEvent {
  if (made.kind !== "transaction") return made;
  const { instructions, tokenAccounts } = made.transaction;
  return {
    ...made,
    transaction: {
      ...made.transaction,
      instructions: instructions.map((one) => ({ ...one, data: () => one.data })),
      tokenAccounts: new Map(tokenAccounts),
    },
  };
}

/** Comparable: functions called, maps listed. */
const plain = (value: MarketEvent): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one) => {
      if (typeof one === "bigint") return `${one}n`;
      if (typeof one === "function") return Array.from(one() ?? ["none"]);
      if (one instanceof Uint8Array) return Array.from(one);
      return one instanceof Map ? [...one] : one;
    }),
  );

test("events come back as they were, property", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (made) => {
      const encoder = new EventEncoder();
      const events = made.map(real);
      const block = Buffer.concat(events.map((one) => encoder.encode(one)));
      expect(decodeEvents(block).map(plain)).toEqual(events.map(plain));
    }),
  );
});

test("decodeEvents() refuses hostile bytes with words, never with another error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeEvents(bytes);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SandpiperError);
      }
    }),
    { numRuns: 1_000 },
  );
});

const slotEvent = (number: number): MarketEvent => ({
  kind: "slot",
  slot: BigInt(number),
  slotStartMs: number * 400,
  arrivedNs: number * 4e8,
});
const writes = (number: number, byte: number): MarketEvent => ({
  kind: "writes",
  slot: BigInt(number),
  arrivedNs: number * 4e8 + 1e6,
  accounts: [{ address: testAddress("pool"), owner: testAddress("owner"), data: new Uint8Array(400).fill(byte) }],
});

function record(slots = 200): MarketEvent[] {
  const events: MarketEvent[] = [];
  const recorder = new MarketRecorder({
    folder,
    version: "test",
    source: "test",
    zeroWallNs: 1_700_000_000_000_000_000n,
    blockBytes: 4_096,
  });
  for (let number = 100; number < 100 + slots; number++) {
    const snapshot: MarketEvent[] =
      number % 50 === 0 ? [{ kind: "snapshot", slot: BigInt(number), arrivedNs: number * 4e8, accounts: [] }] : [];
    for (const one of [slotEvent(number), ...snapshot, writes(number, number & 0xff)]) {
      recorder.take(one);
      events.push(one);
    }
  }
  recorder.close();
  return events;
}

async function replay(
  options: { fromSlot?: bigint; toSlot?: bigint; speed?: number; sleep?: (ms: number) => Promise<void> } = {},
) {
  const events: MarketEvent[] = [];
  await createRecordingSource({ recording: openRecording(folder), ...options }).run((one) => events.push(one));
  return events;
}

describe("a recording", () => {
  test("gives back every event, then its end", async () => {
    const events = record();
    const replayed = await replay();
    expect(replayed.slice(0, -1).map(plain)).toEqual(events.map(plain));
    expect(replayed.at(-1)?.kind).toBe("end");
    expect(openRecording(folder)).toMatchObject({ firstSlot: 100n, lastSlot: 299n, segments: { tornBytes: 0 } });
  });

  test("from a slot on begins with the snapshot before it and what followed that", async () => {
    record();
    const replayed = await replay({ fromSlot: 170n, toSlot: 172n });
    const kinds = replayed.map((one) => (one.kind === "transaction" ? "" : `${one.kind} ${one.slot}`));
    expect(kinds[0]).toBe("snapshot 150");
    expect(kinds).toContain("writes 169");
    expect(kinds.slice(-4)).toEqual(["writes 171", "slot 172", "writes 172", "end 172"]);
  });

  test("at a speed keeps the recorded pace, that many times", async () => {
    record(11);
    let sleptMs = 0;
    await replay({
      speed: 1e6,
      sleep: async (ms) => {
        sleptMs += ms;
      },
    });
    expect(sleptMs).toBe(0);
    const asked: number[] = [];
    await replay({
      speed: 1,
      sleep: async (ms) => {
        asked.push(ms);
      },
    });
    // Nobody slept, so the last pause asked for is nearly the whole recording.
    expect(asked.at(-1) ?? 0).toBeGreaterThan(3_000);
  });

  test("refuses slots that it does not have", async () => {
    record();
    await expect(replay({ fromSlot: 500n })).rejects.toThrow("Cannot replay slots 500 to 299");
  });

  test("is not mixed with another one", () => {
    record();
    expect(() => record()).toThrow(/Cannot record into .*: a folder without a recording, was one with 1 segments/);
  });
});

describe("a damaged recording", () => {
  const segment = () => join(folder, "market", "000001.seg");
  const index = () => join(folder, "market", "000001.idx");
  const refused = async (words: RegExp) => {
    const thrown = await replay().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(SandpiperError);
    expect(String(thrown)).toMatch(words);
  };

  test("every byte that flips is refused before an event of its block comes out", async () => {
    const events = record(40).map(plain);
    const good = readFileSync(segment());
    const step = 97;
    for (let at = 0; at < good.length; at += step) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ (1 << (at % 8));
      writeFileSync(segment(), bad);
      const seen: MarketEvent[] = [];
      const failed = await (async () =>
        createRecordingSource({ recording: openRecording(folder) }).run((one) => seen.push(one)))().then(
        () => false,
        (thrown: unknown) => thrown instanceof SandpiperError,
      );
      expect(failed).toBe(true);
      expect(seen.map(plain)).toEqual(events.slice(0, seen.length));
    }
  });

  test("a segment that was cut short is refused, wherever it was cut", async () => {
    record(40);
    const { length } = readFileSync(segment());
    for (const left of [length - 1, length - 200, 60, 16, 5, 0]) {
      truncateSync(segment(), left);
      await refused(/Cannot (read recording|replay) /);
    }
  });

  test("an index that lies is refused", async () => {
    record(40);
    const { blocks } = openSegments(join(folder, "market"));
    const first = blocks[0] as (typeof blocks)[number];
    const lies = [
      blocks.slice(1),
      blocks.slice(0, -1),
      [...blocks, first],
      [{ ...first, lastSlot: first.lastSlot + 1n }, ...blocks.slice(1)],
      [{ ...first, offset: first.offset + 1 }, ...blocks.slice(1)],
      [{ ...first, items: 1 }, ...blocks.slice(1)],
    ];
    for (const lie of lies) {
      writeFileSync(index(), indexBytes(lie));
      await refused(/as .*000001\.idx says/);
    }
    writeFileSync(index(), readFileSync(index()).subarray(0, 20));
    await refused(/000001\.idx/);
    writeFileSync(index(), "not an index");
    await refused(/an index of segments, version 1/);
  });

  test("without an index it is what a dead writer leaves: good up to its last whole block", async () => {
    const events = record(40);
    rmSync(index());
    truncateSync(segment(), readFileSync(segment()).length - 10);
    const replayed = await replay();
    expect(openRecording(folder).segments.tornBytes).toBeGreaterThan(0);
    expect(replayed.length).toBeGreaterThan(10);
    expect(replayed.slice(0, -1).map(plain)).toEqual(events.slice(0, replayed.length - 1).map(plain));
  });

  test("a missing segment, and a folder or a manifest of something else, are refused", async () => {
    record(40);
    expect(readdirSync(join(folder, "market"))).toContain("000001.seg");
    writeFileSync(join(folder, "market", "000003.seg"), "");
    await refused(/segment 000002\.seg, was 000003\.seg/);
    writeFileSync(join(folder, "recording.json"), '{"format": 9}');
    await refused(/a recording of format 1, was 9/);
    writeFileSync(join(folder, "recording.json"), "{");
    await refused(/whole JSON/);
    rmSync(join(folder, "recording.json"));
    await refused(/a recording of format 1, was undefined/);
  });
});
