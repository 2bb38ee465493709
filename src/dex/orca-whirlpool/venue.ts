/**
 * Orca Whirlpool as a venue: exact swaps on concentrated liquidity, as `swap_v2` of the deployed program makes them with
 * the three tick arrays of its direction and a price limit at the end of all prices. Both modes therefore fill in part
 * where liquidity ends; transfer fees of Token-2022 are inside the amounts.
 */
import { err, ok, type Result } from "#core/result.ts";
import { ORCA_WHIRLPOOL_PROGRAM } from "#dex/program-addresses.ts";
import { amountBeforeFee, feeForEpoch, feeOn, type TransferFee, type TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { ChainTime, SwapFill, SwapOrder, SwapRefusal, Venue } from "#dex/venue.ts";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN, U64_MAX } from "./limits.ts";
import { loadWhirlpool, type WhirlpoolState } from "./load.ts";
import { REFUSAL } from "./refusals.ts";
import type { TickArray, Whirlpool } from "./state.ts";
import { type CrossedTick, type CurveFill, swapOnCurve } from "./swap.ts";
import { type TickRange, tickSequence } from "./tick-arrays.ts";

export const orcaWhirlpoolVenue: Venue<WhirlpoolState> = {
  name: "orca-whirlpool",
  program: ORCA_WHIRLPOOL_PROGRAM,
  load: loadWhirlpool,
  swap: swapWhirlpool,
  figures,
};

function swapWhirlpool(
  state: WhirlpoolState,
  order: SwapOrder,
  time: ChainTime,
): Result<SwapFill<WhirlpoolState>, SwapRefusal> {
  const { whirlpool } = state;
  const aToB = order.inputSide === 0;
  const exactIn = order.mode === "exact-in";
  const sequence = tickSequence(state.tickArrays, whirlpool.tickCurrentIndex, whirlpool.tickSpacing, aToB);
  if (sequence.length === 0) return err(REFUSAL.invalidTickArraySequence);
  if (state.oracle !== undefined && time.unixSeconds < state.oracle.tradeEnableTimestamp)
    return err(REFUSAL.tradeIsNotEnabled);

  const inputFee = currentFee(state.transferFees[order.inputSide], time.epoch);
  const outputFee = currentFee(state.transferFees[order.inputSide === 0 ? 1 : 0], time.epoch);
  const amount = exactIn ? afterFee(order.amount, inputFee) : beforeFee(order.amount, outputFee);
  if (amount === undefined) return err(REFUSAL.transferFeeCalculation);
  const fill = swapOnCurve(
    whirlpool,
    sequence,
    { amount, sqrtPriceLimit: aToB ? SQRT_PRICE_MIN : SQRT_PRICE_MAX, exactIn, aToB, unixSeconds: time.unixSeconds },
    state.oracle,
  );
  if ("custom" in fill) return err(fill);

  // An input that is used up whole is what the trader gave; any other is made whole again for its transfer.
  const amountIn = exactIn && fill.amountIn === amount ? order.amount : beforeFee(fill.amountIn, inputFee);
  if (amountIn === undefined) return err(REFUSAL.transferFeeCalculation);
  const vaultAmounts = moveVaults(state.vaultAmounts, aToB, afterFee(amountIn, inputFee), fill.amountOut);
  if ("custom" in vaultAmounts) return err(vaultAmounts);
  return ok({
    amountIn,
    amountOut: afterFee(fill.amountOut, outputFee),
    after: {
      ...state,
      whirlpool: whirlpoolAfter(whirlpool, fill, aToB, time.unixSeconds),
      vaultAmounts,
      tickArrays: fill.crossed.length === 0 ? state.tickArrays : arraysAfter(state.tickArrays, sequence, fill.crossed),
      oracle:
        state.oracle === undefined || fill.adaptiveFee === undefined
          ? state.oracle
          : { ...state.oracle, variables: fill.adaptiveFee },
    },
  });
}

