/** Pools for tests of this room and its neighbours: facts that are complete enough to index, quote and screen. */
import { base58Encode } from "#core/base58.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";

/** An address that is a name: the same number always gives the same one. */
export function testAddress(number: number): Address {
  const bytes = new Uint8Array(32).fill(7);
  new DataView(bytes.buffer).setUint32(28, number);
  return base58Encode(bytes) as Address;
}

/** Token 0 is wSOL; any other number is a token of its own. */
const testMint = (token: number): Address => (token === 0 ? WSOL_MINT : testAddress(1_000_000 + token));

/** A pool of concentrated liquidity under the rules of the newer build. */
export function testConcentratedPool(
  index: number,
  token0: number,
  token1: number,
  tickSpacing: number,
  feeMillionths = 2_500,
): PoolFacts {
  return {
    ...testPool(index, token0, token1, feeMillionths),
    dex: "raydium-clmm",
    concentrated: { build: "2026", tickSpacing, tickArrays: [] },
  };
}

export function testPool(index: number, token0: number, token1: number, feeMillionths = 2_500): PoolFacts {
  const token = testAddress(1);
  return {
    index,
    dex: "raydium-cpmm",
    address: testAddress(100 + index),
    mints: [testMint(token0), testMint(token1)],
    decimals: [9, 9],
    vaults: [testAddress(2_000 + 2 * index), testAddress(2_001 + 2 * index)],
    tokenPrograms: [token, token],
    feeNumerator: feeMillionths,
    feeDenominator: 1_000_000,
    accounts: { authority: testAddress(2), ammConfig: testAddress(3), observationState: testAddress(10_000 + index) },
  };
}
