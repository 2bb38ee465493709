/**
 * Whole numbers of 64 and 128 bits as words of a Uint32Array, the low one first: how records in shared memory hold them.
 * The float forms make no bigint, so the hot thread may use them for every event.
 */

const WORD = 0x1_0000_0000;
const INT_MAX = 0x7fff_ffff;

export const readU64 = (words: Uint32Array, at: number): bigint =>
  (BigInt(words[at + 1] as number) << 32n) | BigInt(words[at] as number);

export function writeU64(words: Uint32Array, at: number, value: bigint): void {
  words[at] = Number(value & 0xffff_ffffn);
  words[at + 1] = Number(value >> 32n);
}

/** The same as a float: exact below 2^53, the nearest one above. */
export const readWhole = (words: Uint32Array, at: number): number =>
  (words[at + 1] as number) * WORD + (words[at] as number);

/** Writes a float that is whole, not negative and below 2^64. */
export function writeWhole(words: Uint32Array, at: number, value: number): void {
  const high = Math.floor(value / WORD);
  const low = value - high * WORD;
  // Within the range of an int32 the conversion is one instruction, beyond it a call.
  words[at] = low > INT_MAX ? low - WORD : low;
  words[at + 1] = high > INT_MAX ? high - WORD : high;
}

/** A signed number of 128 bits in four words. */
export function readI128(words: Uint32Array, at: number): bigint {
  let value = 0n;
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[at + i] as number);
  return BigInt.asIntN(128, value);
}
