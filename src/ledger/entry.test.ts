/** Canonical bytes: golden, round trip, and that no second spelling of an entry is taken. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeEntry, ENTRY_BYTES_MAX, encodeEntry, type LedgerEntry, readEntry } from "./entry.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const POLICY: LedgerEntry = {
  kind: "policy",
  atNs: "1790000000000000000",
  source: "test/1",
  module: "ARBITRAGE",
  requestId: "r-1",
  before: { tip_ladder: "1,2", ev_min: "0.001" },
  after: { "€": "\n" },
};
const GOLDEN =
  '{"after":{"€":"\\n"},"atNs":"1790000000000000000","before":{"ev_min":"0.001","tip_ladder":"1,2"},' +
  '"kind":"policy","module":"ARBITRAGE","requestId":"r-1","source":"test/1"}';

const word = fc.string({ unit: "grapheme", maxLength: 20 });
const hex = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const map = fc.dictionary(word, word, { noNullPrototype: true });
const atNs = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);
const entries: fc.Arbitrary<LedgerEntry> = fc.oneof(
  fc.record({
    kind: fc.constant("command"),
    ...{ atNs, source: word, requestId: word, issuer: word, keyId: word, module: word, action: word, message: hex },
  }),
  fc.record({
    kind: fc.constant("ack"),
    atNs,
    source: word,
    requestId: word,
    agent: word,
    state: word,
    reason: word,
    message: hex,
  }),
  fc.record({
    kind: fc.constant("policy"),
    atNs,
    source: word,
    module: word,
    requestId: word,
    before: map,
    after: map,
  }),
  fc.record({ kind: fc.constant("model"), atNs, source: word, module: word, before: word, after: word, reason: word }),
  fc.record({ kind: fc.constant("training-ack"), atNs, source: word, jobId: word, state: word, message: word }),
  fc.record({
    kind: fc.constant("guard"),
    atNs,
    source: word,
    module: word,
    action: word,
    requestId: word,
    reason: word,
    figures: map,
  }),
  fc.record({
    kind: fc.constant("refused"),
    atNs,
    source: word,
    door: word,
    who: word,
    code: word,
    reason: word,
    message: hex,
  }),
);

test("encodeEntry() sorts keys, writes no space and no line feed", () => {
  expect(text(encodeEntry(POLICY))).toBe(GOLDEN);
});

test("decodeEntry() gives back every kind, one line each", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = encodeEntry(entry);
      expect(bytes.includes(10)).toBe(false);
      expect(text(encodeEntry(decodeEntry(bytes)))).toBe(text(bytes));
      expect(new Map(Object.entries(decodeEntry(bytes)))).toEqual(new Map(Object.entries(entry)));
    }),
    // A word that is also a method's name is a key like any other.
    { examples: [[{ ...POLICY, after: { toString: "" } }]] },
  );
});

describe("decodeEntry() refuses", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", GOLDEN.slice(0, -1)],
    ["a space", GOLDEN.replace(",", ", ")],
    ["another order", GOLDEN.replace('"ev_min":"0.001","tip_ladder":"1,2"', '"tip_ladder":"1,2","ev_min":"0.001"')],
    ["an escape that is not needed", GOLDEN.replace("€", "\\u20ac")],
    ["a key twice", GOLDEN.replace('"kind"', '"kind":"policy","kind"')],
    ["a key too many", GOLDEN.replace('"kind"', '"extra":"","kind"')],
    ["a missing key", GOLDEN.replace('"module":"ARBITRAGE",', "")],
    ["another kind", GOLDEN.replace('"policy"', '"toString"')],
    ["a number", GOLDEN.replace('"0.001"', "0.001")],
    ["a time that is no count", GOLDEN.replace("1790000000000000000", "01")],
    ["half a character", GOLDEN.replace("\\n", "\\ud800")],
    ["a list", "[]"],
    ["null", "null"],
  ])("%s", (_, line) => {
    expect(() => decodeEntry(Buffer.from(line))).toThrow("Cannot take a ledger entry");
  });

  test("bytes that are not UTF-8, and any bytes without an end", () => {
    const bytes = Uint8Array.from(Buffer.from(GOLDEN));
    bytes[Buffer.from(GOLDEN).indexOf("ARB")] = 0xff;
    expect(() => decodeEntry(bytes)).toThrow("canonical bytes");
    fc.assert(fc.property(fc.uint8Array(), (any) => expect(() => decodeEntry(any)).toThrow("Cannot take")));
  });

  test("a leaf over the limit", () => {
    const long = { ...POLICY, module: "x".repeat(ENTRY_BYTES_MAX) };
    expect(() => encodeEntry(long)).toThrow("at most 65536 bytes");
    expect(() => encodeEntry(readEntry(JSON.stringify(long)))).toThrow("at most 65536 bytes");
  });
});