function figures({ whirlpool, vaultAmounts }: WhirlpoolState): Readonly<Record<string, bigint>> {
  return {
    liquidity: whirlpool.liquidity,
    sqrt_price: whirlpool.sqrtPrice,
    tick_current_index: BigInt(whirlpool.tickCurrentIndex),
    protocol_fee_owed_a: whirlpool.protocolFeeOwedA,
    protocol_fee_owed_b: whirlpool.protocolFeeOwedB,
    fee_growth_global_a: whirlpool.feeGrowthGlobalA,
    fee_growth_global_b: whirlpool.feeGrowthGlobalB,
    vault_a: vaultAmounts[0],
    vault_b: vaultAmounts[1],
  };
}

const currentFee = (config: TransferFeeConfig | undefined, epoch: bigint): TransferFee | undefined =>
  config === undefined ? undefined : feeForEpoch(config, epoch);

const afterFee = (amount: bigint, fee: TransferFee | undefined): bigint =>
  fee === undefined ? amount : amount - feeOn(amount, fee);

/** What to send for `net` to arrive, by the program's own checks; undefined where it refuses. */
function beforeFee(net: bigint, fee: TransferFee | undefined): bigint | undefined {
  if (fee === undefined || net === 0n) return net;
  const gross = amountBeforeFee(net, fee);
  if (gross === undefined) return undefined;
  const kept = feeOn(gross, fee);
  const included = net + kept;
  return included > U64_MAX || feeOn(included, fee) !== kept ? undefined : included;
}

function moveVaults(
  [vaultA, vaultB]: readonly [bigint, bigint],
  aToB: boolean,
  arrives: bigint,
  leaves: bigint,
): readonly [bigint, bigint] | SwapRefusal {
  if ((aToB ? vaultB : vaultA) < leaves) return REFUSAL.insufficientFunds;
  if ((aToB ? vaultA : vaultB) + arrives > U64_MAX) return REFUSAL.overflow;
  return aToB ? [vaultA + arrives, vaultB - leaves] : [vaultA - leaves, vaultB + arrives];
}

function whirlpoolAfter(whirlpool: Whirlpool, fill: CurveFill, aToB: boolean, unixSeconds: bigint): Whirlpool {
  const { protocolFeeOwedA, protocolFeeOwedB, feeGrowthGlobalA, feeGrowthGlobalB } = whirlpool;
  return {
    ...whirlpool,
    liquidity: fill.liquidity,
    sqrtPrice: fill.sqrtPrice,
    tickCurrentIndex: fill.tickCurrentIndex,
    feeGrowthGlobalA: aToB ? fill.feeGrowthGlobal : feeGrowthGlobalA,
    feeGrowthGlobalB: aToB ? feeGrowthGlobalB : fill.feeGrowthGlobal,
    protocolFeeOwedA: aToB ? (protocolFeeOwedA + fill.protocolFee) & U64_MAX : protocolFeeOwedA,
    protocolFeeOwedB: aToB ? protocolFeeOwedB : (protocolFeeOwedB + fill.protocolFee) & U64_MAX,
    rewardInfos: fill.rewardInfos,
    rewardLastUpdatedTimestamp: unixSeconds,
  };
}

function arraysAfter(
  tickArrays: ReadonlyMap<number, TickArray>,
  sequence: readonly TickRange[],
  crossed: readonly CrossedTick[],
): ReadonlyMap<number, TickArray> {
  const after = new Map(tickArrays);
  sequence.forEach(({ startTickIndex }, arrayIndex) => {
    const array = tickArrays.get(startTickIndex);
    const changes = crossed.filter((change) => change.arrayIndex === arrayIndex);
    if (array === undefined || changes.length === 0) return;
    const ticks = [...array.ticks];
    for (const { offset, tick } of changes) ticks[offset] = tick;
    after.set(startTickIndex, { ...array, ticks });
  });
  return after;
}
