/**
 * DLMM's accounts as values. Foreign bytes are checked whole here; what comes out can be relied on to be of the layout,
 * not to be sensible: flags that the program refuses are kept, so that a swap can refuse them as the program does.
 * Nothing throws: a refusal is a typed result.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  BIN,
  BIN_ARRAY,
  BIN_ARRAY_BYTES,
  BIN_BYTES,
  BINS_PER_ARRAY,
  BITMAP_EXTENSION,
  BITMAP_EXTENSION_BYTES,
  BITMAP_HALF,
  DLMM_DISCRIMINATOR,
  EXTENSION_ROWS,
  LB_PAIR,
  LB_PAIR_BYTES,
  OBSERVATION_BYTES,
  ORACLE,
  ORACLE_HEAD_BYTES,
  REWARD_INFO_BYTES,
  REWARDS,
} from "./layout.ts";

/** What a pair's fees are made of and moves only by an operator's hand. */
export type StaticParameters = {
  readonly baseFactor: number;
  /** Seconds between swaps below which the volatility reference stays, and from which it is forgotten. */
  readonly filterPeriod: number;
  readonly decayPeriod: number;
  /** Ten-thousandths of the volatility that remain between the two. */
  readonly reductionFactor: number;
  readonly variableFeeControl: number;
  readonly maxVolatilityAccumulator: number;
  readonly minBinId: number;
  readonly maxBinId: number;
  /** Ten-thousandths of the fee. */
  readonly protocolShare: number;
  readonly baseFeePowerFactor: number;
  /** 0 undetermined, 1 liquidity mining, 2 limit orders. */
  readonly functionType: number;
  /** 0 fees on the input, 1 fees on token Y only. */
  readonly collectFeeMode: number;
};

export type VariableParameters = {
  readonly volatilityAccumulator: number;
  readonly volatilityReference: number;
  readonly indexReference: number;
  readonly lastUpdateTimestamp: bigint;
};

export type LbPair = {
  readonly parameters: StaticParameters;
  readonly variable: VariableParameters;
  /** 0 permissionless, 1 permission, 2 customizable permissionless, 3 permissionless v2. */
  readonly pairType: number;
  readonly activeId: number;
  readonly binStep: number;
  /** 0 enabled. */
  readonly status: number;
  /** What the activation point counts: 0 slots, 1 Unix seconds. */
  readonly activationType: number;
  readonly activationPoint: bigint;
  readonly mints: readonly [Address, Address];
  readonly reserves: readonly [Address, Address];
  readonly protocolFees: readonly [bigint, bigint];
  readonly oracle: Address;
  /** Whether a farm's reward was ever set up: such pairs of undetermined function take no limit orders. */
  readonly hasRewards: boolean;
  /** Indexes of the bin arrays that the pair's own bitmap holds, ascending. */
  readonly liveArrays: readonly number[];
  /** 0 the first token program, 1 Token-2022. */
  readonly tokenProgramFlags: readonly [number, number];
};

export type Bin = {
  readonly amountX: bigint;
  readonly amountY: bigint;
  /** Y per X in Q64.64; 0 until somebody needed it. */
  readonly price: bigint;
  /** Whole units of the market makers' liquidity, which share the fees. */
  readonly liquiditySupply: bigint;
  /** Limit orders of one side: those that nobody touched yet, and what is left of those being filled. */
  readonly openOrderAmount: bigint;
  readonly processedOrderRemainingAmount: bigint;
  /** Whether the limit orders sell X; else they sell Y. */
  readonly limitOrderAskSide: boolean;
};

export type BinArray = { readonly index: number; readonly lbPair: Address; readonly bins: readonly Bin[] };
export type BitmapExtension = { readonly lbPair: Address; readonly liveArrays: readonly number[] };
/** How many observations the oracle has room for, and how many it holds. */
export type Oracle = { readonly idx: bigint; readonly activeSize: bigint; readonly length: bigint };

