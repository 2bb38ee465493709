import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arbEnvelope, decodeBatch, encodeBatch, encodeEnvelope, metricsEnvelope, outcomeEnvelope } from "./envelope.ts";

describe("encodeBatch()", () => {
  test("wraps encoded envelopes so that decodeBatch() gives them back in order", () => {
    const envelopes = [
      arbEnvelope({ decisionId: "d", netLamports: -1n, features: [0.5] }),
      outcomeEnvelope({ bundleId: "b", landed: true }),
      metricsEnvelope({ agent: "arbitrage", atNs: 2n ** 63n }),
    ];
    expect(
      decodeBatch(
        encodeBatch(
          envelopes.map((envelope) => encodeEnvelope(envelope)),
          { resumeMs: 1_700_000_000_123, text: "{}" },
        ),
      ),
    ).toEqual({
      items: envelopes,
      resumeMs: 1_700_000_000_123,
      text: "{}",
    });
  });

  // Field 1, length-delimited, as realtime.proto numbers it.
  test("writes tag, length and the envelope's own bytes", () => {
    expect(Buffer.from(encodeBatch([Uint8Array.of(1, 2), Uint8Array.of(3)])).toString("hex")).toBe(
      "0a020102" + "0a0103",
    );
    expect(encodeBatch([])).toHaveLength(0);
  });
});

describe("decodeBatch()", () => {
  test("refuses an envelope of another schema", () => {
    const strange = encodeEnvelope({ ...metricsEnvelope({}), schemaVersion: "rt-v0" });
    expect(() => decodeBatch(encodeBatch([strange]))).toThrow('Cannot decode a batch: schema rt-v1, was "rt-v0"');
  });

  test("answers hostile bytes with a batch or a clear refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeBatch(bytes);
        } catch (thrown) {
          expect(String(thrown)).toStartWith("SandpiperError: Cannot decode a batch");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
