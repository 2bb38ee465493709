/** Accounts of a CLMM pool made from a plan of positions, byte for byte in the program's layout: for tests of rules. */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { AccountBytes } from "#dex/venue.ts";
import {
  AMM_CONFIG,
  AMM_CONFIG_BYTES,
  BITMAP_EXTENSION,
  BITMAP_EXTENSION_BITS,
  BITMAP_EXTENSION_BYTES,
  CLMM_DISCRIMINATOR,
  OBSERVATION_STATE_2024,
  OBSERVATION_STATE_2024_BYTES,
  POOL_STATE,
  POOL_STATE_BYTES,
  TICK,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  TICK_ARRAY_TICKS,
  TICK_BYTES,
  VAULT,
  VAULT_BYTES_MIN,
} from "./layout.ts";
import { readU128 } from "./read.ts";
import type { ClmmBuild } from "./refusals.ts";
import { arrayOf, startOf } from "./tick-map.ts";
import { sqrtPriceAtTick } from "./tick-math.ts";

export type PoolPlan = {
  readonly build: ClmmBuild;
  readonly tickSpacing: number;
  readonly tick: number;
  readonly positions: readonly { readonly lower: number; readonly upper: number; readonly liquidity: bigint }[];
  readonly tradeFeeRate?: number;
  readonly vaults?: readonly [bigint, bigint];
  /** Token-2022 bytes in the place of a plain mint of token 0. */
  readonly mint0?: Uint8Array;
  /** Without it, what lies beyond the pool's own bitmap is out of reach. */
  readonly withoutExtension?: boolean;
};

/** 32 bytes with this last one. */
const numbered = (last: number): Address => {
  // Base 58: 31 zero bytes are 31 ones, and 1 to 57 are one sign each.
  const signs = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  return `${"1".repeat(31)}${signs[last]}` as Address;
};

export const SYNTHETIC = {
  pool: numbered(1),
  config: numbered(2),
  observation: numbered(3),
  extension: numbered(4),
  mints: [numbered(5), numbered(6)],
  vaults: [numbered(7), numbered(8)],
} as const;
const FIRST_ARRAY = 10;

export function syntheticPool(plan: PoolPlan): Map<Address, AccountBytes> {
  const accounts = new Map<Address, AccountBytes>();
  const ours = (address: Address, data: Uint8Array) => accounts.set(address, { owner: RAYDIUM_CLMM_PROGRAM, data });
  const arrays = tickArrays(plan);
  ours(SYNTHETIC.pool, poolBytes(plan, [...arrays.keys()]));
  ours(SYNTHETIC.config, configBytes(plan));
  if (plan.build === "2024") ours(SYNTHETIC.observation, observationBytes());
  if (!plan.withoutExtension) ours(SYNTHETIC.extension, extensionBytes([...arrays.keys()]));
  for (const [i, data] of [...arrays.values()].entries()) ours(numbered(FIRST_ARRAY + i), data);
  for (const side of [0, 1] as const) {
    const extended = side === 0 ? plan.mint0 : undefined;
    const owner = extended === undefined ? TOKEN_PROGRAM : TOKEN_2022_PROGRAM;
    accounts.set(SYNTHETIC.mints[side], { owner, data: extended ?? new Uint8Array(82) });
    accounts.set(SYNTHETIC.vaults[side], { owner, data: vaultBytes(plan, side) });
  }
  return accounts;
}

function poolBytes(plan: PoolPlan, arrays: readonly number[]): Uint8Array {
  const data = Buffer.alloc(POOL_STATE_BYTES);
  data.set(CLMM_DISCRIMINATOR.poolState);
  for (const [at, address] of [
    [POOL_STATE.ammConfig, SYNTHETIC.config],
    [POOL_STATE.tokenMint0, SYNTHETIC.mints[0]],
    [POOL_STATE.tokenMint1, SYNTHETIC.mints[1]],
    [POOL_STATE.tokenVault0, SYNTHETIC.vaults[0]],
    [POOL_STATE.tokenVault1, SYNTHETIC.vaults[1]],
    [POOL_STATE.observationKey, SYNTHETIC.observation],
  ] as const)
    data.set(base58Decode(address), at);
  const inRange = plan.positions.filter(({ lower, upper }) => lower <= plan.tick && plan.tick < upper);
  data.writeUInt16LE(plan.tickSpacing, POOL_STATE.tickSpacing);
  writeU128(
    data,
    POOL_STATE.liquidity,
    inRange.reduce((sum, { liquidity }) => sum + liquidity, 0n),
  );
  writeU128(data, POOL_STATE.sqrtPriceX64, sqrtPriceAtTick(plan.tick));
  data.writeInt32LE(plan.tick, POOL_STATE.tickCurrent);
  for (const array of arrays)
    if (Math.abs(array + 0.5) < BITMAP_EXTENSION_BITS)
      setBit(data, POOL_STATE.tickArrayBitmap, array + BITMAP_EXTENSION_BITS);
  return new Uint8Array(data);
}

