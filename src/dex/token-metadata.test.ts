import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { metaplexAddress, metaplexName, mintName } from "./token-metadata.ts";

const USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v" as Address;
const OTHER = "So11111111111111111111111111111111111111112" as Address;

const text = (value: string, fill = 0) => {
  const bytes = Buffer.alloc(Math.max(fill, Buffer.byteLength(value)));
  bytes.write(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const metaplex = (mint: Address, name: string, symbol: string) =>
  new Uint8Array(
    Buffer.concat([
      Buffer.from([4]),
      Buffer.alloc(32, 9),
      base58Decode(mint),
      text(name, 32),
      text(symbol, 10),
      text("", 200),
    ]),
  );
const mintOf = (mint: Address, name: string, symbol: string) => {
  const value = Buffer.concat([Buffer.alloc(32), base58Decode(mint), text(name), text(symbol), text("https://x")]);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(19, 0);
  head.writeUInt16LE(value.length, 2);
  return new Uint8Array(Buffer.concat([Buffer.alloc(165), Buffer.from([1]), head, value]));
};

describe("token names", () => {
  test("metaplexAddress() is where mainnet keeps USDC's", () => {
    expect(metaplexAddress(USDC)).toBe("5x38Kp4hvdomTCnCrAny4UtMUt5rQBdB6px2K1Ui45Wq" as Address);
  });

  test("are read from both places, without their filling", () => {
    expect(metaplexName(USDC, metaplex(USDC, "USD Coin", "USDC"))).toEqual({ name: "USD Coin", symbol: "USDC" });
    expect(mintName(USDC, mintOf(USDC, "PayPal USD", "PYUSD"))).toEqual({ name: "PayPal USD", symbol: "PYUSD" });
  });

  test("are none where they speak of another mint, say nothing, or are no metadata", () => {
    expect(metaplexName(OTHER, metaplex(USDC, "USD Coin", "USDC"))).toBeUndefined();
    expect(mintName(OTHER, mintOf(USDC, "USD Coin", "USDC"))).toBeUndefined();
    expect(metaplexName(USDC, metaplex(USDC, "USD Coin", ""))).toBeUndefined();
    expect(mintName(USDC, new Uint8Array(82))).toBeUndefined();
  });

  test("keep to one line and one direction", () => {
    expect(metaplexName(USDC, metaplex(USDC, "a\n\u202Eb", "\u001B[2JX"))).toEqual({ name: "ab", symbol: "[2JX" });
  });

  test("stand any bytes, whole or cut", () => {
    const whole = [metaplex(USDC, "USD Coin", "USDC"), mintOf(USDC, "USD Coin", "USDC")];
    for (const bytes of whole)
      for (let end = 0; end <= bytes.length; end++) {
        metaplexName(USDC, bytes.subarray(0, end));
        mintName(USDC, bytes.subarray(0, end));
      }
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(400), fc.nat(255), (bytes, at, value) => {
        const bent = bytes.slice();
        bent[at % bent.length] = value;
        for (const found of [metaplexName(USDC, bent), mintName(USDC, bent)])
          if (found !== undefined) expect(found.symbol.length).toBeLessThanOrEqual(32);
      }),
    );
  });
});
