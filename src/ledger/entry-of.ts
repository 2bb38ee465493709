/**
 * From a message of the control river to the leaf it becomes. Whatever stands on these topics becomes one: what cannot be read is a
 * refused attempt at the door "bus", with its bytes (cut). Which topic, key and offset it came from makes it unlike any other.
 */
import type { Message } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import { decodeAck } from "#wire/ack.ts";
import { decodeAudit } from "#wire/audit.ts";
import { decodeCommand } from "#wire/command.ts";
import type { Topic } from "#wire/topics.ts";
import { decodeTrainAck } from "#wire/train-ack.ts";
import type { LedgerEntry } from "./entry.ts";

export const LEDGER_TOPICS: readonly Topic[] = [
  "control-commands-proto",
  "control-acks-proto",
  "control-audit-proto",
  "policy-updates-proto",
  "train-acks-proto",
];

/** Of a message that cannot be read, so much is kept; its leaf must stay within its limit. */
const STRANGE_BYTES_MAX = 4_096;

export function entryOf(message: Message): LedgerEntry {
  const common = { source: sourceOf(message), atNs: String(BigInt(Math.round(message.publishedMs)) * 1_000_000n) };
  try {
    return { ...common, ...readable(message) };
  } catch (thrown) {
    const bytes = message.value.subarray(0, STRANGE_BYTES_MAX);
    return {
      ...common,
      ...{ kind: "refused", door: "bus", who: "", code: "malformed", reason: errorText(thrown), message: hex(bytes) },
    };
  }
}

const sourceOf = ({ topic, key, offset }: Message) => `${topic}/${key.toWellFormed()}/${offset}`;

// Every kind of the union has the two fields that entryOf adds.
type Bare<E> = E extends unknown ? Omit<E, "atNs" | "source"> : never;

function readable({ topic, value }: Message): Bare<LedgerEntry> {
  switch (topic) {
    case "control-commands-proto": {
      const { requestId, issuer, pubkeyId, module, action } = decodeCommand(value);
      return { kind: "command", requestId, issuer, keyId: pubkeyId, module, action, message: hex(value) };
    }
    case "control-acks-proto": {
      const { requestId, agent, answer, reason } = decodeAck(value);
      return { kind: "ack", requestId, agent, state: answer, reason, message: hex(value) };
    }
    case "train-acks-proto":
      return { kind: "training-ack", ...decodeTrainAck(value) };
    default:
      return auditOf(value);
  }
}

function auditOf(value: Uint8Array): Bare<LedgerEntry> {
  const { event } = decodeAudit(value);
  switch (event.case) {
    case "refused": {
      const { door, who, code, reason, message } = event.value;
      return { kind: "refused", door, who, code, reason, message: hex(message) };
    }
    case "policy": {
      const { module, requestId, before, after } = event.value;
      return { kind: "policy", module, requestId, before, after };
    }
    case "guard": {
      const { module, action, requestId, reason, figures } = event.value;
      return { kind: "guard", module, action, requestId, reason, figures };
    }
    case "model": {
      const { module, before, after, reason } = event.value;
      return { kind: "model", module, before, after, reason };
    }
    default:
      throw new Error("an event of ours, was none");
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
