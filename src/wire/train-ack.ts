/** A trainer's answer (proto/jobs.proto, TrainAck), as plain fields. */
import { fromBinary } from "@bufbuild/protobuf";
import { TrainAckSchema } from "./gen/jobs_pb.js";

/** Throws for bytes that are none. */
export function decodeTrainAck(bytes: Uint8Array): { jobId: string; state: string; message: string } {
  const { jobId, state, message } = fromBinary(TrainAckSchema, bytes);
  return { jobId, state: String(state), message };
}
