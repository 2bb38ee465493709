/** Reading foreign bytes: little-endian numbers and addresses at offsets that the caller has checked to be inside. */
import { base58Decode, base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";

const ADDRESS_BYTES = 32;

export const readU64 = (bytes: Uint8Array, offset: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, true);

/**
 * The text of the 32 bytes at `offset`. A market names the same few thousand addresses over and over, and making base58
 * costs some 3 µs: texts already made are kept, up to a bound at which the table starts anew.
 */
export function readAddress(bytes: Uint8Array, offset: number): Address {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset + offset, ADDRESS_BYTES).toString("latin1");
  const known = textOf.get(key);
  if (known !== undefined) return known;
  const text = base58Encode(bytes.subarray(offset, offset + ADDRESS_BYTES)) as Address;
  if (textOf.size >= TEXTS_MAX) textOf.clear();
  textOf.set(key, text);
  return text;
}

/** The way back, kept as well: the 32 bytes of an address. Not to be written to. */
export function addressBytes(address: Address): Uint8Array {
  const known = bytesOf.get(address);
  if (known !== undefined) return known;
  const bytes = base58Decode(address);
  if (bytesOf.size >= TEXTS_MAX) bytesOf.clear();
  bytesOf.set(address, bytes);
  return bytes;
}

const TEXTS_MAX = 65_536;
const textOf = new Map<string, Address>();
const bytesOf = new Map<Address, Uint8Array>();

/** Whether the bytes start with `prefix`. */
export const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, i) => bytes[i] === byte);

/** The bytes of standard base64, or undefined when the text is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  // Bun leaves out what is not in the alphabet, and takes the URL's alphabet too: a wrong text shows by its length.
  if (text.length % 4 !== 0 || text.includes("-") || text.includes("_")) return undefined;
  const bytes = Buffer.from(text, "base64");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return bytes.length === (text.length / 4) * 3 - padding
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : undefined;
}
