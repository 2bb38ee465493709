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
/** Decoded addresses kept; a wallet and some thousand pools reuse the same ones for ever. */
const DECODED_MAX = 16_384;

type Use = { readonly address: Address; signer: boolean; writable: boolean; readonly payer: boolean };

/** Throws a SandpiperError where the runtime would refuse the message. */
export function compileMessage(parts: MessageParts): Uint8Array {
  const uses = collectUses(parts);
  const places = new Map<Address, number>();
  for (let i = 0; i < uses.length; i++) places.set((uses[i] as Use).address, i);
  const out = new Uint8Array(messageBytes(uses.length, parts.instructions));
  let at = writeHeader(out, uses);
  for (const use of uses) at = writeKey(out, at, use.address);
  at = writeKey(out, at, parts.blockhash);
  at = writeCompact(out, at, parts.instructions.length);
  for (const instruction of parts.instructions) {
    out[at++] = places.get(instruction.programAddress) as number;
    at = writeCompact(out, at, instruction.accounts.length);
    for (const account of instruction.accounts) out[at++] = places.get(account.address) as number;
    at = writeCompact(out, at, instruction.data.length);
    out.set(instruction.data, at);
    at += instruction.data.length;
  }
  return out;
}

/** Every account once, with the strongest use of it, in the order of the message. */
function collectUses({ payer, instructions }: MessageParts): Use[] {
  if (instructions.length > INSTRUCTIONS_MAX)
    refuse(`at most ${INSTRUCTIONS_MAX} instructions`, `${instructions.length}`);
  const uses = new Map<Address, Use>([[payer, { address: payer, signer: true, writable: true, payer: true }]]);
  for (const { programAddress, accounts } of instructions) {
    if (accounts.length > INSTRUCTION_ACCOUNTS_MAX)
      refuse(`at most ${INSTRUCTION_ACCOUNTS_MAX} accounts in an instruction`, `${accounts.length}`);
    if (!uses.has(programAddress))
      uses.set(programAddress, { address: programAddress, signer: false, writable: false, payer: false });
    for (const { address, signer, writable } of accounts) {
      const use = uses.get(address);
      if (use === undefined) uses.set(address, { address, signer, writable, payer: false });
      else {
        use.signer ||= signer;
        use.writable ||= writable;
      }
    }
  }
  for (const { programAddress } of instructions)
    if (uses.get(programAddress)?.writable === true)
      refuse("programs that nobody pays with or writes to", programAddress);
  if (uses.size > ACCOUNTS_MAX) refuse(`at most ${ACCOUNTS_MAX} accounts`, `${uses.size}`);
  const sorted = [...uses.values()].sort(compareUses);
  const signers = sorted.filter((use) => use.signer).length;
  if (signers > SIGNERS_MAX) refuse(`at most ${SIGNERS_MAX} signers`, `${signers}`);
  return sorted;
}

function compareUses(left: Use, right: Use): number {
  if (left.payer !== right.payer) return left.payer ? -1 : 1;
  if (left.signer !== right.signer) return left.signer ? -1 : 1;
  if (left.writable !== right.writable) return left.writable ? -1 : 1;
  return compareAddresses(left.address, right.address);
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

function writeHeader(out: Uint8Array, uses: readonly Use[]): number {
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

const decoded = new Map<string, Uint8Array>();

function writeKey(out: Uint8Array, at: number, text: string): number {
  let bytes = decoded.get(text);
  if (bytes === undefined) {
    bytes = base58Decode(text);
    if (bytes.length !== KEY_BYTES) refuse("keys of 32 bytes in base58", JSON.stringify(text));
    if (decoded.size >= DECODED_MAX) decoded.clear();
    decoded.set(text, bytes);
  }
  out.set(bytes, at);
  return at + KEY_BYTES;
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
