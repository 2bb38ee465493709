/** Addresses and signatures out of a seed: base58 text of 32 and 64 bytes, of nobody. */
import type { Random } from "#core/random.ts";
import type { Address, Signature } from "#core/units.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** 43 digits are 32 bytes when the first is above 3, 87 are 64 bytes when the first is above 1. */
export const newAddress = (random: Random): Address => text(random, 43, 4) as Address;
export const newSignature = (random: Random): Signature => text(random, 87, 2) as Signature;

function text(random: Random, length: number, firstMin: number): string {
  let out = ALPHABET[random.between(firstMin, 58)] as string;
  while (out.length < length) {
    // Five digits out of one draw of 32 bits.
    let bits = random.uint32();
    for (let i = 0; i < 5 && out.length < length; i++) {
      out += ALPHABET[bits % 58];
      bits = Math.floor(bits / 58);
    }
  }
  return out;
}
