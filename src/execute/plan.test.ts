import { describe, expect, test } from "bun:test";
import { testAddress, testConcentratedPool, testPool } from "#arbitrage/test-pools.ts";
import { transactionSize } from "#arbitrage/transaction-bytes.ts";
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM, SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { decodeSwap } from "#dex/raydium-clmm/decode-swap.ts";
import { compileMessage } from "./message.ts";
import { planInstructions } from "./plan.ts";

const SPACING = 10;
const SPAN = 60 * SPACING;
const array = (number: number) => testAddress(50_000 + number);
const EXTENSION = testAddress(60_000);

/** A concentrated pool with arrays −2, −1, 1 and 600, the last one beyond its own bitmap. */
function concentrated(index: number, extension: boolean): PoolFacts {
  const pool = testConcentratedPool(index, 0, 1, SPACING);
  return {
    ...pool,
    accounts: { ...pool.accounts, ...(extension && { bitmapExtension: EXTENSION }) },
    concentrated: {
      build: "2024",
      tickSpacing: SPACING,
      tickArrays: [-2, -1, 1, 600].map((number) => ({ firstTick: number * SPAN, address: array(number) })),
    },
  };
}

function plan(walks: readonly (readonly [number, number] | undefined)[], extension = true) {
  const pools = walks.map((walk, index) =>
    walk === undefined ? testPool(index, 0, 1) : concentrated(index, extension),
  );
  const hops = walks.map((tickArrays, pool) => ({
    pool,
    inputSide: (pool & 1) as 0 | 1,
    reserveIn: 1n,
    reserveOut: 1n,
    ...(tickArrays && { tickArrays }),
  }));
  const amounts = [10n, ...walks.map((_, i) => BigInt(11 + i))];
  return planInstructions(
    { hops, amounts, tipLamports: 5n },
    {
      owner: testAddress(1),
      pool: (index) => pools[index],
      tokenAccount: (mint) => `account of ${mint}` as Address,
      tipAccount: testAddress(2),
    },
  );
}

/** The tick arrays and bitmaps that the hop's instruction names. */
function walkOf(walk: readonly [number, number], extension = true) {
  const swap = plan([walk, undefined], extension)[1];
  const decoded =
    swap &&
    decodeSwap(
      swap.data,
      swap.accounts.map(({ address }) => address),
    );
  if (!decoded?.ok || decoded.value === undefined) throw new Error("no swap");
  expect(decoded.value).toMatchObject({ kind: "swap", mode: "exact-in", amount: 10n, otherAmountThreshold: 11n });
  return decoded.value.remaining;
}

describe("planInstructions() over ticks", () => {
  test("names the arrays that exist on the way, in the order of the walk", () => {
    expect(walkOf([-2, 1])).toEqual([array(-2), array(-1), array(1)]);
    expect(walkOf([1, -1])).toEqual([array(1), array(-1)]);
    expect(walkOf([0, -2])).toEqual([array(-1), array(-2)]);
    expect(walkOf([-1, -1])).toEqual([array(-1)]);
  });

  test("names the bitmap extension behind them where the pool's own bitmap ends", () => {
    expect(walkOf([1, 600])).toEqual([array(1), array(600), EXTENSION]);
    expect(() => walkOf([1, 600], false)).toThrow(SandpiperError);
  });

  test("refuses to plan while the last array of the way is not known", () => {
    expect(() => walkOf([1, 2])).toThrow("tick array 2");
  });

  test("leaves the compute limit out where three hops need the bytes; a swap's place is its hop's plus one", () => {
    const programs = (walks: readonly (readonly [number, number] | undefined)[]) =>
      plan(walks).map(({ programAddress }) => programAddress);
    const walk = [-1, -1] as const;
    expect(programs([walk, undefined]).slice(1)).toEqual([RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM, SYSTEM_PROGRAM]);
    expect(programs([undefined, walk, walk])).toEqual([
      SYSTEM_PROGRAM,
      RAYDIUM_CPMM_PROGRAM,
      RAYDIUM_CLMM_PROGRAM,
      RAYDIUM_CLMM_PROGRAM,
    ]);
    expect(programs([undefined, undefined, undefined])).toHaveLength(5);
  });
});

describe("planInstructions() with a split hop", () => {
  const owner = testAddress(90_001);
  const accounts = new Map<Address, Address>();
  const tokenAccount = (mint: Address) => {
    const account = accounts.get(mint) ?? testAddress(91_000 + accounts.size);
    accounts.set(mint, account);
    return account;
  };
  const context = (pools: readonly PoolFacts[]) => ({
    owner,
    pool: (index: number) => pools[index],
    tokenAccount,
    tipAccount: testAddress(90_002),
  });
  const hop = (pool: number, walk?: readonly [number, number]) => ({
    pool,
    inputSide: 0 as const,
    reserveIn: 1n,
    reserveOut: 1n,
    ...(walk && { tickArrays: walk }),
  });

  test("swaps in both pools, each with its exact least output; the next hop puts in the sum", () => {
    const pools = [testPool(0, 0, 1), testPool(1, 1, 0), testPool(2, 0, 1)];
    const split = { place: 0, second: hop(2), amountIn: 40n, amountOut: 30n, gainLamports: 1n };
    const plan = planInstructions(
      { hops: [hop(0), hop(1)], amounts: [100n, 90n, 120n], split, tipLamports: 5n },
      context(pools),
    );
    const swaps = plan.slice(1, -1).map(({ accounts, data }) => {
      const view = new DataView(data.buffer, data.byteOffset);
      return [accounts[3]?.address, view.getBigUint64(8, true), view.getBigUint64(16, true)] as const;
    });
    expect(swaps).toEqual([
      [testAddress(100), 60n, 60n],
      [testAddress(102), 40n, 30n],
      [testAddress(101), 90n, 120n],
    ]);
  });

  test.each([
    ["two swaps", [undefined, undefined], []],
    ["three swaps", [undefined, undefined, undefined], []],
    ["four swaps", [undefined, undefined, undefined, undefined], []],
    ["ticks", [[-2, 1], undefined], [3]],
    ["ticks and a bitmap", [[1, 600], undefined, [-1, -2]], [3, 0, 2]],
  ] as const)("takes the bytes that transactionSize() counts: %s", (_, walks, tickArrays: readonly number[]) => {
    const pools = walks.map((walk, i) => (walk === undefined ? testPool(i, 0, i + 1) : concentrated(i, true)));
    const hops = walks.map((walk, i) => hop(i, walk));
    const amounts = [1n, ...walks.map(() => 1n)];
    const instructions = planInstructions({ hops, amounts, tipLamports: 5n }, context(pools));
    const message = compileMessage({ payer: owner, blockhash: testAddress(3), instructions });
    const size = transactionSize(pools.map((pool, i) => ({ pool, tickArrays: tickArrays[i] ?? 0 })));
    expect(size.bytes).toBe(1 + 64 + message.length);
  });
});
