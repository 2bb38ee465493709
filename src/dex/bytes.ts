/** Reading foreign bytes: little-endian numbers and addresses at offsets that the caller has checked to be inside. */
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";

const ADDRESS_BYTES = 32;

export const readU64 = (bytes: Uint8Array, offset: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, true);

export const readAddress = (bytes: Uint8Array, offset: number): Address =>
  base58Encode(bytes.subarray(offset, offset + ADDRESS_BYTES)) as Address;

/** Whether the bytes start with `prefix`. */
export const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, i) => bytes[i] === byte);

/** The bytes of standard base64, or undefined when the text is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}
