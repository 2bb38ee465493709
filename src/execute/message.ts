/**
 * Compiles instructions into a version 0 message without lookup tables (Solana "versioned transactions"):
 *
 *   u8  0x80                            version 0
 *   u8  signers, u8 read-only signers, u8 read-only others
 *   compact-u16 n, n × 32 bytes         accounts: the payer; then signers before others, writable before read-only,
 *                                       and inside each of the four groups in the collation order of @solana/kit
 *   32 bytes                            recent blockhash
 *   compact-u16 n, n × { u8 program, compact-u16 + u8 accounts[], compact-u16 + data }
 *   u8  0                               no lookup tables
 *
 * Byte-equal to @solana/kit's compiler, which the tests prove, in a fraction of its time (bench/build-and-sign.ts).
 */
import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { EXECUTE_ERROR } from "./errors.ts";

export type MessageParts = {
  readonly payer: Address;
  readonly blockhash: string;
  readonly instructions: readonly Instruction[];
};

/** Limits of Solana's runtime, as @solana/kit holds them too. */
const ACCOUNTS_MAX = 64;
const SIGNERS_MAX = 12;
const INSTRUCTIONS_MAX = 64;
const INSTRUCTION_ACCOUNTS_MAX = 255;
const KEY_BYTES = 32;
/** Addresses kept; a wallet and some thousand pools reuse the same ones for ever. */
const KNOWN_MAX = 16_384;
/** 37 values a character: a number holds ten of them exactly. */
const RANKED = 10;

/** Its place in the order of the message: the payer, then signers before others, writable before read-only. */
const GROUP = { payer: 0, writableSigner: 1, readonlySigner: 2, writable: 3, readonly: 4 } as const;

/** An address that was seen before, and its use in the message being compiled (that of number `compiledIn`). */
type Key = {
  readonly address: string;
  readonly bytes: Uint8Array;
  /** Of the first RANKED characters in the order of the message; keys of one rank are compared whole. */
  readonly rank: number;
  compiledIn: number;
  group: number;
  signer: boolean;
  writable: boolean;
  place: number;
};

/** Throws a SandpiperError where the runtime would refuse the message. */
export function compileMessage(parts: MessageParts): Uint8Array {
  const { payer, blockhash, instructions } = parts;
  if (instructions.length > INSTRUCTIONS_MAX)
    refuse(`at most ${INSTRUCTIONS_MAX} instructions`, `${instructions.length}`);
  if (known.size >= KNOWN_MAX) known.clear();
  compiling++;
  const keys: Key[] = [];
  use(keys, payer, true, true).group = GROUP.payer;
  const named: Key[] = [];
  for (const { programAddress, accounts } of instructions) {
    if (accounts.length > INSTRUCTION_ACCOUNTS_MAX)
      refuse(`at most ${INSTRUCTION_ACCOUNTS_MAX} accounts in an instruction`, `${accounts.length}`);
    named.push(use(keys, programAddress, false, false));
    for (const { address, signer, writable } of accounts) named.push(use(keys, address, signer, writable));
  }
  checkAndSort(keys, instructions);
  const out = new Uint8Array(messageBytes(keys.length, instructions));
  let at = writeHeader(out, keys);
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as Key;
    key.place = place;
    out.set(key.bytes, at);
    at += KEY_BYTES;
  }
  out.set(keyOf(blockhash).bytes, at);
  at = writeCompact(out, at + KEY_BYTES, instructions.length);
  let next = 0;
  for (const { accounts, data } of instructions) {
    out[at++] = (named[next++] as Key).place;
    at = writeCompact(out, at, accounts.length);
    for (let i = 0; i < accounts.length; i++) out[at++] = (named[next++] as Key).place;
    at = writeCompact(out, at, data.length);
    out.set(data, at);
    at += data.length;
  }
  return out;
}

/** Addresses seen lately, each with its bytes: one look-up per use, and none of the objects is made anew. */
const known = new Map<string, Key>();
let compiling = 0;

