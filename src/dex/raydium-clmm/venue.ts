/**
 * Raydium CLMM: what `swap_v2` of a pool would do, exact to the unit, both builds that state.ts names. A swap without a
 * price limit; the trader is taken to have what he pays.
 */
import { ok, type Result } from "#core/result.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";
import { U64_MAX } from "#dex/refusals.ts";
import { amountBeforeFee, feeForEpoch, feeOn, type TransferFee } from "#dex/transfer-fee.ts";
import type { ChainTime, SwapFill, SwapOrder, SwapRefusal, Venue } from "#dex/venue.ts";
import { POOL_STATUS_FROZEN, POOL_STATUS_NO_SWAP } from "./layout.ts";
import { loadPool } from "./load.ts";
import { type ClmmBuild, type ClmmRefusal, refuse } from "./refusals.ts";
import { advanceRewards } from "./rewards.ts";
import { type ClmmState, withSide } from "./state.ts";
import { feeSideOf, isAtLimit, type WalkTally, walkSwap } from "./swap-walk.ts";
import { withTicks } from "./tick-map.ts";

export const raydiumClmmVenue: Venue<ClmmState> = {
  name: "raydium-clmm",
  program: RAYDIUM_CLMM_PROGRAM,
  load: loadPool,
  swap,
  figures: (state) => ({
    liquidity: state.liquidity,
    sqrt_price_x64: state.sqrtPriceX64,
    tick_current: BigInt(state.tickCurrent),
    fee_growth_global_0: state.feeGrowthGlobalX64[0],
    fee_growth_global_1: state.feeGrowthGlobalX64[1],
    protocol_fees_0: state.protocolFees[0],
    protocol_fees_1: state.protocolFees[1],
    fund_fees_0: state.fundFees[0],
    fund_fees_1: state.fundFees[1],
    vault_0: state.vaults[0],
    vault_1: state.vaults[1],
  }),
};

const NO_FEE: TransferFee = { basisPoints: 0n, maximum: 0n };
const ALL_BASIS_POINTS = 10_000n;

function swap(state: ClmmState, order: SwapOrder, time: ChainTime): Result<SwapFill<ClmmState>, SwapRefusal> {
  const { build, tradeFeeRate } = state.facts;
  const input = order.inputSide;
  const output = input === 0 ? 1 : 0;
  const exactIn = order.mode === "exact-in";
  const fees = [transferFee(state, input, time), transferFee(state, output, time)] as const;
  if (order.amount < 0n || order.amount > U64_MAX) return refuse(build, "InstructionDidNotDeserialize");
  const amount = exactIn ? order.amount - feeOn(order.amount, fees[0]) : withFee(order.amount, fees[1], build);
  if (typeof amount === "string") return refuse(build, amount);
  const closed = startRefusal(state, input, amount, time);
  if (closed !== undefined) return refuse(build, closed);
  const rewards = advanceRewards(state.rewards, state.liquidity, time.unixSeconds, build);
  if (typeof rewards === "string") return refuse(build, rewards);
  const feeOnInput = feeSideOf(state, input) === input;
  const walkOrder = { exactIn, zeroForOne: input === 0, feeOnInput, feeRate: tradeFeeRate, build };
  const tally = walkSwap(state, rewards, amount, walkOrder);
  if (typeof tally === "string") return refuse(build, tally);
  const used = amount - tally.remaining;
  const [poolIn, poolOut] = exactIn ? [used, tally.calculated] : [tally.calculated, used];
  if (poolIn === 0n || poolOut === 0n) return refuse(build, "TooSmallInputOrOutputAmount");
  // The build of 2024 works the fee out backwards even when all was used, and may take a unit other than was asked.
  const all = build === "2026" && exactIn && tally.remaining === 0n;
  const paid = all ? order.amount : withFee(poolIn, fees[0], build);
  if (typeof paid === "string") return refuse(build, paid);
  const refusal = transferRefusal(state, input, poolOut) ?? endRefusal(state, tally, order, paid);
  if (refusal !== undefined) return refuse(build, refusal);
  const after = settle(state, tally, rewards, input, paid - feeOn(paid, fees[0]), poolOut);
  return after.vaults[input] > U64_MAX
    ? refuse(build, "CalculateOverflow")
    : ok({ amountIn: paid, amountOut: poolOut - feeOn(poolOut, fees[1]), after });
}

