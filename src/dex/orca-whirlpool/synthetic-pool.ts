/** Whirlpools made for tests: account bytes of a pool with given positions, tick arrays of either layout, and fees of any kind. */
import { base58Decode, base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { ORCA_WHIRLPOOL_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { AccountBytes } from "#dex/venue.ts";
import {
  DYNAMIC_TICK_ARRAY,
  DYNAMIC_TICK_ARRAY_BYTES_MIN,
  ORACLE,
  ORACLE_BYTES,
  TICK,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  TICK_ARRAY_TICKS,
  TICK_BYTES,
  WHIRLPOOL,
  WHIRLPOOL_BYTES,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import type { AdaptiveFeeConstants } from "./state.ts";
import { sqrtPriceFromTickIndex } from "./tick-math.ts";

type Position = { readonly lower: number; readonly upper: number; readonly liquidity: bigint };
type TransferFeeSpec = { readonly basisPoints: number; readonly maximum: bigint };
export type SyntheticSpec = {
  readonly tickSpacing: number;
  readonly tick: number;
  readonly positions: readonly Position[];
  readonly feeRate?: number;
  readonly protocolFeeRate?: number;
  readonly dynamicArrays?: boolean;
  readonly adaptive?: AdaptiveFeeConstants;
  readonly tradeEnableTimestamp?: bigint;
  readonly vaultAmount?: bigint;
  readonly transferFees?: readonly [TransferFeeSpec | undefined, TransferFeeSpec | undefined];
};

const address = (fill: number): Address => base58Encode(new Uint8Array(32).fill(fill)) as Address;
export const SYNTHETIC = {
  pool: address(1),
  mints: [address(2), address(3)],
  vaults: [address(4), address(5)],
  oracle: address(6),
} as const;

export function syntheticPool(spec: SyntheticSpec): Map<Address, AccountBytes> {
  const accounts = new Map<Address, AccountBytes>();
  const put = (at: Address, owner: Address, data: Uint8Array) => accounts.set(at, { owner, data });
  put(SYNTHETIC.pool, ORCA_WHIRLPOOL_PROGRAM, poolBytes(spec));
  for (const side of [0, 1] as const) {
    const fee = spec.transferFees?.[side];
    const program = fee === undefined ? TOKEN_PROGRAM : TOKEN_2022_PROGRAM;
    put(SYNTHETIC.vaults[side], program, vaultBytes(spec.vaultAmount ?? 10n ** 18n));
    put(SYNTHETIC.mints[side], program, mintBytes(fee));
  }
  if (spec.adaptive !== undefined) put(SYNTHETIC.oracle, ORCA_WHIRLPOOL_PROGRAM, oracleBytes(spec, spec.adaptive));
  for (const [start, ticks] of ticksByArray(spec)) {
    const data = spec.dynamicArrays === true ? dynamicArrayBytes(start, ticks) : fixedArrayBytes(start, ticks);
    put(`array ${start}` as Address, ORCA_WHIRLPOOL_PROGRAM, data);
  }
  return accounts;
}

function poolBytes({ tickSpacing, tick, positions, feeRate, protocolFeeRate, adaptive }: SyntheticSpec): Uint8Array {
  const data = new Uint8Array(WHIRLPOOL_BYTES);
  const view = new DataView(data.buffer);
  data.set(WHIRLPOOL_DISCRIMINATOR.whirlpool);
  view.setUint16(WHIRLPOOL.tickSpacing, tickSpacing, true);
  view.setUint16(WHIRLPOOL.feeTierIndexSeed, adaptive === undefined ? tickSpacing : 1_024 + tickSpacing, true);
  view.setUint16(WHIRLPOOL.feeRate, feeRate ?? 3_000, true);
  view.setUint16(WHIRLPOOL.protocolFeeRate, protocolFeeRate ?? 1_300, true);
  const active = positions.filter(({ lower, upper }) => lower <= tick && tick < upper);
  setWide(
    view,
    WHIRLPOOL.liquidity,
    active.reduce((sum, { liquidity }) => sum + liquidity, 0n),
  );
  setWide(view, WHIRLPOOL.sqrtPrice, sqrtPriceFromTickIndex(tick));
  view.setInt32(WHIRLPOOL.tickCurrentIndex, tick, true);
  data.set(base58Decode(SYNTHETIC.mints[0]), WHIRLPOOL.tokenMintA);
  data.set(base58Decode(SYNTHETIC.vaults[0]), WHIRLPOOL.tokenVaultA);
  data.set(base58Decode(SYNTHETIC.mints[1]), WHIRLPOOL.tokenMintB);
  data.set(base58Decode(SYNTHETIC.vaults[1]), WHIRLPOOL.tokenVaultB);
  return data;
}

/** Net liquidity by the place in its array. */
function ticksByArray({ tickSpacing, positions }: SyntheticSpec): Map<number, Map<number, bigint>> {
  const arrays = new Map<number, Map<number, bigint>>();
  const add = (tick: number, net: bigint) => {
    const start = Math.floor(tick / (TICK_ARRAY_TICKS * tickSpacing)) * TICK_ARRAY_TICKS * tickSpacing;
    const ticks = arrays.get(start) ?? new Map<number, bigint>();
    const place = (tick - start) / tickSpacing;
    arrays.set(start, ticks.set(place, (ticks.get(place) ?? 0n) + net));
  };
  for (const { lower, upper, liquidity } of positions) {
    add(lower, liquidity);
    add(upper, -liquidity);
  }
  return arrays;
}

function fixedArrayBytes(start: number, ticks: ReadonlyMap<number, bigint>): Uint8Array {
  const data = new Uint8Array(TICK_ARRAY_BYTES);
  const view = new DataView(data.buffer);
  data.set(WHIRLPOOL_DISCRIMINATOR.tickArray);
  view.setInt32(TICK_ARRAY.startTickIndex, start, true);
  data.set(base58Decode(SYNTHETIC.pool), TICK_ARRAY.whirlpool);
  for (const [place, net] of ticks) setTick(view, TICK_ARRAY.ticks + place * TICK_BYTES, net);
  return data;
}

function dynamicArrayBytes(start: number, ticks: ReadonlyMap<number, bigint>): Uint8Array {
  const data = new Uint8Array(DYNAMIC_TICK_ARRAY_BYTES_MIN + ticks.size * (TICK_BYTES - 1));
  const view = new DataView(data.buffer);
  data.set(WHIRLPOOL_DISCRIMINATOR.dynamicTickArray);
  view.setInt32(DYNAMIC_TICK_ARRAY.startTickIndex, start, true);
  data.set(base58Decode(SYNTHETIC.pool), DYNAMIC_TICK_ARRAY.whirlpool);
  let at: number = DYNAMIC_TICK_ARRAY.ticks;
  let bitmap = 0n;
  for (let place = 0; place < TICK_ARRAY_TICKS; place++) {
    const net = ticks.get(place);
    if (net !== undefined) {
      setTick(view, at, net);
      bitmap |= 1n << BigInt(place);
    }
    at += net === undefined ? 1 : TICK_BYTES;
  }
  setWide(view, DYNAMIC_TICK_ARRAY.tickBitmap, bitmap);
  return data;
}

function setTick(view: DataView, at: number, net: bigint): void {
  view.setUint8(at + TICK.initialized, 1);
  setWide(view, at + TICK.liquidityNet, net);
  setWide(view, at + TICK.liquidityGross, net < 0n ? -net : net);
}

function oracleBytes({ tradeEnableTimestamp }: SyntheticSpec, constants: AdaptiveFeeConstants): Uint8Array {
  const data = new Uint8Array(ORACLE_BYTES);
  const view = new DataView(data.buffer);
  data.set(WHIRLPOOL_DISCRIMINATOR.oracle);
  data.set(base58Decode(SYNTHETIC.pool), ORACLE.whirlpool);
  view.setBigUint64(ORACLE.tradeEnableTimestamp, tradeEnableTimestamp ?? 0n, true);
  view.setUint16(ORACLE.filterPeriod, constants.filterPeriod, true);
  view.setUint16(ORACLE.decayPeriod, constants.decayPeriod, true);
  view.setUint16(ORACLE.reductionFactor, constants.reductionFactor, true);
  view.setUint32(ORACLE.adaptiveFeeControlFactor, constants.adaptiveFeeControlFactor, true);
  view.setUint32(ORACLE.maxVolatilityAccumulator, constants.maxVolatilityAccumulator, true);
  view.setUint16(ORACLE.tickGroupSize, constants.tickGroupSize, true);
  view.setUint16(ORACLE.majorSwapThresholdTicks, constants.majorSwapThresholdTicks, true);
  return data;
}

function vaultBytes(amount: bigint): Uint8Array {
  const data = new Uint8Array(165);
  new DataView(data.buffer).setBigUint64(64, amount, true);
  data[108] = 1;
  return data;
}

/** A mint of Token-2022 with one extension, or a plain one. */
function mintBytes(fee: TransferFeeSpec | undefined): Uint8Array {
  if (fee === undefined) return new Uint8Array(82);
  const data = new Uint8Array(278);
  const view = new DataView(data.buffer);
  data[165] = 1;
  view.setUint16(166, 1, true);
  view.setUint16(168, 108, true);
  for (const at of [242, 260]) {
    view.setBigUint64(at + 8, fee.maximum, true);
    view.setUint16(at + 16, fee.basisPoints, true);
  }
  return data;
}

function setWide(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, BigInt.asUintN(64, value), true);
  view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 64n), true);
}
