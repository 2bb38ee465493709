/** Concentrated pools for tests: from positions, as this room holds them and as the venue does. */
import { RAYDIUM_CLMM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { ClmmTick } from "#dex/raydium-clmm/decode-ticks.ts";
import { TICK_ARRAY_TICKS } from "#dex/raydium-clmm/layout.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { arrayOf } from "#dex/raydium-clmm/tick-map.ts";
import { sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { ConcentratedPool } from "./concentrated-pool.ts";
import { testAddress } from "./test-pools.ts";

export type TestPosition = { readonly low: number; readonly high: number; readonly liquidity: bigint };

export type TestTicks = {
  readonly spacing: number;
  readonly positions: readonly TestPosition[];
  readonly tickCurrent: number;
  /** How far the price is from its tick towards the next one, in thousandths. */
  readonly offset: number;
};

/** The net liquidity of every initialized tick. */
export function netsOf(positions: readonly TestPosition[]): Map<number, bigint> {
  const nets = new Map<number, bigint>();
  for (const { low, high, liquidity } of positions) {
    nets.set(low, (nets.get(low) ?? 0n) + liquidity);
    nets.set(high, (nets.get(high) ?? 0n) - liquidity);
  }
  return nets;
}

export function stateOf({ positions, tickCurrent, offset }: TestTicks) {
  const [from, to] = [sqrtPriceAtTick(tickCurrent), sqrtPriceAtTick(tickCurrent + 1)];
  const sqrtPriceX64 = from + ((to - from) * BigInt(offset)) / 1_000n;
  const liquidity = positions
    .filter(({ low, high }) => low <= tickCurrent && tickCurrent < high)
    .reduce((sum, position) => sum + position.liquidity, 0n);
  return { sqrtPriceX64, liquidity };
}

/** √P and the liquidity as a record has them. */
export function stateWords(sqrtPriceX64: bigint, liquidity: bigint): Uint32Array {
  const words = new Uint32Array(8);
  for (let i = 0; i < 4; i++) {
    words[i] = Number((sqrtPriceX64 >> BigInt(32 * i)) & 0xffff_ffffn);
    words[4 + i] = Number((liquidity >> BigInt(32 * i)) & 0xffff_ffffn);
  }
  return words;
}

export function concentratedPool(ticks: TestTicks): ConcentratedPool {
  const pool = new ConcentratedPool();
  pool.clearTicks();
  for (const [index, net] of netsOf(ticks.positions)) pool.setTick(index, net);
  const { sqrtPriceX64, liquidity } = stateOf(ticks);
  pool.setState(stateWords(sqrtPriceX64, liquidity), 0, ticks.tickCurrent);
  return pool;
}

/** The same pool for the venue, every tick array at hand. */
export function venueState(ticks: TestTicks, feeRate: bigint): ClmmState {
  const arrays = new Map<number, (ClmmTick | undefined)[]>();
  for (const [index, liquidityNet] of netsOf(ticks.positions)) {
    const number = arrayOf(index, ticks.spacing);
    const list = arrays.get(number) ?? Array.from({ length: TICK_ARRAY_TICKS }, () => undefined);
    arrays.set(number, list);
    list[index / ticks.spacing - number * TICK_ARRAY_TICKS] = {
      index,
      liquidityNet,
      liquidityGross: 1n,
      feeGrowthOutsideX64: [0n, 0n],
      rewardGrowthsOutsideX64: [0n, 0n, 0n],
      hasOrders: false,
    };
  }
  const side = (i: number) => ({
    mint: testAddress(i),
    tokenProgram: TOKEN_PROGRAM,
    vault: testAddress(10 + i),
    transferFee: undefined,
    blocked: undefined,
  });
  return {
    facts: {
      address: RAYDIUM_CLMM_PROGRAM,
      build: "2026",
      ammConfig: testAddress(3),
      observationState: testAddress(4),
      bitmapExtension: undefined,
      tickArrays: new Map(),
      sides: [side(1), side(2)],
      openTime: 0n,
      feeSide: undefined,
      tradeFeeRate: feeRate,
      protocolFeeRate: 120_000n,
      fundFeeRate: 40_000n,
    },
    status: 0,
    ...stateOf(ticks),
    tickCurrent: ticks.tickCurrent,
    feeGrowthGlobalX64: [0n, 0n],
    protocolFees: [0n, 0n],
    fundFees: [0n, 0n],
    vaults: [(1n << 63n) - 1n, (1n << 63n) - 1n],
    rewards: [],
    ticks: {
      spacing: ticks.spacing,
      named: [...arrays.keys()].sort((a, b) => a - b),
      hasExtension: false,
      arrays,
    },
  };
}