function keyOf(address: string): Key {
  const seen = known.get(address);
  if (seen !== undefined) return seen;
  const bytes = base58Decode(address);
  if (bytes.length !== KEY_BYTES) refuse("keys of 32 bytes in base58", JSON.stringify(address));
  const use = { compiledIn: 0, group: GROUP.readonly, signer: false, writable: false, place: 0 };
  const key: Key = { address, bytes, rank: rankOf(address), ...use };
  known.set(address, key);
  return key;
}

/** The key of an address with the strongest of its uses in this message; adds it to `keys` at the first. */
function use(keys: Key[], address: string, signer: boolean, writable: boolean): Key {
  const key = keyOf(address);
  if (key.compiledIn !== compiling) {
    key.compiledIn = compiling;
    key.group = GROUP.readonly;
    key.signer = signer;
    key.writable = writable;
    keys.push(key);
  } else {
    key.signer ||= signer;
    key.writable ||= writable;
  }
  if (key.group !== GROUP.payer)
    key.group = key.signer
      ? key.writable
        ? GROUP.writableSigner
        : GROUP.readonlySigner
      : key.writable
        ? GROUP.writable
        : GROUP.readonly;
  return key;
}

function checkAndSort(keys: Key[], instructions: readonly Instruction[]): void {
  for (const { programAddress } of instructions)
    if (keyOf(programAddress).writable) refuse("programs that nobody pays with or writes to", programAddress);
  if (keys.length > ACCOUNTS_MAX) refuse(`at most ${ACCOUNTS_MAX} accounts`, `${keys.length}`);
  const signers = keys.filter(({ signer }) => signer).length;
  if (signers > SIGNERS_MAX) refuse(`at most ${SIGNERS_MAX} signers`, `${signers}`);
  keys.sort(compareKeys);
}

const compareKeys = (left: Key, right: Key): number =>
  left.group - right.group || left.rank - right.rank || compareAddresses(left.address, right.address);

/** The first characters as a number, as compareAddresses orders them before it looks at their case; an end comes first. */
function rankOf(address: string): number {
  let rank = 0;
  for (let i = 0; i < RANKED; i++) {
    const code = i < address.length ? address.charCodeAt(i) : 0;
    const isDigit = code < 0x40;
    rank = rank * 37 + (code === 0 ? 0 : isDigit ? code - 0x2f : (code | 0x20) - 0x61 + 11);
  }
  return rank;
}

/**
 * The English collation order that kit asks of Intl.Collator, for base58 texts: digits before letters, letters by the
 * alphabet whatever their case; only where all that is equal, lower case before upper at the first difference.
 */
function compareAddresses(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  let byCase = 0;
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a === b) continue;
    // Setting bit 5 makes a letter lower case and leaves a digit as it is.
    const byLetter = (a | 0x20) - (b | 0x20);
    if (byLetter !== 0) return byLetter;
    if (byCase === 0) byCase = b - a;
  }
  return left.length - right.length || byCase;
}

function writeHeader(out: Uint8Array, uses: readonly Key[]): number {
  let signers = 0;
  let readonlySigners = 0;
  let readonlyOthers = 0;
  for (const { signer, writable } of uses) {
    if (signer) signers++;
    if (!writable && signer) readonlySigners++;
    if (!writable && !signer) readonlyOthers++;
  }
  out[0] = 0x80;
  out[1] = signers;
  out[2] = readonlySigners;
  out[3] = readonlyOthers;
  return writeCompact(out, 4, uses.length);
}

function messageBytes(accounts: number, instructions: readonly Instruction[]): number {
  let bytes = 4 + compactBytes(accounts) + (accounts + 1) * KEY_BYTES + compactBytes(instructions.length) + 1;
  for (const { accounts: used, data } of instructions)
    bytes += 1 + compactBytes(used.length) + used.length + compactBytes(data.length) + data.length;
  return bytes;
}

/** Solana's compact-u16: seven bits a byte, low first; the high bit says that more follow. */
export function writeCompact(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    out[end++] = (rest & 0x7f) | 0x80;
    rest >>= 7;
  }
  out[end++] = rest;
  return end;
}

export const compactBytes = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : 3);

function refuse(must: string, was: string): never {
  throw new SandpiperError(EXECUTE_ERROR.message, `Cannot compile a message: ${must}, was ${was}`);
}
