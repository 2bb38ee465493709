/**
 * Operator commands (proto/control.proto, schema ctrl-v1) as bytes. One command has one canonical form, equal to what
 * protobuf's deterministic serialisation writes: fields in the order of their numbers, fields at their default left
 * out, map entries in the order of their keys' UTF-8 bytes with key and value both written.
 *
 *   1 ts · 2 module · 3 action · 4 args { 1 key · 2 value }* · 5 request_id · 6 issuer · 7 schema_version
 *   8 sig · 9 pubkey_id · 10 sig_alg · 11 nonce
 *
 * The signature covers the canonical form with 8, 9 and 10 empty. The decoder takes canonical bytes only, with one liberty:
 * map entries may stand in any order, because a serialiser keeps an order only when it is asked to. Unknown fields,
 * fields twice or out of order, longer varints than needed, defaults written out and text that is not UTF-8 are refused:
 * whoever reads the command must see all that was signed, and nothing that was not.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { SandpiperError } from "#core/error.ts";
import { Action, Module } from "./gen/control_pb.js";

export const COMMAND_SCHEMA_VERSION = "ctrl-v1";
/** Longest command, encoded. The largest sensible one is under 1 kB. */
const COMMAND_BYTES_MAX = 4_096;
const UINT64_MAX = (1n << 64n) - 1n;
const WIRE_ERROR = { command: 202 } as const;

const MODULE_NUMBERS = { arbitrage: Module.ARBITRAGE, mev: Module.MEV } as const;
const ACTION_NUMBERS = {
  start: Action.START,
  stop: Action.STOP,
  restart: Action.RESTART,
  throttle: Action.THROTTLE,
  policy: Action.POLICY,
  kill: Action.KILL,
} as const;
export type ModuleName = keyof typeof MODULE_NUMBERS;
export type ActionName = keyof typeof ACTION_NUMBERS;
export const MODULE_NAMES = Object.keys(MODULE_NUMBERS) as readonly ModuleName[];
export const ACTION_NAMES = Object.keys(ACTION_NUMBERS) as readonly ActionName[];

export type Command = {
  /** Unix time, seconds. */
  readonly tsSeconds: bigint;
  readonly module: ModuleName;
  readonly action: ActionName;
  readonly args: ReadonlyMap<string, string>;
  readonly requestId: string;
  readonly issuer: string;
  readonly schemaVersion: string;
  /** 64 bytes once it is signed. */
  readonly sig: Uint8Array;
  readonly pubkeyId: string;
  readonly sigAlg: string;
  readonly nonce: bigint;
};

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The canonical form. Throws a SandpiperError for text that has no UTF-8 form or a number outside 64 bits. */
export const encodeCommand = (command: Command): Uint8Array => encode(command, sortedByKey(command.args));

/** What a signature covers: the canonical form with sig, pubkey_id and sig_alg empty. */
export const signingBytes = (command: Command): Uint8Array =>
  encodeCommand({ ...command, sig: NO_BYTES, pubkeyId: "", sigAlg: "" });

/**
 * What another signer may have signed for the same command. C++ and Go put a key before those that begin with it; upb
 * (protobuf's Python, Ruby and PHP) puts it behind them. Both say the same command, so either signature is one over it.
 * No two arguments that an action knows begin with one another: what Sandpiper signs has one form.
 */
export function signingForms(command: Command): readonly Uint8Array[] {
  const forms = [signingBytes(command)];
  const keys = sortedByKey(command.args).map(([key]) => key);
  if (keys.some((key, i) => keys[i + 1]?.startsWith(key)))
    forms.push(encode({ ...command, sig: NO_BYTES, pubkeyId: "", sigAlg: "" }, sortedLongerFirst(command.args)));
  return forms;
}

/** Throws a SandpiperError when the bytes are no command, or not its canonical form (map entries in any order). */
export function decodeCommand(bytes: Uint8Array): Command {
  if (bytes.length > COMMAND_BYTES_MAX) refuseDecode(`at most ${COMMAND_BYTES_MAX} bytes`, `${bytes.length}`);
  let parsed: Parsed;
  try {
    parsed = parse(bytes);
  } catch (thrown) {
    if (thrown instanceof SandpiperError) throw thrown;
    refuseDecode("valid protobuf", `${bytes.length} bytes of something else`);
  }
  const { moduleNumber, actionNumber, entries, ...rest } = parsed;
  const module = MODULE_NAMES.find((name) => MODULE_NUMBERS[name] === moduleNumber);
  const action = ACTION_NAMES.find((name) => ACTION_NUMBERS[name] === actionNumber);
  if (module === undefined) refuseDecode(`module ${MODULE_NAMES.join(" or ")}`, `number ${moduleNumber}`);
  if (action === undefined) refuseDecode(`action ${ACTION_NAMES.join(", ")}`, `number ${actionNumber}`);
  const command: Command = { ...rest, module, action, args: new Map(entries) };
  if (command.args.size !== entries.length) refuseDecode("each argument once", "one that stands twice");
  // Writing it again in the order it came finds every other way of saying the same thing in different bytes.
  if (!sameBytes(encode(command, entries), bytes)) refuseDecode("canonical protobuf", "another encoding");
  return command;
}