function extensionBytes(arrays: readonly number[]): Uint8Array {
  const data = Buffer.alloc(BITMAP_EXTENSION_BYTES);
  data.set(CLMM_DISCRIMINATOR.tickArrayBitmapExtension);
  data.set(base58Decode(SYNTHETIC.pool), BITMAP_EXTENSION.poolId);
  for (const array of arrays) {
    const bitmap = Math.floor(array / BITMAP_EXTENSION_BITS);
    const bit = array - bitmap * BITMAP_EXTENSION_BITS;
    if (bitmap >= 1) setBit(data, BITMAP_EXTENSION.positive, (bitmap - 1) * BITMAP_EXTENSION_BITS + bit);
    if (bitmap <= -2) setBit(data, BITMAP_EXTENSION.negative, (-bitmap - 2) * BITMAP_EXTENSION_BITS + bit);
  }
  return new Uint8Array(data);
}

function configBytes(plan: PoolPlan): Uint8Array {
  const data = Buffer.alloc(AMM_CONFIG_BYTES);
  data.set(CLMM_DISCRIMINATOR.ammConfig);
  data.writeUInt32LE(120_000, AMM_CONFIG.protocolFeeRate);
  data.writeUInt32LE(plan.tradeFeeRate ?? 2_500, AMM_CONFIG.tradeFeeRate);
  data.writeUInt32LE(40_000, AMM_CONFIG.fundFeeRate);
  data.writeUInt16LE(plan.tickSpacing, AMM_CONFIG.tickSpacing);
  return new Uint8Array(data);
}

function observationBytes(): Uint8Array {
  const data = Buffer.alloc(OBSERVATION_STATE_2024_BYTES);
  data.set(CLMM_DISCRIMINATOR.observationState);
  data.set(base58Decode(SYNTHETIC.pool), OBSERVATION_STATE_2024.poolId);
  return new Uint8Array(data);
}

function vaultBytes(plan: PoolPlan, side: 0 | 1): Uint8Array {
  const data = Buffer.alloc(VAULT_BYTES_MIN);
  data.set(base58Decode(SYNTHETIC.mints[side]), VAULT.mint);
  data.writeBigUInt64LE(plan.vaults?.[side] ?? 1n << 60n, VAULT.amount);
  data[VAULT.state] = 1;
  return new Uint8Array(data);
}

/** The arrays of all ticks that a position begins or ends at, by number. */
function tickArrays(plan: PoolPlan): Map<number, Buffer> {
  const arrays = new Map<number, Buffer>();
  for (const { lower, upper, liquidity } of plan.positions) {
    addTick(arrays, plan.tickSpacing, lower, liquidity, liquidity);
    addTick(arrays, plan.tickSpacing, upper, -liquidity, liquidity);
  }
  return arrays;
}

function addTick(arrays: Map<number, Buffer>, spacing: number, tick: number, net: bigint, gross: bigint): void {
  const number = arrayOf(tick, spacing);
  const array = arrays.get(number) ?? emptyArray(number, spacing);
  arrays.set(number, array);
  const at = TICK_ARRAY.ticks + ((tick - startOf(number, spacing)) / spacing) * TICK_BYTES;
  array.writeInt32LE(tick, at + TICK.tick);
  writeU128(array, at + TICK.liquidityNet, readU128(array, at + TICK.liquidityNet) + net);
  writeU128(array, at + TICK.liquidityGross, readU128(array, at + TICK.liquidityGross) + gross);
}

function emptyArray(number: number, spacing: number): Buffer {
  const data = Buffer.alloc(TICK_ARRAY_BYTES);
  data.set(CLMM_DISCRIMINATOR.tickArrayState);
  data.set(base58Decode(SYNTHETIC.pool), TICK_ARRAY.poolId);
  data.writeInt32LE(startOf(number, spacing), TICK_ARRAY.startTickIndex);
  data[TICK_ARRAY.initializedTickCount] = TICK_ARRAY_TICKS;
  return data;
}

function setBit(data: Buffer, at: number, bit: number): void {
  const byte = at + (bit >> 3);
  data[byte] = (data[byte] as number) | (1 << (bit & 7));
}

function writeU128(data: Buffer, at: number, value: bigint): void {
  data.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  data.writeBigUInt64LE(BigInt.asUintN(64, value >> 64n), at + 8);
}
