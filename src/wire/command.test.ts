import { describe, expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  ACTION_NAMES,
  type Command,
  decodeCommand,
  encodeCommand,
  MODULE_NAMES,
  signingBytes,
  signingForms,
} from "./command.ts";
import { CommandSchema } from "./gen/control_pb.js";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = fc.string({ unit: "binary", maxLength: 20 });
const commands: fc.Arbitrary<Command> = fc.record({
  tsSeconds: uint64,
  module: fc.constantFrom(...MODULE_NAMES),
  action: fc.constantFrom(...ACTION_NAMES),
  args: fc.array(fc.tuple(text, text), { maxLength: 8 }).map((entries) => new Map(entries)),
  requestId: text,
  issuer: text,
  schemaVersion: text,
  sig: fc.uint8Array({ maxLength: 64 }),
  pubkeyId: text,
  sigAlg: text,
  nonce: uint64,
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const decodeHex = (digits: string) => decodeCommand(Buffer.from(digits, "hex"));
/** ts 1, arbitrage, kill; by hand from the wire format. */
const SMALL = "0801" + "1001" + "1806";

const small: Command = {
  tsSeconds: 1n,
  module: "arbitrage",
  action: "kill",
  args: new Map(),
  requestId: "",
  issuer: "",
  schemaVersion: "",
  sig: new Uint8Array(0),
  pubkeyId: "",
  sigAlg: "",
  nonce: 0n,
};

describe("encodeCommand()", () => {
  test("writes the bytes of control.proto, defaults left out", () => {
    expect(hex(encodeCommand(small))).toBe(SMALL);
    const args = new Map([
      ["b", ""],
      ["a", "1"],
    ]);
    const sig = Uint8Array.of(255);
    expect(hex(encodeCommand({ ...small, args, requestId: "r", issuer: "i", sig, nonce: 300n }))).toBe(
      `${SMALL}${"2206" + "0a0161" + "120131"}${"2205" + "0a0162" + "1200"}${"2a0172"}${"320169"}${"4201ff"}${"58ac02"}`,
    );
  });

  // U+FFFF is three bytes, U+10000 four that sort above; in UTF-16 units it is the other way round.
  test("sorts map entries by UTF-8 bytes, not by UTF-16 units", () => {
    const args = new Map([
      ["\u{10000}", ""],
      ["\uffff", ""],
    ]);
    expect([...decodeCommand(encodeCommand({ ...small, args })).args.keys()]).toEqual(["\uffff", "\u{10000}"]);
  });

  test("refuses half a surrogate pair and numbers outside 64 bits", () => {
    expect(() => encodeCommand({ ...small, issuer: "\ud800" })).toThrow("text with a UTF-8 form");
    expect(() => encodeCommand({ ...small, nonce: 2n ** 64n })).toThrow("field 11 from 0 to 2^64 - 1");
  });
});

describe("signingBytes()", () => {
  test("leave out sig, pubkey_id and sig_alg, and nothing else", () => {
    const signed = { ...small, issuer: "i", sig: new Uint8Array(64), pubkeyId: "k", sigAlg: "ed25519-v1" };
    expect(hex(signingBytes(signed))).toBe(`${SMALL}320169`);
  });
});

describe("signingForms()", () => {
  // The second is what upb 7.36.2 gives for these keys, the first what C++ does.
  test("has upb's order too where one key begins another", () => {
    const args = new Map(["b", "a", "ab", ""].map((key) => [key, ""] as const));
    const entry = (key: string) =>
      `22${(key.length + 4).toString().padStart(2, "0")}0a0${key.length}${hex(Buffer.from(key))}1200`;
    expect(signingForms({ ...small, args }).map(hex)).toEqual([
      `${SMALL}${["", "a", "ab", "b"].map(entry).join("")}`,
      `${SMALL}${["ab", "a", "b", ""].map(entry).join("")}`,
    ]);
    expect(signingForms(small)).toHaveLength(1);
  });
});

describe("decodeCommand()", () => {
  test("gives back 1,000 random commands, and another protobuf reads the same fields", () => {
    fc.assert(
      fc.property(commands, (command) => {
        const bytes = encodeCommand(command);
        expect(decodeCommand(bytes)).toEqual(command);
        const other = fromBinary(CommandSchema, bytes);
        expect([other.ts, other.requestId, other.issuer, other.nonce, other.pubkeyId]).toEqual([
          command.tsSeconds,
          command.requestId,
          command.issuer,
          command.nonce,
          command.pubkeyId,
        ]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("takes map entries in any order, and signs them in one", () => {
    const a = "2206" + "0a0161" + "120131";
    const b = "2206" + "0a0162" + "120132";
    expect(hex(signingBytes(decodeHex(`${SMALL}${b}${a}`)))).toBe(`${SMALL}${a}${b}`);
  });

  test("keeps an argument named __proto__ and a byte order mark", () => {
    const args = new Map([["__proto__", "\ufeffx"]]);
    expect(decodeCommand(encodeCommand({ ...small, args })).args).toEqual(args);
  });

  const refused: [what: string, bytes: string, words: string][] = [
    ["nothing", "", "module arbitrage or mev, was number 0"],
    ["an unknown field", `${SMALL}600c`, "only the fields of ctrl-v1, was field 12"],
    ["a field of another wire type", "0a0101", "only the fields of ctrl-v1, was field 1 of wire type 2"],
    ["a group", `${SMALL}6364`, "only the fields of ctrl-v1"],
    ["a field twice", `0801${SMALL}`, "canonical protobuf"],
    ["fields out of order", "1001" + "0801" + "1806", "canonical protobuf"],
    ["a longer varint", "088100" + "1001" + "1806", "canonical protobuf"],
    ["a default written out", `${SMALL}5800`, "canonical protobuf"],
    ["an argument twice", `${SMALL}${"22060a01611201312206" + "0a0161120132"}`, "each argument once"],
    ["an argument without its value", `${SMALL}22030a0161`, "canonical protobuf"],
    ["an unknown field in an argument", `${SMALL}2208${"0a0161120131" + "1801"}`, "only key and value"],
    ["text that is not UTF-8", `${SMALL}3201ff`, "valid protobuf"],
    ["a cut field", `${SMALL}3205aa`, "valid protobuf"],
    ["an unknown module", "0801" + "1003" + "1806", "module arbitrage or mev, was number 3"],
    ["an unknown action", "0801" + "1001" + "1807", "was number 7"],
    ["a module beyond 32 bits", `0801${"108180808010"}1806`, "module arbitrage or mev"],
  ];
  test.each(refused)("refuses %s", (_, bytes, words) => {
    expect(() => decodeHex(bytes)).toThrow(words);
  });

  test("refuses more than 4,096 bytes before it looks at them", () => {
    expect(() => decodeCommand(new Uint8Array(4_097))).toThrow("at most 4096 bytes, was 4097");
  });

  test("answers hostile bytes with a command in canonical form or a clear refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          decodeCommand(bytes);
        } catch (thrown) {
          expect(String(thrown)).toStartWith("SandpiperError: Cannot decode a command");
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
