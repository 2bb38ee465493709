/**
 * Raydium CP-Swap as a venue, by `swap_base_input.rs` and `swap_base_output.rs`: checks in the program's order, the trade
 * of curve.ts between the transfer fees of the two tokens, and the owed fees booked in the pool.
 */
import type { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { mintTransferFee, ownedBytes, vaultAmount } from "#dex/account-set.ts";
import { RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { ANCHOR_REFUSAL, panicked, tokenOverflow, U64_MAX } from "#dex/refusals.ts";
import { amountBeforeFee, feeForEpoch, feeOn, type TransferFee, type TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { AccountSet, ChainTime, SwapFill, SwapOrder, SwapRefusal, Venue } from "#dex/venue.ts";
import { type CpmmRates, type CpmmTrade, tradeBaseInput, tradeBaseOutput } from "./curve.ts";
import { type CpmmAmmConfig, type CpmmPoolState, decodeAmmConfig, decodePoolState } from "./decode.ts";
import { CPMM_REFUSAL, CREATOR_FEE_ON, POOL_STATUS_NO_SWAP } from "./layout.ts";

type Pair = readonly [bigint, bigint];

export type CpmmState = {
  readonly pool: CpmmPoolState;
  readonly config: CpmmAmmConfig;
  readonly transferFees: readonly [TransferFeeConfig | undefined, TransferFeeConfig | undefined];
  readonly vaultAmounts: Pair;
};

type Swapped = Result<SwapFill<CpmmState>, SwapRefusal>;
const ALL_BASIS_POINTS = 10_000n;
const NO_FEE: TransferFee = { basisPoints: 0n, maximum: 0n };

export const raydiumCpmmVenue: Venue<CpmmState> = {
  name: "raydium-cpmm",
  program: RAYDIUM_CPMM_PROGRAM,
  load,
  swap,
  figures: ({ pool, vaultAmounts }) => ({
    vault_0: vaultAmounts[0],
    vault_1: vaultAmounts[1],
    protocol_fees_0: pool.protocolFees[0],
    protocol_fees_1: pool.protocolFees[1],
    fund_fees_0: pool.fundFees[0],
    fund_fees_1: pool.fundFees[1],
    creator_fees_0: pool.creatorFees[0],
    creator_fees_1: pool.creatorFees[1],
  }),
};

function load(address: Address, accounts: AccountSet): Result<CpmmState, SandpiperError> {
  const poolBytes = ownedBytes(accounts, address, RAYDIUM_CPMM_PROGRAM, "CP-Swap pool");
  const pool = poolBytes.ok ? decodePoolState(poolBytes.value) : poolBytes;
  if (!pool.ok) return pool;
  const configBytes = ownedBytes(accounts, pool.value.ammConfig, RAYDIUM_CPMM_PROGRAM, "CP-Swap config");
  const config = configBytes.ok ? decodeAmmConfig(configBytes.value) : configBytes;
  if (!config.ok) return config;
  const { vaults, mints, tokenPrograms } = pool.value;
  const [vault0, vault1] = [vaultAmount(accounts, vaults[0]), vaultAmount(accounts, vaults[1])];
  if (!vault0.ok) return vault0;
  if (!vault1.ok) return vault1;
  const fee0 = mintTransferFee(accounts, mints[0], tokenPrograms[0]);
  if (!fee0.ok) return fee0;
  const fee1 = mintTransferFee(accounts, mints[1], tokenPrograms[1]);
  if (!fee1.ok) return fee1;
  return ok({
    pool: pool.value,
    config: config.value,
    transferFees: [fee0.value, fee1.value],
    vaultAmounts: [vault0.value, vault1.value],
  });
}

function swap(state: CpmmState, order: SwapOrder, time: ChainTime): Swapped {
  if (order.amount < 0n || order.amount > U64_MAX) return panicked();
  const input = order.inputSide;
  const output = input === 0 ? 1 : 0;
  const feeAt = (side: 0 | 1) => {
    const config = state.transferFees[side];
    return config === undefined ? NO_FEE : feeForEpoch(config, time.epoch);
  };
  const exactIn = order.mode === "exact-in";
  if (!exactIn && order.amount === 0n) return refuseAnchor("requireGtViolated");
  if (!swaps(state.pool, time.unixSeconds)) return refuse("notApproved");
  return exactIn
    ? swapBaseInput(state, input, order.amount, feeAt(input), feeAt(output))
    : swapBaseOutput(state, input, order.amount, feeAt(input), feeAt(output));
}

function swaps(pool: CpmmPoolState, unixSeconds: bigint): boolean {
  return (pool.status & POOL_STATUS_NO_SWAP) === 0 && BigInt.asUintN(64, unixSeconds) >= pool.openTime;
}

function swapBaseInput(
  state: CpmmState,
  input: 0 | 1,
  amount: bigint,
  feeIn: TransferFee,
  feeOut: TransferFee,
): Swapped {
  const arrives = amount - feeOn(amount, feeIn);
  if (arrives <= 0n) return refuseAnchor("requireGtViolated");
  const curve = curveOf(state, input);
  if (!curve.ok) return curve;
  const { rates, reserveIn, reserveOut } = curve.value;
  const traded = tradeBaseInput(rates, reserveIn, reserveOut, arrives);
  if (!traded.ok) return traded;
  const received = traded.value.amountOut - feeOn(traded.value.amountOut, feeOut);
  if (received <= 0n) return refuseAnchor("requireGtViolated");
  return settle(state, input, traded.value, { amountIn: amount, amountOut: received, arrives }, rates);
}

function swapBaseOutput(
  state: CpmmState,
  input: 0 | 1,
  amount: bigint,
  feeIn: TransferFee,
  feeOut: TransferFee,
): Swapped {
  const outFee = inverseFee(amount, feeOut);
  if (!outFee.ok) return outFee;
  const leaves = amount + outFee.value;
  if (leaves > U64_MAX) return panicked();
  const curve = curveOf(state, input);
  if (!curve.ok) return curve;
  const { rates, reserveIn, reserveOut } = curve.value;
  const traded = tradeBaseOutput(rates, reserveIn, reserveOut, leaves);
  if (!traded.ok) return traded;
  const { amountIn } = traded.value;
  if (amountIn > U64_MAX) return panicked();
  if (amountIn === 0n) return refuseAnchor("requireGtViolated");
  const inFee = inverseFee(amountIn, feeIn);
  if (!inFee.ok) return inFee;
  const sent = amountIn + inFee.value;
  if (sent > U64_MAX) return panicked();
  const moved = { amountIn: sent, amountOut: leaves - feeOn(leaves, feeOut), arrives: sent - feeOn(sent, feeIn) };
  return settle(state, input, traded.value, moved, rates);
}

type Curve = { readonly rates: CpmmRates; readonly reserveIn: bigint; readonly reserveOut: bigint };

/** `get_swap_params`: effective reserves, and where the creator's fee falls. */
function curveOf({ pool, config, vaultAmounts }: CpmmState, input: 0 | 1): Result<Curve, SwapRefusal> {
  if (pool.feesOwed[0] > U64_MAX || pool.feesOwed[1] > U64_MAX) return refuse("mathOverflow");
  const reserves: Pair = [vaultAmounts[0] - pool.feesOwed[0], vaultAmounts[1] - pool.feesOwed[1]];
  if (reserves[0] < 0n || reserves[1] < 0n) return refuse("insufficientVault");
  // The price for the observation divides by both reserves.
  if (reserves[0] === 0n || reserves[1] === 0n) return panicked();
  const feeOnMode = pool.creatorFeeMode;
  if (feeOnMode > CREATOR_FEE_ON.token1) return refuse("invalidFeeModel");
  const feeToken = feeOnMode === CREATOR_FEE_ON.input ? input : feeOnMode - CREATOR_FEE_ON.token0;
  const rates = {
    ...config,
    creatorFeeRate: pool.creatorFeeOn === undefined ? 0n : config.creatorFeeRate,
    creatorFeeOnInput: feeToken === input,
  };
  if (rates.tradeFeeRate + rates.creatorFeeRate > U64_MAX) return panicked();
  return ok({ rates, reserveIn: reserves[input], reserveOut: reserves[input === 0 ? 1 : 0] });
}

type Moved = { readonly amountIn: bigint; readonly amountOut: bigint; readonly arrives: bigint };

function settle(state: CpmmState, input: 0 | 1, traded: CpmmTrade, moved: Moved, rates: CpmmRates): Swapped {
  const output = input === 0 ? 1 : 0;
  const { pool } = state;
  const protocolFees = plus(pool.protocolFees, input, traded.protocolFee);
  const fundFees = plus(pool.fundFees, input, traded.fundFee);
  const creatorFees = plus(pool.creatorFees, rates.creatorFeeOnInput ? input : output, traded.creatorFee);
  if ([...protocolFees, ...fundFees, ...creatorFees].some((fee) => fee > U64_MAX)) return panicked();
  const vaultAmounts = plus(plus(state.vaultAmounts, input, moved.arrives), output, -traded.amountOut);
  if (vaultAmounts[input] > U64_MAX) return tokenOverflow();
  const feesOwed: Pair = [
    protocolFees[0] + fundFees[0] + creatorFees[0],
    protocolFees[1] + fundFees[1] + creatorFees[1],
  ];
  const after = { ...state, vaultAmounts, pool: { ...pool, protocolFees, fundFees, creatorFees, feesOwed } };
  return ok({ amountIn: moved.amountIn, amountOut: moved.amountOut, after });
}

const plus = (pair: Pair, side: 0 | 1, amount: bigint): Pair =>
  side === 0 ? [pair[0] + amount, pair[1]] : [pair[0], pair[1] + amount];

/** `get_transfer_inverse_fee`: refuses amounts for which the token's fee and its inverse disagree. */
function inverseFee(amount: bigint, fee: TransferFee): Result<bigint, SwapRefusal> {
  if (fee.basisPoints === ALL_BASIS_POINTS) return ok(fee.maximum);
  const before = amountBeforeFee(amount, fee);
  if (before === undefined) return panicked();
  const kept = feeOn(before, fee);
  if (amount + kept > U64_MAX) return panicked();
  return feeOn(amount + kept, fee) === kept ? ok(kept) : refuse("transferFeeCalculateNotMatch");
}

const refuse = (name: keyof typeof CPMM_REFUSAL) => err(CPMM_REFUSAL[name]);
const refuseAnchor = (name: keyof typeof ANCHOR_REFUSAL) => err(ANCHOR_REFUSAL[name]);
