import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Ack, ackSigningBytes, decodeAck, encodeAck } from "./ack.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyAck: fc.Arbitrary<Ack> = fc.record({
  requestId: text,
  agent: text,
  answer: fc.constantFrom("applied", "refused", "secondKeyNeeded"),
  reason: text,
  words: text,
  trading: fc.constantFrom("running", "stopped", "killed"),
  throttlePct: fc.double({ min: 0, max: 100, noDefaultInfinity: true, noNaN: true }).map((pct) => pct + 0),
  evMinLamports: uint64,
  tipLadderLamports: fc.array(uint64, { maxLength: 16 }),
  atNs: uint64,
  commandSha256: bytes(32),
  sequence: uint64,
  sig: bytes(64),
  pubkeyId: text,
  sigAlg: text,
});

describe("acks", () => {
  test("keep every field over a round trip", () => {
    fc.assert(fc.property(anyAck, (ack) => expect(decodeAck(encodeAck(ack))).toEqual(ack)));
  });

  test("decodeAck() throws only its own error, and takes only the bytes that encodeAck() gives", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        expect(encodeAck(decodeAck(noise))).toEqual(noise);
      } catch (thrown) {
        expect(String(thrown)).toContain("Cannot decode an ack");
      }
    });
    fc.assert(property);
  });

  test("ackSigningBytes() leave out the signature and who made it", () => {
    fc.assert(
      fc.property(anyAck, bytes(64), (ack, sig) => {
        expect(ackSigningBytes({ ...ack, sig, pubkeyId: "other", sigAlg: "" })).toEqual(ackSigningBytes(ack));
      }),
    );
  });
});
