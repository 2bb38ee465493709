/**
 * Base58 with Bitcoin's alphabet, as Solana writes addresses and signatures. Not on the hot path: agents work with pool
 * numbers and bytes, text is made when something is put on record.
 */
import { CORE_ERROR, SandpiperError } from "./error.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const DIGIT_OF = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) DIGIT_OF[ALPHABET.charCodeAt(i)] = i;

/** A longest accepted text, far above any key, signature or transaction: bounds the quadratic work. */
const TEXT_LENGTH_MAX = 2_048;

export function base58Encode(bytes: Uint8Array): string {
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const digits: number[] = [];
  for (let i = zeros; i < bytes.length; i++) {
    let carry = bytes[i] as number;
    for (let j = 0; j < digits.length; j++) {
      carry += (digits[j] as number) * 256;
      digits[j] = carry % 58;
      carry = (carry / 58) | 0;
    }
    while (carry > 0) {
      digits.push(carry % 58);
      carry = (carry / 58) | 0;
    }
  }
  let text = "1".repeat(zeros);
  for (let i = digits.length - 1; i >= 0; i--) text += ALPHABET[digits[i] as number];
  return text;
}

/** Throws a SandpiperError on a character outside the alphabet or a text over 2,048 characters. */
export function base58Decode(text: string): Uint8Array {
  if (text.length > TEXT_LENGTH_MAX)
    throw new SandpiperError(
      CORE_ERROR.base58,
      `Cannot decode base58: at most ${TEXT_LENGTH_MAX} characters, was ${text.length}`,
    );
  let zeros = 0;
  while (zeros < text.length && text[zeros] === "1") zeros++;
  const bytes: number[] = [];
  for (let i = zeros; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let carry = code < 128 ? (DIGIT_OF[code] as number) : -1;
    if (carry < 0)
      throw new SandpiperError(
        CORE_ERROR.base58,
        `Cannot decode base58: an alphabet character, was ${JSON.stringify(text[i])}`,
      );
    for (let j = 0; j < bytes.length; j++) {
      carry += (bytes[j] as number) * 58;
      bytes[j] = carry & 255;
      carry >>= 8;
    }
    while (carry > 0) {
      bytes.push(carry & 255);
      carry >>= 8;
    }
  }
  const out = new Uint8Array(zeros + bytes.length);
  for (let i = 0; i < bytes.length; i++) out[out.length - 1 - i] = bytes[i] as number;
  return out;
}