const ZERO_KEY = new Uint8Array(32);

export function decodeLbPair(data: Uint8Array): Result<LbPair, SandpiperError> {
  if (data.length !== LB_PAIR_BYTES || !startsWith(data, DLMM_DISCRIMINATOR.lbPair))
    return refuse("LbPair", `${LB_PAIR_BYTES} bytes`, data);
  const view = viewOf(data);
  const address = (offset: number) => readAddress(data, offset);
  return ok({
    parameters: staticParameters(view),
    variable: {
      volatilityAccumulator: view.getUint32(LB_PAIR.volatilityAccumulator, true),
      volatilityReference: view.getUint32(LB_PAIR.volatilityReference, true),
      indexReference: view.getInt32(LB_PAIR.indexReference, true),
      lastUpdateTimestamp: view.getBigInt64(LB_PAIR.lastUpdateTimestamp, true),
    },
    pairType: view.getUint8(LB_PAIR.pairType),
    activeId: view.getInt32(LB_PAIR.activeId, true),
    binStep: view.getUint16(LB_PAIR.binStep, true),
    status: view.getUint8(LB_PAIR.status),
    activationType: view.getUint8(LB_PAIR.activationType),
    activationPoint: view.getBigUint64(LB_PAIR.activationPoint, true),
    mints: [address(LB_PAIR.tokenXMint), address(LB_PAIR.tokenYMint)],
    reserves: [address(LB_PAIR.reserveX), address(LB_PAIR.reserveY)],
    protocolFees: [view.getBigUint64(LB_PAIR.protocolFeeX, true), view.getBigUint64(LB_PAIR.protocolFeeY, true)],
    oracle: address(LB_PAIR.oracle),
    hasRewards: hasRewards(data),
    liveArrays: bitsSet(data, LB_PAIR.binArrayBitmap, 2 * BITMAP_HALF).map((bit) => bit - BITMAP_HALF),
    tokenProgramFlags: [view.getUint8(LB_PAIR.tokenMintXProgramFlag), view.getUint8(LB_PAIR.tokenMintYProgramFlag)],
  });
}

function staticParameters(view: DataView): StaticParameters {
  return {
    baseFactor: view.getUint16(LB_PAIR.baseFactor, true),
    filterPeriod: view.getUint16(LB_PAIR.filterPeriod, true),
    decayPeriod: view.getUint16(LB_PAIR.decayPeriod, true),
    reductionFactor: view.getUint16(LB_PAIR.reductionFactor, true),
    variableFeeControl: view.getUint32(LB_PAIR.variableFeeControl, true),
    maxVolatilityAccumulator: view.getUint32(LB_PAIR.maxVolatilityAccumulator, true),
    minBinId: view.getInt32(LB_PAIR.minBinId, true),
    maxBinId: view.getInt32(LB_PAIR.maxBinId, true),
    protocolShare: view.getUint16(LB_PAIR.protocolShare, true),
    baseFeePowerFactor: view.getUint8(LB_PAIR.baseFeePowerFactor),
    functionType: view.getUint8(LB_PAIR.functionType),
    collectFeeMode: view.getUint8(LB_PAIR.collectFeeMode),
  };
}

export function decodeBinArray(data: Uint8Array): Result<BinArray, SandpiperError> {
  if (!isBinArray(data)) return refuse("BinArray", `${BIN_ARRAY_BYTES} bytes`, data);
  const view = viewOf(data);
  const index = Number(view.getBigInt64(BIN_ARRAY.index, true));
  if (Math.abs(index) > INDEX_MAX) return refuse("BinArray", `an index within ±${INDEX_MAX}`, data);
  const bins: Bin[] = [];
  for (let i = 0; i < BINS_PER_ARRAY; i++) bins.push(binAt(view, BIN_ARRAY.bins + i * BIN_BYTES));
  return ok({ index, lbPair: readAddress(data, BIN_ARRAY.lbPair), bins });
}

