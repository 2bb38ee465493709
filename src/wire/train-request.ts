/** A request to fit a model (proto/jobs.proto, TrainRequest, schema train-v1), as plain fields and as bytes. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandpiperError } from "#core/error.ts";
import { TrainRequestSchema } from "./gen/jobs_pb.js";

const TRAIN_SCHEMA_VERSION = "train-v1";
/** Longest request, encoded. */
const REQUEST_BYTES_MAX = 16_384;
const WIRE_ERROR = { trainRequest: 205 } as const;

export type TrainRequest = {
  readonly jobId: string;
  /** "arbitrage" or "mev". */
  readonly module: string;
  /** Half open: start <= t < end; ISO 8601. */
  readonly range: { readonly start: string; readonly end: string };
  readonly features: {
    readonly name: string;
    readonly include: readonly string[];
    readonly exclude: readonly string[];
  };
  /** "xgb", "lgbm" or "torch". */
  readonly model: string;
  /** 0 where the trainer's default holds. */
  readonly params: {
    readonly maxDepth: number;
    readonly nEstimators: number;
    readonly learningRate: number;
    readonly gpu: boolean;
  };
  readonly issuer: string;
};

export function encodeTrainRequest(request: TrainRequest): Uint8Array {
  const { range, features, params } = request;
  return toBinary(
    TrainRequestSchema,
    create(TrainRequestSchema, {
      ...request,
      schemaVersion: TRAIN_SCHEMA_VERSION,
      range: { ...range },
      features: { name: features.name, include: [...features.include], exclude: [...features.exclude] },
      params: { ...params },
    }),
  );
}

/** Throws a SandpiperError when the bytes are no train-v1 request. What its fields say is not looked at. */
export function decodeTrainRequest(bytes: Uint8Array): TrainRequest {
  if (bytes.length > REQUEST_BYTES_MAX) refuse(`at most ${REQUEST_BYTES_MAX} bytes`, String(bytes.length));
  let read: ReturnType<typeof fromBinary<typeof TrainRequestSchema>>;
  try {
    read = fromBinary(TrainRequestSchema, bytes);
  } catch {
    refuse("valid protobuf", `${bytes.length} bytes of something else`);
  }
  if (read.schemaVersion !== TRAIN_SCHEMA_VERSION)
    refuse(`schema ${TRAIN_SCHEMA_VERSION}`, JSON.stringify(read.schemaVersion));
  const { jobId, module, range, features, model, params, issuer } = read;
  return {
    ...{ jobId, module, model, issuer },
    range: { start: range?.start ?? "", end: range?.end ?? "" },
    features: { name: features?.name ?? "", include: features?.include ?? [], exclude: features?.exclude ?? [] },
    params: {
      maxDepth: params?.maxDepth ?? 0,
      nEstimators: params?.nEstimators ?? 0,
      learningRate: params?.learningRate ?? 0,
      gpu: params?.gpu ?? false,
    },
  };
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(WIRE_ERROR.trainRequest, `Cannot decode a training request: ${want}, was ${was}`);
}
