/** The accounts of concentrated pools as bytes: config, pool, tick arrays, bitmap extension and observations of Raydium CLMM. */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";
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
  REWARD_COUNT,
  REWARD_INFO,
  REWARD_INFO_BYTES,
  TICK,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  TICK_BYTES,
} from "#dex/raydium-clmm/layout.ts";
import { startOf } from "#dex/raydium-clmm/tick-map.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import { bytesOf, type ConfigFields, rentExemptLamports } from "./accounts.ts";
import type { PlacedTick } from "./concentrated-ticks.ts";

/** Behind the current tick: u16 place of the newest observation, u16 seconds between two. */
const OBSERVATION_SECONDS_OFFSET = POOL_STATE.tickCurrent + 6;
const OBSERVATION_SECONDS = 15;

export type ConcentratedConfigFields = ConfigFields & { readonly tickSpacing: number };

export function concentratedConfigAccount(fields: ConcentratedConfigFields): AccountState {
  const { data, view } = bytesOf(AMM_CONFIG_BYTES);
  data.set(CLMM_DISCRIMINATOR.ammConfig);
  data[AMM_CONFIG.bump] = fields.bump;
  view.setUint16(AMM_CONFIG.index, fields.index, true);
  data.set(base58Decode(fields.feeOwner), AMM_CONFIG.owner);
  view.setUint32(AMM_CONFIG.protocolFeeRate, fields.protocolFeeRate, true);
  view.setUint32(AMM_CONFIG.tradeFeeRate, fields.tradeFeeRate, true);
  view.setUint16(AMM_CONFIG.tickSpacing, fields.tickSpacing, true);
  view.setUint32(AMM_CONFIG.fundFeeRate, fields.fundFeeRate, true);
  data.set(base58Decode(fields.feeOwner), AMM_CONFIG.fundOwner);
  return programAccount(data);
}

export type ConcentratedPoolFields = {
  readonly bump: number;
  readonly ammConfig: Address;
  readonly creator: Address;
  readonly mints: readonly [Address, Address];
  readonly vaults: readonly [Address, Address];
  readonly observation: Address;
  readonly decimals: readonly [number, number];
  readonly tickSpacing: number;
  readonly liquidity: bigint;
  readonly sqrtPriceX64: bigint;
  readonly tickCurrent: number;
  /** Numbers of the tick arrays that hold a tick. */
  readonly arrays: readonly number[];
};

export function concentratedPoolAccount(fields: ConcentratedPoolFields): AccountState {
  const { data, view } = bytesOf(POOL_STATE_BYTES);
  data.set(CLMM_DISCRIMINATOR.poolState);
  data[POOL_STATE.bump] = fields.bump;
  const addresses: readonly (readonly [number, Address])[] = [
    [POOL_STATE.ammConfig, fields.ammConfig],
    [POOL_STATE.owner, fields.creator],
    [POOL_STATE.tokenMint0, fields.mints[0]],
    [POOL_STATE.tokenMint1, fields.mints[1]],
    [POOL_STATE.tokenVault0, fields.vaults[0]],
    [POOL_STATE.tokenVault1, fields.vaults[1]],
    [POOL_STATE.observationKey, fields.observation],
  ];
  for (const [offset, address] of addresses) data.set(base58Decode(address), offset);
  data[POOL_STATE.mintDecimals0] = fields.decimals[0];
  data[POOL_STATE.mintDecimals1] = fields.decimals[1];
  view.setUint16(POOL_STATE.tickSpacing, fields.tickSpacing, true);
  setU128(view, POOL_STATE.liquidity, fields.liquidity);
  setU128(view, POOL_STATE.sqrtPriceX64, fields.sqrtPriceX64);
  view.setInt32(POOL_STATE.tickCurrent, fields.tickCurrent, true);
  view.setUint16(OBSERVATION_SECONDS_OFFSET, OBSERVATION_SECONDS, true);
  for (let i = 0; i < REWARD_COUNT; i++)
    data.set(base58Decode(fields.creator), POOL_STATE.rewardInfos + i * REWARD_INFO_BYTES + REWARD_INFO.authority);
  for (const array of fields.arrays)
    if (array >= -BITMAP_EXTENSION_BITS && array < BITMAP_EXTENSION_BITS)
      setBit(data, POOL_STATE.tickArrayBitmap, array + BITMAP_EXTENSION_BITS);
  return programAccount(data);
}

/** The bits of the arrays that lie beyond the pool's own bitmap. */
export function bitmapExtensionAccount(pool: Address, arrays: readonly number[]): AccountState {
  const { data } = bytesOf(BITMAP_EXTENSION_BYTES);
  data.set(CLMM_DISCRIMINATOR.tickArrayBitmapExtension);
  data.set(base58Decode(pool), BITMAP_EXTENSION.poolId);
  for (const array of arrays) {
    // Bitmap −1 and 0 are the pool's own; the extension counts outwards from them.
    const bitmap = Math.floor(array / BITMAP_EXTENSION_BITS);
    const bit = array - bitmap * BITMAP_EXTENSION_BITS;
    if (bitmap > 0) setBit(data, BITMAP_EXTENSION.positive, (bitmap - 1) * BITMAP_EXTENSION_BITS + bit);
    if (bitmap < -1) setBit(data, BITMAP_EXTENSION.negative, (-bitmap - 2) * BITMAP_EXTENSION_BITS + bit);
  }
  return programAccount(data);
}

export function tickArrayAccount(
  pool: Address,
  array: number,
  spacing: number,
  ticks: readonly PlacedTick[],
): AccountState {
  const { data, view } = bytesOf(TICK_ARRAY_BYTES);
  const start = startOf(array, spacing);
  data.set(CLMM_DISCRIMINATOR.tickArrayState);
  data.set(base58Decode(pool), TICK_ARRAY.poolId);
  view.setInt32(TICK_ARRAY.startTickIndex, start, true);
  data[TICK_ARRAY.initializedTickCount] = ticks.length;
  for (const { index, net, gross } of ticks) {
    const at = TICK_ARRAY.ticks + ((index - start) / spacing) * TICK_BYTES;
    view.setInt32(at + TICK.tick, index, true);
    setU128(view, at + TICK.liquidityNet, net);
    setU128(view, at + TICK.liquidityGross, gross);
  }
  return programAccount(data);
}

export function concentratedObservationAccount(pool: Address): AccountState {
  const { data } = bytesOf(OBSERVATION_STATE_2024_BYTES);
  data.set(CLMM_DISCRIMINATOR.observationState);
  data.set(base58Decode(pool), OBSERVATION_STATE_2024.poolId);
  return programAccount(data);
}

/** Two's complement where the value is below 0. */
function setU128(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, BigInt.asUintN(64, value), true);
  view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 64n), true);
}

function setBit(data: Uint8Array, at: number, bit: number): void {
  const byte = at + (bit >> 3);
  data[byte] = (data[byte] as number) | (1 << (bit & 7));
}

const programAccount = (data: Uint8Array): AccountState => ({
  lamports: rentExemptLamports(data.length),
  owner: RAYDIUM_CLMM_PROGRAM,
  data,
  executable: false,
});