/** The last index that a bitmap, the pair's own or the extension's, has a bit for. */
const INDEX_MAX = BITMAP_HALF * (EXTENSION_ROWS + 1);

export const isBinArray = (data: Uint8Array): boolean =>
  data.length === BIN_ARRAY_BYTES && startsWith(data, DLMM_DISCRIMINATOR.binArray);

export const isBitmapExtension = (data: Uint8Array): boolean =>
  data.length === BITMAP_EXTENSION_BYTES && startsWith(data, DLMM_DISCRIMINATOR.bitmapExtension);

function binAt(view: DataView, at: number): Bin {
  return {
    amountX: view.getBigUint64(at + BIN.amountX, true),
    amountY: view.getBigUint64(at + BIN.amountY, true),
    price: view.getBigUint64(at + BIN.price, true) | (view.getBigUint64(at + BIN.price + 8, true) << 64n),
    liquiditySupply: view.getBigUint64(at + BIN.liquiditySupply + 8, true),
    openOrderAmount: view.getBigUint64(at + BIN.openOrderAmount, true),
    processedOrderRemainingAmount: view.getBigUint64(at + BIN.processedOrderRemainingAmount, true),
    limitOrderAskSide: view.getUint8(at + BIN.limitOrderAskSide) !== 0,
  };
}

export function decodeBitmapExtension(data: Uint8Array): Result<BitmapExtension, SandpiperError> {
  if (!isBitmapExtension(data)) return refuse("BinArrayBitmapExtension", `${BITMAP_EXTENSION_BYTES} bytes`, data);
  const bits = EXTENSION_ROWS * BITMAP_HALF;
  const negative = bitsSet(data, BITMAP_EXTENSION.negative, bits).map((bit) => -(BITMAP_HALF + bit) - 1);
  const positive = bitsSet(data, BITMAP_EXTENSION.positive, bits).map((bit) => BITMAP_HALF + bit);
  return ok({
    lbPair: readAddress(data, BITMAP_EXTENSION.lbPair),
    liveArrays: [...negative.reverse(), ...positive],
  });
}

export function decodeOracle(data: Uint8Array): Result<Oracle, SandpiperError> {
  if (data.length < ORACLE_HEAD_BYTES || !startsWith(data, DLMM_DISCRIMINATOR.oracle))
    return refuse("Oracle", `${ORACLE_HEAD_BYTES} bytes or more`, data);
  const view = viewOf(data);
  const length = view.getBigUint64(ORACLE.length, true);
  if (length * BigInt(OBSERVATION_BYTES) > BigInt(data.length - ORACLE_HEAD_BYTES))
    return refuse("Oracle", `room for its ${length} observations`, data);
  return ok({
    idx: view.getBigUint64(ORACLE.idx, true),
    activeSize: view.getBigUint64(ORACLE.activeSize, true),
    length,
  });
}

function hasRewards(data: Uint8Array): boolean {
  for (let i = 0; i < REWARDS; i++) {
    const at = LB_PAIR.rewardInfos + i * REWARD_INFO_BYTES;
    if (Buffer.compare(data.subarray(at, at + 32), ZERO_KEY) !== 0) return true;
  }
  return false;
}

/** Places of the bits that are set, ascending; bytes are little endian, so bit 0 is the lowest of the first byte. */
function bitsSet(data: Uint8Array, at: number, bits: number): number[] {
  const places: number[] = [];
  for (let byte = 0; byte < bits / 8; byte++)
    for (let rest = data[at + byte] as number, bit = 0; rest !== 0; rest >>= 1, bit++)
      if ((rest & 1) === 1) places.push(byte * 8 + bit);
  return places;
}

const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);

function refuse(what: string, want: string, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  return err(
    new SandpiperError(
      DEX_ERROR.account,
      `Cannot decode a ${what}: ${want} with its marks, was ${data.length} bytes starting ${start}`,
    ),
  );
}
