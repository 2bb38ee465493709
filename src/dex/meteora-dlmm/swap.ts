/**
 * A whole swap: the checks before it, the walk from bin to bin and from array to array, the transfers, and the state after
 * it, in the order of the program (`instructions/v2/swap2.rs`; the walk as in the SDK's `commons/src/quote.rs`).
 */
import { type Err, err, ok, type Result } from "#core/result.ts";
import { panicked, tokenOverflow, U64_MAX } from "#dex/refusals.ts";
import { amountBeforeFee, feeForEpoch, feeOn, type TransferFee, type TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { ChainTime, SwapFill, SwapOrder, SwapRefusal } from "#dex/venue.ts";
import { type BinFill, type BinRules, binOutputMax, fillExactIn, fillExactOut } from "./bin-swap.ts";
import type { Bin } from "./decode.ts";
import { BASE_FEE_POWER_MAX, referencesAt, totalFeeRate, volatilityAt } from "./fees.ts";
import { BINS_PER_ARRAY, BITMAP_HALF } from "./layout.ts";
import { DLMM_REFUSAL, type DlmmRefusal } from "./refusals.ts";
import type { DlmmPair, DlmmState, LocatedBinArray } from "./state.ts";

const PAIR_TYPE_MAX = 3;
const ACTIVATED_PAIR_TYPES: readonly number[] = [1, 2];
const ACTIVATION_BY_SLOT = 0;
const ACTIVATION_BY_TIME = 1;
const FUNCTION_TYPE_MAX = 2;
const FEES_ON_INPUT = 0;
const FEES_ON_Y = 1;
const U128_MAX = (1n << 128n) - 1n;

export function swapDlmm(
  state: DlmmState,
  order: SwapOrder,
  time: ChainTime,
): Result<SwapFill<DlmmState>, SwapRefusal> {
  if (order.amount > U64_MAX || order.amount < 0n) return err(DLMM_REFUSAL.mathOverflow);
  if (state.pair.parameters.baseFeePowerFactor > BASE_FEE_POWER_MAX) return panicked();
  const refusal = refusalBefore(state.pair, order, time);
  if (refusal !== undefined) return err(refusal);
  const fees = [0, 1].map((side) => epochFee(state.pair.transferFees[side], time.epoch));
  const walk = startWalk(state, order, time, fees[order.inputSide], fees[1 - order.inputSide]);
  if (walk === undefined) return err(DLMM_REFUSAL.mathOverflow);
  if (order.mode === "exact-in" && walk.amountLeft === 0n) return err(DLMM_REFUSAL.insufficientOutAmount);
  const stopped = walkBins(walk);
  return stopped === undefined ? settle(walk, time) : err(stopped);
}

const epochFee = (config: TransferFeeConfig | undefined, epoch: bigint): TransferFee | undefined =>
  config && feeForEpoch(config, epoch);

function refusalBefore(pair: DlmmPair, order: SwapOrder, time: ChainTime): DlmmRefusal | undefined {
  const { parameters } = pair;
  if (pair.pairType > PAIR_TYPE_MAX) return DLMM_REFUSAL.invalidPoolType;
  if (pair.status !== 0) return DLMM_REFUSAL.poolDisabled;
  if (ACTIVATED_PAIR_TYPES.includes(pair.pairType)) {
    if (pair.activationType > ACTIVATION_BY_TIME) return DLMM_REFUSAL.invalidActivationType;
    const now = pair.activationType === ACTIVATION_BY_SLOT ? time.slot : time.unixSeconds;
    if (now < pair.activationPoint) return DLMM_REFUSAL.poolDisabled;
  }
  if (order.amount === 0n && order.mode === "exact-in") return DLMM_REFUSAL.invalidInput;
  if (parameters.functionType > FUNCTION_TYPE_MAX) return DLMM_REFUSAL.typeCastFailed;
  return parameters.collectFeeMode > FEES_ON_Y ? DLMM_REFUSAL.invalidCollectFeeMode : undefined;
}

/** A swap under way. Arrays that it changes are copied once; the state it started from is never touched. */
type Walk = {
  readonly state: DlmmState;
  readonly exactIn: boolean;
  readonly swapForY: boolean;
  readonly feeOnInput: boolean;
  readonly inputFee: TransferFee | undefined;
  readonly outputFee: TransferFee | undefined;
  readonly order: SwapOrder;
  readonly indexReference: number;
  readonly volatilityReference: number;
  readonly arrays: LocatedBinArray[];
  activeId: number;
  volatilityAccumulator: number;
  /** Of the input when exactIn, else of the output. */
  amountLeft: bigint;
  amountIn: bigint;
  amountOut: bigint;
  protocolFee: bigint;
};

function startWalk(
  state: DlmmState,
  order: SwapOrder,
  time: ChainTime,
  inputFee: TransferFee | undefined,
  outputFee: TransferFee | undefined,
): Walk | undefined {
  const { pair, activeId } = state;
  const references = referencesAt(time.unixSeconds, state, pair.parameters, activeId);
  if (references === undefined) return undefined;
  const exactIn = order.mode === "exact-in";
  const swapForY = order.inputSide === 0;
  const amountLeft = exactIn ? afterFee(order.amount, inputFee) : beforeFee(order.amount, outputFee);
  if (amountLeft === undefined) return undefined;
  return {
    state,
    exactIn,
    swapForY,
    feeOnInput: pair.parameters.collectFeeMode === FEES_ON_INPUT || !swapForY,
    inputFee,
    outputFee,
    order,
    indexReference: references.indexReference,
    volatilityReference: references.volatilityReference,
    arrays: [...state.arrays],
    activeId,
    volatilityAccumulator: state.volatilityAccumulator,
    amountLeft,
    amountIn: 0n,
    amountOut: 0n,
    protocolFee: 0n,
  };
}

/** Each turn leaves an array that the state holds for good, so there are no more turns than arrays. */
function walkBins(walk: Walk): DlmmRefusal | undefined {
  const { pair } = walk.state;
  do {
    const index = nextLiveArray(pair, Math.floor(walk.activeId / BINS_PER_ARRAY), walk.swapForY);
    if (typeof index !== "number") return index;
    const place = walk.arrays.findIndex((array) => array.index === index);
    if (place < 0) return DLMM_REFUSAL.accountNotEnoughKeys;
    const first = index * BINS_PER_ARRAY;
    if (Math.floor(walk.activeId / BINS_PER_ARRAY) !== index)
      walk.activeId = walk.swapForY ? first + BINS_PER_ARRAY - 1 : first;
    const refusal = walkArray(walk, place, first);
    if (refusal !== undefined) return refusal;
  } while (walk.amountLeft > 0n);
  return undefined;
}

/** The next bin array that the bitmaps hold, the one at `from` included. */
function nextLiveArray(pair: DlmmPair, from: number, swapForY: boolean): number | DlmmRefusal {
  const { liveArrays } = pair;
  const live = swapForY ? liveArrays.findLast((index) => index <= from) : liveArrays.find((index) => index >= from);
  const reachable = pair.bitmapExtension !== undefined || (from >= -BITMAP_HALF && from < BITMAP_HALF);
  if (live !== undefined && reachable) return live;
  return pair.bitmapExtension === undefined
    ? DLMM_REFUSAL.bitmapExtensionAccountIsNotProvided
    : DLMM_REFUSAL.cannotFindNonZeroLiquidityBinArrayId;
}

function walkArray(walk: Walk, place: number, first: number): DlmmRefusal | undefined {
  const { minBinId, maxBinId } = walk.state.pair.parameters;
  const array = walk.arrays[place] as LocatedBinArray;
  let bins: Bin[] | undefined;
  while (walk.amountLeft > 0n && walk.activeId >= first && walk.activeId < first + BINS_PER_ARRAY) {
    const at = walk.activeId - first;
    const filled = fillBin(walk, array.bins[at] as Bin);
    if (filled !== undefined) {
      if ("custom" in filled) return filled;
      bins ??= [...array.bins];
      bins[at] = filled.after;
    }
    if (walk.amountLeft === 0n) break;
    const next = walk.activeId + (walk.swapForY ? -1 : 1);
    if (next < minBinId || next > maxBinId) return DLMM_REFUSAL.pairInsufficientLiquidity;
    walk.activeId = next;
  }
  if (bins !== undefined) walk.arrays[place] = { ...array, bins };
  return undefined;
}

/** Undefined where the bin has nothing to give. */
function fillBin(walk: Walk, bin: Bin): BinFill | DlmmRefusal | undefined {
  const { pair } = walk.state;
  const fixed = { swapForY: walk.swapForY, feeOnInput: walk.feeOnInput, limitOrders: pair.limitOrders };
  const { maxVolatilityAccumulator, protocolShare } = pair.parameters;
  if (binOutputMax(bin, fixed) === 0n) return undefined;
  if (pair.baseFeeRate > U128_MAX) return DLMM_REFUSAL.mathOverflow;
  const { indexReference, volatilityReference } = walk;
  const volatility = volatilityAt(walk.activeId, indexReference, volatilityReference, maxVolatilityAccumulator);
  walk.volatilityAccumulator = volatility;
  const rules: BinRules = {
    ...fixed,
    protocolShare,
    feeRate: totalFeeRate(pair.baseFeeRate, volatility, pair.parameters, pair.binStep),
  };
  const fill = walk.exactIn ? fillExactIn(bin, walk.amountLeft, rules) : fillExactOut(bin, walk.amountLeft, rules);
  if ("custom" in fill) return fill;
  // Only a bin without a price gives something for nothing: the program takes it out of the bin and pays it to nobody.
  if (fill.amountIn === 0n) return fill;
  walk.amountLeft -= walk.exactIn ? fill.amountIn : fill.amountOut;
  walk.amountIn += fill.amountIn;
  walk.amountOut += fill.amountOut;
  walk.protocolFee += fill.protocolFee;
  return walk.amountLeft < 0n ? DLMM_REFUSAL.mathOverflow : fill;
}

function settle(walk: Walk, time: ChainTime): Result<SwapFill<DlmmState>, SwapRefusal> {
  const { state, order, swapForY } = walk;
  const received = afterFee(walk.amountOut, walk.outputFee);
  if (received === 0n) return err(DLMM_REFUSAL.insufficientOutAmount);
  const paid = walk.exactIn ? order.amount : beforeFee(walk.amountIn, walk.inputFee);
  if (paid === undefined || walk.amountOut > U64_MAX) return err(DLMM_REFUSAL.mathOverflow);
  const reserves = reservesAfter(walk, afterFee(paid, walk.inputFee));
  if (!reserves.ok) return reserves;
  const protocolFees = protocolFeesAfter(walk);
  if (protocolFees.some((fee) => fee > U64_MAX)) return err(DLMM_REFUSAL.mathOverflow);
  const moved = walk.activeId !== state.activeId;
  const after: DlmmState = {
    pair: state.pair,
    activeId: walk.activeId,
    volatilityAccumulator: walk.volatilityAccumulator,
    volatilityReference: walk.volatilityReference,
    indexReference: walk.indexReference,
    // A swap inside one bin leaves the clock of the volatility alone.
    lastUpdateTimestamp: moved ? time.unixSeconds : state.lastUpdateTimestamp,
    protocolFees,
    reserves: swapForY ? reserves.value : [reserves.value[1], reserves.value[0]],
    arrays: walk.arrays,
  };
  return ok({ amountIn: paid, amountOut: received, after });
}

/** Of the input's and the output's side. */
function reservesAfter(
  walk: Walk,
  arriving: bigint,
): Result<readonly [bigint, bigint], SwapRefusal> | Err<SwapRefusal> {
  const { reserves } = walk.state;
  const [input, output] = walk.swapForY ? reserves : [reserves[1], reserves[0]];
  if (input + arriving > U64_MAX) return tokenOverflow();
  if (output < walk.amountOut) return err(DLMM_REFUSAL.insufficientFunds);
  return ok([input + arriving, output - walk.amountOut]);
}

function protocolFeesAfter(walk: Walk): readonly [bigint, bigint] {
  const [x, y] = walk.state.protocolFees;
  return walk.feeOnInput && walk.swapForY ? [x + walk.protocolFee, y] : [x, y + walk.protocolFee];
}

const afterFee = (amount: bigint, fee: TransferFee | undefined): bigint =>
  fee === undefined ? amount : amount - feeOn(amount, fee);

/** As the program inverts a transfer fee: the fee of a sufficient amount, on top of what must arrive. */
function beforeFee(net: bigint, fee: TransferFee | undefined): bigint | undefined {
  const gross = fee === undefined ? net : amountBeforeFee(net, fee);
  if (gross === undefined) return undefined;
  const sent = fee === undefined ? net : net + feeOn(gross, fee);
  return sent > U64_MAX ? undefined : sent;
}
