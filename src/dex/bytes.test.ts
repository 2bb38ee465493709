import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { addressBytes, decodeBase64, readAddress } from "./bytes.ts";

test("readAddress() gives the base58 of its 32 bytes, the first time and again, at any offset", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(40), (bytes, offset) => {
      const placed = new Uint8Array(offset + 32 + 3);
      placed.set(bytes, offset);
      const want = String(base58Encode(bytes));
      expect(String(readAddress(placed, offset))).toBe(want);
      expect(String(readAddress(placed, offset))).toBe(want);
      expect(String(readAddress(placed.subarray(offset), 0))).toBe(want);
      for (let times = 0; times < 2; times++) expect(addressBytes(want as Address)).toEqual(bytes);
    }),
  );
});

describe("decodeBase64()", () => {
  test("reads back any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeBase64(Buffer.from(bytes).toString("base64"))).toEqual(bytes);
      }),
    );
  });

  test.each(["A", "AAA", "AAAAA", "AA-A", "AA_A", "AA A", "AA*A", "A=AA", "====", "AAA\n", "AAAA====", "ÄAAA"])(
    "refuses %j",
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );
});
