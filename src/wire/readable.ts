/** Whether bytes are a message of control.proto or jobs.proto, as any reader of protobuf says; without keeping what it read. */
import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { errorText } from "#core/error.ts";
import { CommandSchema } from "./gen/control_pb.js";
import { TrainAckSchema, TrainRequestSchema } from "./gen/jobs_pb.js";

const SCHEMAS = {
  Command: CommandSchema,
  TrainRequest: TrainRequestSchema,
  TrainAck: TrainAckSchema,
} as const satisfies Readonly<Record<string, DescMessage>>;

/** Why the bytes are none that can be told from others, or undefined. */
export function unreadableBecause(message: keyof typeof SCHEMAS, bytes: Uint8Array): string | undefined {
  try {
    const read = fromBinary(SCHEMAS[message], bytes);
    if ("requestId" in read) return read.requestId === "" ? "a request id, was none" : undefined;
    return read.jobId === "" ? "a job id, was none" : undefined;
  } catch (thrown) {
    return `valid protobuf of ${message}, was ${bytes.length} bytes of something else (${errorText(thrown)})`;
  }
}