const transferFee = (state: ClmmState, side: 0 | 1, time: ChainTime): TransferFee => {
  const config = state.facts.sides[side].transferFee;
  return config === undefined ? NO_FEE : feeForEpoch(config, time.epoch);
};

/** `net` and the fee that the program holds to be due on top of it. */
function withFee(net: bigint, fee: TransferFee, build: ClmmBuild): bigint | ClmmRefusal {
  if (fee.basisPoints === 0n) return net;
  const gross = amountBeforeFee(net, fee);
  if (gross === undefined) return "CalculateOverflow";
  const whole = fee.basisPoints === ALL_BASIS_POINTS;
  const onTop = whole ? fee.maximum : feeOn(gross, fee);
  if (build === "2026" && !whole && feeOn(net + onTop, fee) !== onTop) return "TransferFeeCalculateNotMatch";
  return net + onTop > U64_MAX ? "CalculateOverflow" : net + onTop;
}

/** What the program checks before it looks at prices, in its order. */
function startRefusal(state: ClmmState, input: 0 | 1, amount: bigint, time: ChainTime): ClmmRefusal | undefined {
  if (time.unixSeconds <= state.facts.openTime) return "RequireGtViolated";
  if (amount === 0n) return "ZeroAmountSpecified";
  if ((state.status & POOL_STATUS_NO_SWAP) !== 0) return "NotApproved";
  return isAtLimit(state, input === 0) ? "SqrtPriceLimitOverflow" : undefined;
}

/** Why the token programs would not move the amounts. */
function transferRefusal(state: ClmmState, input: 0 | 1, poolOut: bigint): ClmmRefusal | undefined {
  const { sides } = state.facts;
  const output = input === 0 ? 1 : 0;
  const blocked = sides[input].blocked ?? sides[output].blocked;
  return blocked ?? (state.vaults[output] < poolOut ? "InsufficientFunds" : undefined);
}

/** What the program still checks when all is moved. */
function endRefusal(state: ClmmState, tally: WalkTally, order: SwapOrder, paid: bigint): ClmmRefusal | undefined {
  if (state.facts.build === "2024") return tally.sqrtPriceX64 === state.sqrtPriceX64 ? "RequireGtViolated" : undefined;
  // The build of 2026 fills in full or not at all.
  const full = order.mode === "exact-in" ? paid === order.amount : tally.remaining === 0n;
  return full ? undefined : "RequireEqViolated";
}

/** The pool after the swap: `vaultIn` arrived in the one vault, `poolOut` left the other. */
function settle(
  state: ClmmState,
  tally: WalkTally,
  rewards: ClmmState["rewards"],
  input: 0 | 1,
  vaultIn: bigint,
  poolOut: bigint,
): ClmmState {
  const output = input === 0 ? 1 : 0;
  const drained = state.facts.build === "2024" && state.vaults[output] <= poolOut;
  const feeSide = feeSideOf(state, input);
  const vaults = withSide(state.vaults, input, state.vaults[input] + vaultIn);
  return {
    facts: state.facts,
    status: drained ? POOL_STATUS_FROZEN : state.status,
    liquidity: tally.liquidity,
    sqrtPriceX64: tally.sqrtPriceX64,
    tickCurrent: tally.tick,
    feeGrowthGlobalX64: withSide(state.feeGrowthGlobalX64, feeSide, tally.feeGrowthX64),
    protocolFees: withSide(state.protocolFees, feeSide, state.protocolFees[feeSide] + tally.protocolFee),
    fundFees: withSide(state.fundFees, feeSide, state.fundFees[feeSide] + tally.fundFee),
    vaults: withSide(vaults, output, vaults[output] - poolOut),
    rewards,
    ticks: withTicks(state.ticks, tally.crossed),
  };
}
