/**
 * Reads a transaction from its wire bytes, strictly: LiteSVM's binding aborts the process on bytes it cannot decode, so
 * nothing reaches it that this has not read to the last byte.
 *
 *   compact-u16 n, n × 64 bytes         signatures
 *   u8  0x80 | version                  absent in a legacy message
 *   u8  signers, u8 read-only signers, u8 read-only others
 *   compact-u16 n, n × 32 bytes         static account keys
 *   32 bytes                            recent blockhash
 *   compact-u16 n, n × { u8 program, compact-u16 + u8 accounts[], compact-u16 + data }
 *   compact-u16 n, n × { 32 bytes table, compact-u16 + u8 writable[], compact-u16 + u8 readonly[] }   version 0 only
 */
import { base58Encode } from "#core/base58.ts";
import { assert } from "#core/error.ts";
import type { Address, Signature } from "#core/units.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";

export type CompiledInstruction = {
  readonly programIndex: number;
  /** Indices into the account keys. */
  readonly accounts: Uint8Array;
  readonly data: Uint8Array;
};

type TableLookup = { readonly table: Address; readonly writable: Uint8Array; readonly readonly: Uint8Array };

export type ParsedTransaction = {
  readonly wire: Uint8Array;
  readonly signature: Signature;
  readonly signatureCount: number;
  readonly version: "legacy" | 0;
  /** Where the message begins in `wire`. */
  readonly messageAt: number;
  readonly readonlySigners: number;
  readonly readonlyOthers: number;
  /** The keys inside the message; those of lookup tables come after them. */
  readonly staticKeys: readonly Address[];
  readonly blockhash: string;
  readonly instructions: readonly CompiledInstruction[];
  readonly lookups: readonly TableLookup[];
};

/** The largest transaction the network carries. */
export const WIRE_BYTES_MAX = 1_232;
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;
/** Account indices are bytes. */
const KEYS_MAX = 256;

export type ParseFailure = {
  /** "decode": not a transaction at all; "sanitize": one that breaks a rule of its form; "version": a later form. */
  readonly kind: "decode" | "sanitize" | "version";
  readonly reason: string;
};
export type ParseResult =
  | { readonly ok: true; readonly value: ParsedTransaction }
  | { readonly ok: false; readonly error: ParseFailure };

/** Reads and copies the wire bytes. Never throws. */
export function parseTransaction(bytes: Uint8Array, book: AddressBook): ParseResult {
  try {
    return { ok: true, value: readTransaction(new Reader(Uint8Array.from(bytes)), book) };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ok: false, error: { kind: thrown.kind, reason: thrown.reason } };
    throw thrown;
  }
}

/** Reads wire bytes that have been read before. */
export function parseAgain(wire: Uint8Array, book: AddressBook): ParsedTransaction {
  const result = parseTransaction(wire, book);
  assert(result.ok, "a transaction of the ledger can be read");
  return result.value;
}

/** Reads a message without signatures, as getFeeForMessage takes it. */
export function parseMessage(message: Uint8Array, book: AddressBook): ParseResult {
  const signers = ((message[0] ?? 0) & 0x80) === 0 ? (message[0] ?? 0) : (message[1] ?? 0);
  if (signers >= 0x80) return { ok: false, error: { kind: "sanitize", reason: "too many signers" } };
  const wire = new Uint8Array(1 + signers * SIGNATURE_BYTES + message.length);
  wire[0] = signers;
  wire.set(message, 1 + signers * SIGNATURE_BYTES);
  return parseTransaction(wire, book);
}

function readTransaction(reader: Reader, book: AddressBook): ParsedTransaction {
  const { wire } = reader;
  const signatureCount = reader.compact();
  const signature = reader.take(signatureCount * SIGNATURE_BYTES).subarray(0, SIGNATURE_BYTES);
  const messageAt = reader.at;
  const version = readVersion(reader);
  const signers = reader.byte();
  const readonlySigners = reader.byte();
  const readonlyOthers = reader.byte();
  const staticKeys = readKeys(reader, book);
  const blockhash = book.text(wire, reader.skip(KEY_BYTES));
  const instructions = readInstructions(reader);
  const lookups = version === 0 ? readLookups(reader, book) : [];
  if (reader.at !== wire.length) refuse("decode", `${wire.length - reader.at} bytes after the end`);
  if (signatureCount !== signers) refuse("sanitize", `${signatureCount} signatures for ${signers} signers`);
  const shape = { signers, readonlySigners, readonlyOthers };
  checkShape(shape, staticKeys.length, instructions, lookups);
  return {
    wire,
    signature: base58Encode(signature) as Signature,
    signatureCount,
    version,
    messageAt,
    readonlySigners,
    readonlyOthers,
    staticKeys,
    blockhash,
    instructions,
    lookups,
  };
}

