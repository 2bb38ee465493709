/** What goes into the ledger beside commands and acks (proto/control.proto, Audit), as bytes. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AuditSchema } from "./gen/control_pb.js";

export type AuditEvent = NonNullable<MessageInitShape<typeof AuditSchema>["event"]>;

export const encodeAudit = (atNs: bigint, event: AuditEvent): Uint8Array =>
  toBinary(AuditSchema, create(AuditSchema, { atNs, event }));
