import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { amountBeforeFee, feeForEpoch, feeOn, transferFeeOf } from "./transfer-fee.ts";

/** A Token-2022 mint with one foreign entry before its TransferFeeConfig. */
function mintWithFee(basisPoints: number, maximum: bigint, newerBasisPoints = basisPoints): Uint8Array {
  const mint = Buffer.alloc(166 + 4 + 32 + 4 + 108);
  mint[165] = 1;
  mint.writeUInt16LE(3, 166);
  mint.writeUInt16LE(32, 168);
  mint.writeUInt16LE(1, 202);
  mint.writeUInt16LE(108, 204);
  for (const [at, epoch, points] of [
    [206 + 72, 5n, basisPoints],
    [206 + 90, 700n, newerBasisPoints],
  ] as const) {
    mint.writeBigUInt64LE(epoch, at);
    mint.writeBigUInt64LE(maximum, at + 8);
    mint.writeUInt16LE(points, at + 16);
  }
  return new Uint8Array(mint);
}

describe("transferFeeOf()", () => {
  test("finds the fee behind other extensions", () => {
    expect(transferFeeOf(mintWithFee(25, 9n, 50))).toEqual({
      older: { basisPoints: 25n, maximum: 9n },
      newer: { basisPoints: 50n, maximum: 9n },
      newerFromEpoch: 700n,
    });
  });

  test.each([
    ["a mint of the first token program", new Uint8Array(82)],
    ["a mint cut inside its fee", mintWithFee(25, 9n).subarray(0, 300)],
    ["an account that is no mint", mintWithFee(25, 9n).with(165, 2)],
    ["nothing", new Uint8Array()],
  ])("finds none in %s", (_, mint) => {
    expect(transferFeeOf(mint)).toBeUndefined();
  });

  test("survives any bytes", () => {
    const bytes = fc.uint8Array({ minLength: 150, maxLength: 420 });
    fc.assert(fc.property(bytes, (mint) => void transferFeeOf(mint.with(Math.min(165, mint.length - 1), 1))));
  });
});

test("feeForEpoch() changes to the newer fee in its epoch", () => {
  const config = transferFeeOf(mintWithFee(25, 9n, 50));
  if (config === undefined) throw new Error("no fee");
  expect(feeForEpoch(config, 699n).basisPoints).toBe(25n);
  expect(feeForEpoch(config, 700n).basisPoints).toBe(50n);
});

test.each([
  [1n, 1n, 100n, 1n],
  [10_000n, 1n, 100n, 1n],
  [10_001n, 1n, 100n, 2n],
  [1_000_000n, 25n, 100n, 100n],
  [1_000_000n, 0n, 100n, 0n],
  [0n, 25n, 100n, 0n],
  [7n, 10_000n, 100n, 7n],
])("feeOn() of %i at %i basis points, at most %i, is %i", (amount, basisPoints, maximum, fee) => {
  expect(feeOn(amount, { basisPoints, maximum })).toBe(fee);
});

describe("amountBeforeFee()", () => {
  test("is undefined where no u64 suffices", () => {
    const fee = { basisPoints: 9_999n, maximum: 2n ** 64n - 1n };
    expect(amountBeforeFee(2n ** 60n, fee)).toBeUndefined();
    expect(amountBeforeFee(5n, { basisPoints: 10_000n, maximum: 8n })).toBe(13n);
  });

  test("delivers what was asked or one unit more", () => {
    const money = fc.bigInt(0n, 2n ** 63n);
    fc.assert(
      fc.property(money, fc.bigInt(0n, 9_999n), money, (net, basisPoints, maximum) => {
        const gross = amountBeforeFee(net, { basisPoints, maximum });
        if (gross === undefined) return;
        const delivered = gross - feeOn(gross, { basisPoints, maximum });
        expect(delivered - net).toBeGreaterThanOrEqual(0n);
        expect(delivered - net).toBeLessThanOrEqual(1n);
      }),
    );
  });
});
