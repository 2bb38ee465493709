import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arbEnvelope, decodeEnvelope, encodeEnvelope, metricsEnvelope, outcomeEnvelope } from "./envelope.ts";

describe("envelopes", () => {
  test("keep every field over a round trip, at the edges of 64 bits", () => {
    const envelope = arbEnvelope({
      slot: 2n ** 64n - 1n,
      netLamports: -(2n ** 63n),
      tipLadder: [1_000n, 2n ** 63n],
      features: [1.5, Number.NaN],
      pools: ["a", "b"],
    });
    const decoded = decodeEnvelope(encodeEnvelope(envelope));
    expect(decoded).toEqual(envelope);
    expect(decoded.schemaVersion).toBe("rt-v1");
  });

  // Written by hand from the wire format: other readers depend on these very numbers.
  test("have the bytes that realtime.proto says", () => {
    const bytes = encodeEnvelope(outcomeEnvelope({ bundleId: "b", landed: true, tipLamports: 1_000n, path: "jito" }));
    const payload = "0a0162" /* bundle_id */ + "1001" /* landed */ + "18e807" /* tip */ + "22046a69746f"; /* path */
    const length = (payload.length / 2).toString(16).padStart(2, "0");
    expect(Buffer.from(bytes).toString("hex")).toBe(`0a0572742d7631${"1003"}2a${length}${payload}`);
  });
});

test("encodeEnvelope() says what is known of the writer's clock, in bytes that realtime.proto says, and leaves the envelope as it was", () => {
  const envelope = metricsEnvelope({ agent: "a" });
  const quality = { isSynchronised: true, offsetMs: -0.002, estimatedErrorMs: 1, errorMsMax: 0.0015 };
  const bytes = encodeEnvelope(envelope, quality);
  expect(decodeEnvelope(bytes).wallClock).toMatchObject({ synchronised: true, offsetNs: -2_000n, errorNsMax: 1_500n });
  const fields = "0801" /* synchronised */ + "109f1f" /* offset, zigzag */ + "18dc0b"; /* error */
  expect(Buffer.from(bytes).toString("hex")).toEndWith(`820108${fields}`);
  expect(decodeEnvelope(encodeEnvelope(envelope)).wallClock).toBeUndefined();
});

describe("decodeEnvelope()", () => {
  test("refuses another schema version", () => {
    const bytes = encodeEnvelope({ ...metricsEnvelope({}), schemaVersion: "rt-v0" });
    expect(() => decodeEnvelope(bytes)).toThrow('schema rt-v1, was "rt-v0"');
  });

  test("answers hostile bytes with an envelope or a clear refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeEnvelope(bytes);
        } catch (thrown) {
          expect(String(thrown)).toStartWith("SandpiperError: Cannot decode an envelope");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
