/** Little-endian integers that this program stores and bytes.ts has no reader for; offsets are inside by the caller's check. */
import { readU64 } from "#dex/bytes.ts";

export const readU16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

export const readI32 = (bytes: Uint8Array, at: number): number => readU16(bytes, at) | (readU16(bytes, at + 2) << 16);

export const readU32 = (bytes: Uint8Array, at: number): number => readI32(bytes, at) >>> 0;

export const readU128 = (bytes: Uint8Array, at: number): bigint => readU64(bytes, at) | (readU64(bytes, at + 8) << 64n);

export const readI128 = (bytes: Uint8Array, at: number): bigint => BigInt.asIntN(128, readU128(bytes, at));
