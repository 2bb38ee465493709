/**
 * Envelopes: the one wrapper of everything Sandpiper reports (proto/realtime.proto, schema rt-v1). This room is the only
 * one that knows protobuf; others hand in plain objects and get bytes.
 */
import { create, fromBinary, fromJson, type JsonValue, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ClockQuality } from "#core/clock.ts";
import { SandpiperError } from "#core/error.ts";
import {
  type Arb,
  ArbSchema,
  BatchSchema,
  type Envelope,
  EnvelopeSchema,
  type Metrics,
  MetricsSchema,
  MevSchema,
  type Outcome,
  OutcomeSchema,
  Type,
  WallClockSchema,
} from "./gen/realtime_pb.js";

export type { Arb, Envelope, Metrics, Outcome };
export type ArbFields = MessageInitShape<typeof ArbSchema>;
export type OutcomeFields = MessageInitShape<typeof OutcomeSchema>;
export type MevFields = MessageInitShape<typeof MevSchema>;
export type MetricsFields = MessageInitShape<typeof MetricsSchema>;

const ENVELOPE_SCHEMA_VERSION = "rt-v1";
const WIRE_ERROR = { envelope: 201 } as const;

export const arbEnvelope = (fields: ArbFields): Envelope =>
  create(EnvelopeSchema, {
    schemaVersion: ENVELOPE_SCHEMA_VERSION,
    type: Type.ARB,
    payload: { case: "arb", value: create(ArbSchema, fields) },
  });

export const mevEnvelope = (fields: MevFields): Envelope =>
  create(EnvelopeSchema, {
    schemaVersion: ENVELOPE_SCHEMA_VERSION,
    type: Type.MEV,
    payload: { case: "mev", value: create(MevSchema, fields) },
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

/** `wallClock`: what is known of the writer's clock; undefined where nobody can say. */
export function encodeEnvelope(envelope: Envelope, wallClock?: ClockQuality): Uint8Array {
  if (wallClock === undefined) return toBinary(EnvelopeSchema, envelope);
  const fields = create(WallClockSchema, {
    synchronised: wallClock.isSynchronised,
    offsetNs: BigInt(Math.round(wallClock.offsetMs * 1e6)),
    errorNsMax: BigInt(Math.round(wallClock.errorMsMax * 1e6)),
  });
  return toBinary(EnvelopeSchema, { ...envelope, wallClock: fields });
}

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

/** What a Batch says beside its envelopes; see proto/realtime.proto. */
type BatchWords = { readonly resumeMs?: number; readonly text?: string };

/** Several envelopes that are encoded already, oldest first, as one Batch: a relay need not decode what it passes on. */
export function encodeBatch(
  envelopes: readonly Uint8Array[],
  { resumeMs = 0, text = "" }: BatchWords = {},
): Uint8Array {
  const { items, resumeMs: resume, text: words } = BatchSchema.field;
  const writer = new BinaryWriter();
  for (const bytes of envelopes) writer.tag(items.number, WireType.LengthDelimited).bytes(bytes);
  if (resumeMs > 0) writer.tag(resume.number, WireType.Varint).uint64(resumeMs);
  if (text !== "") writer.tag(words.number, WireType.LengthDelimited).string(text);
  return writer.finish();
}

export type DecodedBatch = { readonly items: Envelope[]; readonly resumeMs: number; readonly text: string };

/** Throws a SandpiperError when the bytes are no Batch of rt-v1 envelopes. */
export function decodeBatch(bytes: Uint8Array): DecodedBatch {
  let items: Envelope[];
  let resumeMs: bigint;
  let text: string;
  try {
    ({ items, resumeMs, text } = fromBinary(BatchSchema, bytes));
  } catch (cause) {
    throw new SandpiperError(
      WIRE_ERROR.envelope,
      `Cannot decode a batch: valid protobuf, was ${bytes.length} bytes of something else`,
      "never",
      { cause },
    );
  }
  for (const { schemaVersion } of items) {
    if (schemaVersion === ENVELOPE_SCHEMA_VERSION) continue;
    throw new SandpiperError(
      WIRE_ERROR.envelope,
      `Cannot decode a batch: schema ${ENVELOPE_SCHEMA_VERSION}, was ${JSON.stringify(schemaVersion)}`,
    );
  }
  return { items, resumeMs: Number(resumeMs), text };
}

/** From the API's JSON rows: field names as in the .proto, 64-bit integers as decimal text. Throws on anything else. */
export const arbFromJson = (row: JsonValue): Arb => fromJson(ArbSchema, row, { ignoreUnknownFields: true });
export const outcomeFromJson = (row: JsonValue): Outcome => fromJson(OutcomeSchema, row, { ignoreUnknownFields: true });
