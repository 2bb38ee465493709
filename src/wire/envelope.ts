/**
 * Envelopes: the one wrapper of everything Sandpiper reports (proto/realtime.proto, schema rt-v1). This room is the only
 * one that knows protobuf; others hand in plain objects and get bytes.
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { SandpiperError } from "#core/error.ts";
import {
  type Arb,
  ArbSchema,
  type Envelope,
  EnvelopeSchema,
  type Metrics,
  MetricsSchema,
  type Outcome,
  OutcomeSchema,
  Type,
} from "./gen/realtime_pb.js";

export type { Arb, Envelope, Metrics, Outcome };
export type ArbFields = MessageInitShape<typeof ArbSchema>;
export type OutcomeFields = MessageInitShape<typeof OutcomeSchema>;
export type MetricsFields = MessageInitShape<typeof MetricsSchema>;

export const ENVELOPE_SCHEMA_VERSION = "rt-v1";
export const WIRE_ERROR = { envelope: 201 } as const;

export const arbEnvelope = (fields: ArbFields): Envelope =>
  create(EnvelopeSchema, {
    schemaVersion: ENVELOPE_SCHEMA_VERSION,
    type: Type.ARB,
    payload: { case: "arb", value: create(ArbSchema, fields) },
  });

export const outcomeEnvelope = (fields: OutcomeFields): Envelope =>
  create(EnvelopeSchema, {
    schemaVersion: ENVELOPE_SCHEMA_VERSION,
    type: Type.OUTCOME,
    payload: { case: "outcome", value: create(OutcomeSchema, fields) },
  });

export const metricsEnvelope = (fields: MetricsFields): Envelope =>
  create(EnvelopeSchema, {
    schemaVersion: ENVELOPE_SCHEMA_VERSION,
    type: Type.METRICS,
    payload: { case: "metrics", value: create(MetricsSchema, fields) },
  });

export const encodeEnvelope = (envelope: Envelope): Uint8Array => toBinary(EnvelopeSchema, envelope);

/** Throws a SandpiperError when the bytes are no rt-v1 envelope. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  let envelope: Envelope;
  try {
    envelope = fromBinary(EnvelopeSchema, bytes);
  } catch (cause) {
    throw new SandpiperError(
      WIRE_ERROR.envelope,
      `Cannot decode an envelope: valid protobuf, was ${bytes.length} bytes of something else`,
      "never",
      { cause },
    );
  }
  if (envelope.schemaVersion !== ENVELOPE_SCHEMA_VERSION)
    throw new SandpiperError(
      WIRE_ERROR.envelope,
      `Cannot decode an envelope: schema ${ENVELOPE_SCHEMA_VERSION}, was ${JSON.stringify(envelope.schemaVersion)}`,
    );
  return envelope;
}