function readVersion(reader: Reader): "legacy" | 0 {
  const first = reader.peek();
  if ((first & 0x80) === 0) return "legacy";
  const version = reader.byte() & 0x7f;
  return version === 0 ? 0 : refuse("version", `version ${version}`);
}

function readKeys(reader: Reader, book: AddressBook): Address[] {
  const count = reader.compact();
  if (count > KEYS_MAX) refuse("sanitize", `${count} account keys`);
  const keys: Address[] = [];
  for (let i = 0; i < count; i++) keys.push(book.text(reader.wire, reader.skip(KEY_BYTES)));
  return keys;
}

function readInstructions(reader: Reader): CompiledInstruction[] {
  const count = reader.compact();
  const instructions: CompiledInstruction[] = [];
  for (let i = 0; i < count; i++) {
    const programIndex = reader.byte();
    const accounts = reader.take(reader.compact());
    const data = reader.take(reader.compact());
    instructions.push({ programIndex, accounts, data });
  }
  return instructions;
}

function readLookups(reader: Reader, book: AddressBook): TableLookup[] {
  const count = reader.compact();
  const lookups: TableLookup[] = [];
  for (let i = 0; i < count; i++) {
    const table = book.text(reader.wire, reader.skip(KEY_BYTES));
    const writable = reader.take(reader.compact());
    const readonly = reader.take(reader.compact());
    lookups.push({ table, writable, readonly });
  }
  return lookups;
}

/** The rules of Message::sanitize that later code relies on for its indices. */
function checkShape(
  shape: { readonly signers: number; readonly readonlySigners: number; readonly readonlyOthers: number },
  staticKeys: number,
  instructions: readonly CompiledInstruction[],
  lookups: readonly TableLookup[],
): void {
  if (shape.signers + shape.readonlyOthers > staticKeys) refuse("sanitize", "more signers than keys");
  if (shape.readonlySigners >= shape.signers) refuse("sanitize", "no writable fee payer");
  let keys = staticKeys;
  for (const { writable, readonly } of lookups) {
    if (writable.length + readonly.length === 0) refuse("sanitize", "an empty table lookup");
    keys += writable.length + readonly.length;
  }
  if (keys > KEYS_MAX) refuse("sanitize", `${keys} account keys`);
  for (const { programIndex, accounts } of instructions) {
    if (programIndex === 0 || programIndex >= staticKeys) refuse("sanitize", `program index ${programIndex}`);
    for (const index of accounts) if (index >= keys) refuse("sanitize", `account index ${index}`);
  }
}

/** Whether the key at `index` is one the message asks to write, before the runtime's own demotions. */
export function isWritable(parsed: ParsedTransaction, index: number, loadedWritable: number): boolean {
  const { signatureCount, staticKeys } = parsed;
  if (index >= staticKeys.length) return index < staticKeys.length + loadedWritable;
  if (index < signatureCount) return index < signatureCount - parsed.readonlySigners;
  return index < staticKeys.length - parsed.readonlyOthers;
}

class Refusal {
  constructor(
    readonly kind: ParseFailure["kind"],
    readonly reason: string,
  ) {}
}

function refuse(kind: ParseFailure["kind"], reason: string): never {
  throw new Refusal(kind, reason);
}

/** Walks the bytes; every read is checked against the end. */
class Reader {
  at = 0;
  constructor(readonly wire: Uint8Array) {}

  peek(): number {
    return this.wire[this.at] ?? refuse("decode", "unexpected end");
  }

  byte(): number {
    const value = this.peek();
    this.at++;
    return value;
  }

  /** Passes `length` bytes and answers where they began. */
  skip(length: number): number {
    const from = this.at;
    if (from + length > this.wire.length) refuse("decode", "unexpected end");
    this.at += length;
    return from;
  }

  take(length: number): Uint8Array {
    const from = this.skip(length);
    return this.wire.subarray(from, from + length);
  }

  /** Solana's compact-u16, which has exactly one spelling for each number. */
  compact(): number {
    let value = 0;
    for (let place = 0; place < 3; place++) {
      const byte = this.byte();
      if (byte === 0 && place > 0) refuse("decode", "a length with a needless byte");
      value |= (byte & 0x7f) << (7 * place);
      if ((byte & 0x80) === 0) return value <= 0xffff ? value : refuse("decode", "a length over 65,535");
    }
    return refuse("decode", "a length over 3 bytes");
  }
}
