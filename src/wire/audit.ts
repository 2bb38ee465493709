/** What goes into the ledger beside commands and acks (proto/control.proto, Audit), as bytes. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { SandpiperError } from "#core/error.ts";
import { type Audit, AuditSchema } from "./gen/control_pb.js";

export type { Audit };
export type AuditEvent = NonNullable<MessageInitShape<typeof AuditSchema>["event"]>;

/** Longest event, encoded. */
const AUDIT_BYTES_MAX = 16_384;
const WIRE_ERROR = { audit: 204 } as const;

export const encodeAudit = (atNs: bigint, event: AuditEvent): Uint8Array =>
  toBinary(AuditSchema, create(AuditSchema, { atNs, event }));

/** Throws a SandpiperError when the bytes are no event of ours. */
export function decodeAudit(bytes: Uint8Array): Audit {
  if (bytes.length > AUDIT_BYTES_MAX) refuse(`at most ${AUDIT_BYTES_MAX} bytes`, `${bytes.length}`);
  let audit: Audit;
  try {
    audit = fromBinary(AuditSchema, bytes);
  } catch {
    refuse("valid protobuf", `${bytes.length} bytes of something else`);
  }
  if (audit.event.case === undefined) refuse("an event", "none");
  return audit;
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(WIRE_ERROR.audit, `Cannot decode an audit event: ${want}, was ${was}`);
}
