/**
 * Agents' answers to commands (proto/control.proto, schema ack-v1) as bytes. There are no maps in it, so one ack has one
 * form: fields in the order of their numbers, defaults left out. The signature covers it with sig, pubkey_id and sig_alg
 * empty.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SandpiperError } from "#core/error.ts";
import { AckSchema, Answer, Trading } from "./gen/control_pb.js";

const ACK_SCHEMA_VERSION = "ack-v1";
/** Longest ack, encoded. */
const ACK_BYTES_MAX = 8_192;
const WIRE_ERROR = { ack: 203 } as const;

const ANSWERS = {
  applied: Answer.APPLIED,
  refused: Answer.REFUSED,
  secondKeyNeeded: Answer.SECOND_KEY_NEEDED,
} as const;
const TRADINGS = { running: Trading.RUNNING, stopped: Trading.STOPPED, killed: Trading.KILLED } as const;
export type AnswerName = keyof typeof ANSWERS;
/** running: sends; stopped: sends nothing new; killed: nothing leaves until an explicit start. */
export type TradingName = keyof typeof TRADINGS;

export type Ack = {
  readonly requestId: string;
  readonly agent: string;
  readonly answer: AnswerName;
  /** Name of the refusal; empty otherwise. */
  readonly reason: string;
  readonly words: string;
  readonly trading: TradingName;
  readonly throttlePct: number;
  readonly evMinLamports: bigint;
  readonly tipLadderLamports: readonly bigint[];
  /** Unix time in nanoseconds. */
  readonly atNs: bigint;
  /** SHA-256 of the command as it came. */
  readonly commandSha256: Uint8Array;
  readonly sequence: bigint;
  readonly sig: Uint8Array;
  readonly pubkeyId: string;
  readonly sigAlg: string;
};

export function encodeAck(ack: Ack): Uint8Array {
  const { answer, trading, tipLadderLamports, ...rest } = ack;
  const message = create(AckSchema, {
    ...rest,
    schemaVersion: ACK_SCHEMA_VERSION,
    answer: ANSWERS[answer],
    trading: TRADINGS[trading],
    tipLadderLamports: [...tipLadderLamports],
  });
  return toBinary(AckSchema, message);
}

/** What a signature covers. */
export const ackSigningBytes = (ack: Ack): Uint8Array =>
  encodeAck({ ...ack, sig: new Uint8Array(0), pubkeyId: "", sigAlg: "" });

/** Throws a SandpiperError unless the bytes are an ack in its one form. */
export function decodeAck(bytes: Uint8Array): Ack {
  if (bytes.length > ACK_BYTES_MAX) refuse(`at most ${ACK_BYTES_MAX} bytes`, `${bytes.length}`);
  const ack = parse(bytes);
  if (!Buffer.from(encodeAck(ack)).equals(bytes)) refuse("its one form", "another encoding");
  return ack;
}

function parse(bytes: Uint8Array): Ack {
  let message: ReturnType<typeof fromBinary<typeof AckSchema>>;
  try {
    message = fromBinary(AckSchema, bytes);
  } catch {
    refuse("valid protobuf", `${bytes.length} bytes of something else`);
  }
  const { $typeName: _, $unknown: unknown, schemaVersion, answer, trading, ...rest } = message;
  if (schemaVersion !== ACK_SCHEMA_VERSION) refuse(ACK_SCHEMA_VERSION, JSON.stringify(schemaVersion.slice(0, 40)));
  if (unknown !== undefined && unknown.length > 0) refuse(`only the fields of ${ACK_SCHEMA_VERSION}`, "others");
  return { ...rest, answer: nameOf(ANSWERS, answer, "answer"), trading: nameOf(TRADINGS, trading, "trading") };
}

function nameOf<N extends string>(table: Readonly<Record<N, number>>, number: number, what: string): N {
  const names = Object.keys(table) as N[];
  return names.find((name) => table[name] === number) ?? refuse(`a known ${what}`, `number ${number}`);
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(WIRE_ERROR.ack, `Cannot decode an ack: ${want}, was ${was}`);
}
