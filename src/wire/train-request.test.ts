/** Training requests as bytes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeTrainRequest, encodeTrainRequest, type TrainRequest } from "./train-request.ts";

const text = fc.string({ maxLength: 40, unit: "grapheme" });
const request: fc.Arbitrary<TrainRequest> = fc.record({
  jobId: text,
  module: text,
  range: fc.record({ start: text, end: text }),
  features: fc.record({
    name: text,
    include: fc.array(text, { maxLength: 4 }),
    exclude: fc.array(text, { maxLength: 4 }),
  }),
  model: text,
  params: fc.record({
    maxDepth: fc.nat(),
    nEstimators: fc.nat(),
    learningRate: fc.double({ min: 0, noNaN: true }),
    gpu: fc.boolean(),
  }),
  issuer: text,
});

describe("decodeTrainRequest()", () => {
  test("answers what was encoded", () => {
    fc.assert(fc.property(request, (one) => expect(decodeTrainRequest(encodeTrainRequest(one))).toEqual(one)));
  });

  test("refuses other bytes with an error of ours, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeTrainRequest(bytes)).toThrow("Cannot decode a training request: ");
      }),
    );
    expect(() => decodeTrainRequest(new Uint8Array(16_385))).toThrow("at most 16384 bytes, was 16385");
  });
});
