/**
 * Transactions as they travel (legacy, version 0 and version 1), read without trust:
 *
 *   compact count, 64-byte signatures │ [0x80 | version] 3-byte header │ compact count, 32-byte keys │ 32-byte blockhash
 *   │ compact count, instructions { program u8, compact accounts u8…, compact data } │ v0: lookup tables, not read here
 *
 *   version 1 (SIMD-0385): 0x81 │ 3-byte header │ config mask u32 │ 32-byte lifetime │ instructions u8, keys u8 │ 32-byte keys
 *   │ 4 bytes for each bit of the mask │ heads { program u8, accounts u8, data bytes u16 } │ each one's accounts and data
 *   │ 64-byte signatures
 *
 * Accounts that come from a lookup table are not in these bytes: an instruction that uses one has its accounts emptied,
 * so that nobody takes it for another.
 */
import { base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address, Signature } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import { MARKET_ERROR } from "./errors.ts";

const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;
const HEADER_BYTES = 3;
const VERSION_BIT = 0x80;
const VERSION_1 = 0x81;
const CONFIG_WORD_BYTES = 4;
/** Far above the 1,232 bytes of a packet: a bound, not a rule of the network. */
const WIRE_BYTES_MAX = 16_384;

type WireInstruction = {
  readonly program: Address;
  readonly accounts: readonly Address[];
  readonly data: Uint8Array;
};

export type WireTransaction = {
  readonly signature: Signature;
  readonly keys: readonly Address[];
  readonly instructions: readonly WireInstruction[];
};

export function readWireTransaction(wire: Uint8Array): Result<WireTransaction, SandpiperError> {
  if (wire.length > WIRE_BYTES_MAX) return refuse(`at most ${WIRE_BYTES_MAX} bytes`, `${wire.length}`);
  const reader = new Reader(wire);
  if (wire[0] === VERSION_1) return readVersion1(reader);
  const signatures = reader.list(SIGNATURE_BYTES);
  const first = reader.byte();
  const versioned = (first & VERSION_BIT) !== 0;
  if (versioned && first !== VERSION_BIT) return refuse("a legacy or version 0 message", `${first}`);
  reader.skip(versioned ? HEADER_BYTES : HEADER_BYTES - 1);
  const keys = reader.list(KEY_BYTES).map((key) => readAddress(key, 0));
  reader.skip(KEY_BYTES);
  const instructions: WireInstruction[] = [];
  for (let left = reader.count(); left > 0 && !reader.short; left--) {
    const program = keys[reader.byte()];
    const accounts = [...reader.take(reader.count())].map((index) => keys[index]);
    const data = reader.take(reader.count());
    if (program === undefined) return refuse("programs among its keys", "one outside");
    instructions.push({ program, accounts: accounts.every((key) => key !== undefined) ? accounts : [], data });
  }
  const signature = signatures[0];
  if (reader.short || signature === undefined || keys.length === 0)
    return refuse("signatures, keys and instructions to the last byte", `${wire.length} bytes that end before`);
  return ok({ signature: base58Encode(signature) as Signature, keys, instructions });
}

function readVersion1(reader: Reader): Result<WireTransaction, SandpiperError> {
  reader.skip(1);
  const signers = reader.byte();
  reader.skip(HEADER_BYTES - 1);
  const configWords = [...reader.take(4)].reduce((bits, byte) => bits + bitsOf(byte), 0);
  reader.skip(KEY_BYTES);
  const [instructionCount, keyCount] = [reader.byte(), reader.byte()];
  const keys = Array.from({ length: keyCount }, () => reader.take(KEY_BYTES))
    .filter(() => !reader.short)
    .map((key) => readAddress(key, 0));
  reader.skip(configWords * CONFIG_WORD_BYTES);
  const heads = Array.from({ length: instructionCount }, () => ({
    program: keys[reader.byte()],
    accounts: reader.byte(),
    dataBytes: reader.byte() | (reader.byte() << 8),
  }));
  const instructions: WireInstruction[] = [];
  for (const { program, accounts: count, dataBytes } of heads) {
    const accounts = [...reader.take(count)].map((index) => keys[index]);
    const data = reader.take(dataBytes);
    if (program === undefined) return refuse("programs among its keys", "one outside");
    instructions.push({ program, accounts: accounts.every((key) => key !== undefined) ? accounts : [], data });
  }
  const signature = reader.take(SIGNATURE_BYTES);
  reader.skip(Math.max(0, signers - 1) * SIGNATURE_BYTES);
  if (reader.short || signers === 0 || keys.length === 0)
    return refuse("keys, instructions and signatures to the last byte", `${reader.bytes.length} bytes that end before`);
  return ok({ signature: base58Encode(signature) as Signature, keys, instructions });
}

const bitsOf = (byte: number): number => byte.toString(2).replaceAll("0", "").length;

/** Reads forward; past the end it answers zeros and remembers that it was too short. */
class Reader {
  short = false;
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) this.short = true;
    return byte ?? 0;
  }

  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.bytes.length) this.short = true;
  }

  take(length: number): Uint8Array {
    const start = this.#at;
    this.skip(length);
    return this.short ? new Uint8Array() : this.bytes.subarray(start, start + length);
  }

  /** Solana's compact-u16: seven bits a byte, low first, at most three bytes. */
  count(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.byte();
      value |= (byte & 0x7f) << (7 * i);
      if ((byte & 0x80) === 0) break;
    }
    return value;
  }

  list(itemBytes: number): Uint8Array[] {
    const items: Uint8Array[] = [];
    for (let left = this.count(); left > 0; left--) {
      const item = this.take(itemBytes);
      if (this.short) return [];
      items.push(item);
    }
    return items;
  }
}

function refuse(want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(MARKET_ERROR.transaction, `Cannot read a transaction: ${want}, was ${was}`));
}
