/** Raydium CLMM's tick arrays and the bitmaps that say which of them hold initialized ticks. */
import type { SandpiperError } from "#core/error.ts";
import { ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { malformed } from "./decode.ts";
import {
  BITMAP_EXTENSION,
  BITMAP_EXTENSION_BITMAPS,
  BITMAP_EXTENSION_BITS,
  BITMAP_EXTENSION_BYTES,
  CLMM_DISCRIMINATOR,
  POOL_BITMAP_BITS,
  POOL_STATE,
  TICK,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  TICK_ARRAY_TICKS,
  TICK_BYTES,
} from "./layout.ts";
import { readI32, readI128, readU128 } from "./read.ts";
import { TICK_MAX, TICK_MIN } from "./tick-math.ts";

export type ClmmTick = {
  readonly index: number;
  /** Added to the liquidity when the price crosses upwards. */
  readonly liquidityNet: bigint;
  readonly liquidityGross: bigint;
  readonly feeGrowthOutsideX64: readonly [bigint, bigint];
  readonly rewardGrowthsOutsideX64: readonly [bigint, bigint, bigint];
  /** Limit orders of 2026 wait here. */
  readonly hasOrders: boolean;
};

export type ClmmTickArray = {
  readonly poolId: Address;
  readonly startTickIndex: number;
  readonly initializedTickCount: number;
  /** 60 places; undefined where nothing is initialized. */
  readonly ticks: readonly (ClmmTick | undefined)[];
};

export type ClmmBitmapExtension = {
  readonly poolId: Address;
  /** The numbers of the tick arrays beyond the pool's own bitmap that are initialized: start / (60 · spacing). */
  readonly arrays: readonly number[];
};

export function decodeTickArray(data: Uint8Array): Result<ClmmTickArray, SandpiperError> {
  if (data.length !== TICK_ARRAY_BYTES || !startsWith(data, CLMM_DISCRIMINATOR.tickArrayState))
    return malformed("TickArrayState", `${TICK_ARRAY_BYTES} bytes with its marks`, data);
  const ticks: (ClmmTick | undefined)[] = [];
  for (let i = 0; i < TICK_ARRAY_TICKS; i++) {
    const tick = tickAt(data, TICK_ARRAY.ticks + i * TICK_BYTES);
    if (tick !== undefined && (tick.index < TICK_MIN || tick.index > TICK_MAX))
      return malformed("TickArrayState", "ticks in bounds", data);
    ticks.push(tick);
  }
  return ok({
    poolId: readAddress(data, TICK_ARRAY.poolId),
    startTickIndex: readI32(data, TICK_ARRAY.startTickIndex),
    initializedTickCount: data[TICK_ARRAY.initializedTickCount] as number,
    ticks,
  });
}

function tickAt(data: Uint8Array, at: number): ClmmTick | undefined {
  const liquidityGross = readU128(data, at + TICK.liquidityGross);
  const hasOrders =
    readU64(data, at + TICK.ordersAmount) !== 0n || readU64(data, at + TICK.partFilledOrdersRemaining) !== 0n;
  if (liquidityGross === 0n && !hasOrders) return undefined;
  const rewards = at + TICK.rewardGrowthsOutsideX64;
  return {
    index: readI32(data, at + TICK.tick),
    liquidityNet: readI128(data, at + TICK.liquidityNet),
    liquidityGross,
    feeGrowthOutsideX64: [
      readU128(data, at + TICK.feeGrowthOutside0X64),
      readU128(data, at + TICK.feeGrowthOutside1X64),
    ],
    rewardGrowthsOutsideX64: [readU128(data, rewards), readU128(data, rewards + 16), readU128(data, rewards + 32)],
    hasOrders,
  };
}

/** The numbers of the tick arrays that the pool's own bitmap names: −512 to 511. The bytes are a checked PoolState. */
export function arraysOfPoolBitmap(pool: Uint8Array): number[] {
  return bitsSet(pool, POOL_STATE.tickArrayBitmap, POOL_BITMAP_BITS).map((bit) => bit - BITMAP_EXTENSION_BITS);
}

export function decodeBitmapExtension(data: Uint8Array): Result<ClmmBitmapExtension, SandpiperError> {
  if (data.length !== BITMAP_EXTENSION_BYTES || !startsWith(data, CLMM_DISCRIMINATOR.tickArrayBitmapExtension))
    return malformed("TickArrayBitmapExtension", `${BITMAP_EXTENSION_BYTES} bytes with its marks`, data);
  const arrays: number[] = [];
  for (let i = 0; i < BITMAP_EXTENSION_BITMAPS; i++) {
    const offset = (i * BITMAP_EXTENSION_BITS) / 8;
    for (const bit of bitsSet(data, BITMAP_EXTENSION.positive + offset, BITMAP_EXTENSION_BITS))
      arrays.push((i + 1) * BITMAP_EXTENSION_BITS + bit);
    for (const bit of bitsSet(data, BITMAP_EXTENSION.negative + offset, BITMAP_EXTENSION_BITS))
      arrays.push(-(i + 2) * BITMAP_EXTENSION_BITS + bit);
  }
  return ok({ poolId: readAddress(data, BITMAP_EXTENSION.poolId), arrays });
}

/** The places of the ones, the lowest bit of the first byte being 0. */
function bitsSet(data: Uint8Array, at: number, bits: number): number[] {
  const places: number[] = [];
  for (let byte = 0; byte < bits / 8; byte++)
    for (let rest = data[at + byte] as number, bit = 0; rest !== 0; rest >>= 1, bit++)
      if ((rest & 1) === 1) places.push(byte * 8 + bit);
  return places;
}