/** Without Buffer: the page reads commands in a browser. */
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

type Entries = readonly (readonly [key: string, value: string])[];
type Parsed = Omit<Command, "module" | "action" | "args"> & {
  readonly moduleNumber: number;
  readonly actionNumber: number;
  readonly entries: Entries;
};

function encode(command: Command, entries: Entries): Uint8Array {
  const writer = new BinaryWriter();
  const number = (field: number, value: bigint) => {
    if (value < 0n || value > UINT64_MAX) refuseEncode(`field ${field} from 0 to 2^64 - 1`, value.toString());
    if (value !== 0n) writer.tag(field, WireType.Varint).uint64(value);
  };
  const bytes = (field: number, value: Uint8Array) => {
    if (value.length > 0) writer.tag(field, WireType.LengthDelimited).bytes(value);
  };
  number(1, command.tsSeconds);
  number(2, BigInt(MODULE_NUMBERS[command.module]));
  number(3, BigInt(ACTION_NUMBERS[command.action]));
  for (const [key, value] of entries) {
    writer.tag(4, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).bytes(textBytes(key));
    writer.tag(2, WireType.LengthDelimited).bytes(textBytes(value));
    writer.join();
  }
  bytes(5, textBytes(command.requestId));
  bytes(6, textBytes(command.issuer));
  bytes(7, textBytes(command.schemaVersion));
  bytes(8, command.sig);
  bytes(9, textBytes(command.pubkeyId));
  bytes(10, textBytes(command.sigAlg));
  number(11, command.nonce);
  return writer.finish();
}

function parse(bytes: Uint8Array): Parsed {
  const reader = new BinaryReader(bytes);
  const numbers = new Map<number, bigint>();
  const blocks = new Map<number, Uint8Array>();
  const entries: (readonly [string, string])[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 4 && wireType === WireType.LengthDelimited) entries.push(parseEntry(reader.bytes()));
    else if (VARINT_FIELDS.has(field) && wireType === WireType.Varint) numbers.set(field, BigInt(reader.uint64()));
    else if (BLOCK_FIELDS.has(field) && wireType === WireType.LengthDelimited) blocks.set(field, reader.bytes());
    else refuseDecode("only the fields of ctrl-v1", `field ${field} of wire type ${wireType}`);
  }
  const number = (field: number) => numbers.get(field) ?? 0n;
  const text = (field: number) => fromUtf8.decode(blocks.get(field) ?? NO_BYTES);
  return {
    tsSeconds: number(1),
    moduleNumber: Number(number(2)),
    actionNumber: Number(number(3)),
    entries,
    requestId: text(5),
    issuer: text(6),
    schemaVersion: text(7),
    sig: Uint8Array.from(blocks.get(8) ?? NO_BYTES),
    pubkeyId: text(9),
    sigAlg: text(10),
    nonce: number(11),
  };
}

const VARINT_FIELDS: ReadonlySet<number> = new Set([1, 2, 3, 11]);
const BLOCK_FIELDS: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10]);

function parseEntry(bytes: Uint8Array): readonly [key: string, value: string] {
  const reader = new BinaryReader(bytes);
  const halves = ["", ""];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if ((field !== 1 && field !== 2) || wireType !== WireType.LengthDelimited)
      refuseDecode("only key and value in an argument", `field ${field} of wire type ${wireType}`);
    halves[field - 1] = fromUtf8.decode(reader.bytes());
  }
  return [halves[0] ?? "", halves[1] ?? ""];
}

/** By UTF-8 bytes, as protobuf sorts; JavaScript's own order, by UTF-16 units, differs beyond the basic plane. */
function sortedByKey(args: ReadonlyMap<string, string>): Entries {
  return [...args].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** By UTF-8 bytes, but a key behind all that begin with it: as if 256 stood at its end. */
function sortedLongerFirst(args: ReadonlyMap<string, string>): Entries {
  return [...args].sort(([a], [b]) => {
    if (a.startsWith(b) || b.startsWith(a)) return Buffer.byteLength(b) - Buffer.byteLength(a);
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  });
}

function textBytes(text: string): Uint8Array {
  if (!text.isWellFormed()) refuseEncode("text with a UTF-8 form", "half a surrogate pair");
  return utf8.encode(text);
}

function refuseDecode(want: string, was: string): never {
  throw new SandpiperError(WIRE_ERROR.command, `Cannot decode a command: ${want}, was ${was}`);
}

function refuseEncode(want: string, was: string): never {
  throw new SandpiperError(WIRE_ERROR.command, `Cannot encode a command: ${want}, was ${was}`);
}
