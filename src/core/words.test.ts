import { expect, test } from "bun:test";
import fc from "fast-check";
import { readI128, readU64, readWhole, writeU64, writeWhole } from "./words.ts";

const words = new Uint32Array(4);

test("two words hold a u64 both ways, and its neighbours are left alone", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      words.fill(7);
      writeU64(words, 1, value);
      expect(readU64(words, 1)).toBe(value);
      expect(readWhole(words, 1)).toBe(Number(value));
      expect([words[0], words[3]]).toEqual([7, 7]);
    }),
  );
});

test("a whole float is written as the bigint that it is", () => {
  const edges = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64 - 2 ** 11];
  const anyWhole = fc.oneof(
    fc.constantFrom(...edges),
    fc.maxSafeNat(),
    fc.double({ min: 0, max: 2 ** 64 - 2 ** 11, noNaN: true }).map(Math.floor),
  );
  fc.assert(
    fc.property(anyWhole, (value) => {
      writeWhole(words, 0, value);
      expect(readU64(words, 0)).toBe(BigInt(value));
      expect(readWhole(words, 0)).toBe(value);
    }),
  );
});

test("four words are a signed number, low word first", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }), (value) => {
      for (let i = 0; i < 4; i++) words[i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
      expect(readI128(words, 0)).toBe(value);
    }),
  );
});
