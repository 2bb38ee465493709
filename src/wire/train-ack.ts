/** A trainer's answer (proto/jobs.proto, TrainAck), as plain fields. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { TrainAckSchema } from "./gen/jobs_pb.js";

export const encodeTrainAck = (ack: { jobId: string; state: string; message: string }): Uint8Array =>
  toBinary(TrainAckSchema, create(TrainAckSchema, ack));

/** Throws for bytes that are none. */
export function decodeTrainAck(bytes: Uint8Array): { jobId: string; state: string; message: string } {
  const { jobId, state, message } = fromBinary(TrainAckSchema, bytes);
  return { jobId, state: String(state), message };
}
