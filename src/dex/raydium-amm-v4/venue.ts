/**
 * Raydium AMM v4 as a venue, by `process_swap_base_in` and `process_swap_base_out` of its processor: constant product on
 * the vaults less the profit that is set aside, the fee on the input rounded up and left in the pool. The program has
 * ceased to trade on an order book; a pool's open orders are no reserve.
 */
import type { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { ownedBytes, vaultAmount } from "#dex/account-set.ts";
import { RAYDIUM_AMM_V4_PROGRAM } from "#dex/program-addresses.ts";
import { divideUp, panicked, tokenOverflow, U64_MAX } from "#dex/refusals.ts";
import type { AccountSet, ChainTime, SwapFill, SwapOrder, SwapRefusal, Venue } from "#dex/venue.ts";
import { type AmmV4Info, decodeAmmInfo } from "./decode.ts";
import { AMM_STATUS, AMM_V4_REFUSAL } from "./layout.ts";

export type AmmV4State = AmmV4Info & {
  /** Vault balances, coin and pc. */
  readonly vaultAmounts: readonly [bigint, bigint];
};

type Refused = Result<never, SwapRefusal>;
type Swapped = Result<SwapFill<AmmV4State>, SwapRefusal>;

export const raydiumAmmV4Venue: Venue<AmmV4State> = {
  name: "raydium-amm-v4",
  program: RAYDIUM_AMM_V4_PROGRAM,
  load,
  swap,
  figures: ({ vaultAmounts, needTakePnl }) => ({
    vault_coin: vaultAmounts[0],
    vault_pc: vaultAmounts[1],
    need_take_pnl_coin: needTakePnl[0],
    need_take_pnl_pc: needTakePnl[1],
  }),
};

function load(pool: Address, accounts: AccountSet): Result<AmmV4State, SandpiperError> {
  const bytes = ownedBytes(accounts, pool, RAYDIUM_AMM_V4_PROGRAM, "AMM v4 pool");
  if (!bytes.ok) return bytes;
  const info = decodeAmmInfo(bytes.value);
  if (!info.ok) return info;
  const coin = vaultAmount(accounts, info.value.vaults[0]);
  if (!coin.ok) return coin;
  const pc = vaultAmount(accounts, info.value.vaults[1]);
  if (!pc.ok) return pc;
  return ok({ ...info.value, vaultAmounts: [coin.value, pc.value] });
}

function swap(state: AmmV4State, order: SwapOrder, time: ChainTime): Swapped {
  const { status } = state;
  if (status !== AMM_STATUS.initialized && status !== AMM_STATUS.swapOnly && status !== AMM_STATUS.waitingTrade)
    return refuse("invalidStatus");
  if (status === AMM_STATUS.waitingTrade && BigInt.asUintN(64, time.unixSeconds) < state.openTime)
    return refuse("invalidStatus");
  const input = order.inputSide;
  const output = input === 0 ? 1 : 0;
  const reserveIn = state.vaultAmounts[input] - state.needTakePnl[input];
  const reserveOut = state.vaultAmounts[output] - state.needTakePnl[output];
  if (reserveIn < 0n || reserveOut < 0n) return refuse("checkedSubOverflow");
  const priced =
    order.mode === "exact-in"
      ? priceBaseIn(state, reserveIn, reserveOut, order.amount)
      : priceBaseOut(state, reserveIn, reserveOut, order.amount);
  if (!priced.ok) return priced;
  const { amountIn, amountOut } = priced.value;
  if (amountOut >= reserveOut) return refuse("insufficientFunds");
  return settle(state, input, amountIn, amountOut);
}

type Priced = Result<{ amountIn: bigint; amountOut: bigint }, SwapRefusal>;

function priceBaseIn(state: AmmV4State, reserveIn: bigint, reserveOut: bigint, amountIn: bigint): Priced {
  if (amountIn < 0n || amountIn > U64_MAX || state.feeDenominator === 0n) return panicked();
  const net = amountIn - divideUp(amountIn * state.feeNumerator, state.feeDenominator);
  if (net < 0n || reserveIn + net === 0n) return panicked();
  const amountOut = (reserveOut * net) / (reserveIn + net);
  return amountOut === 0n ? refuse("invalidInput") : ok({ amountIn, amountOut });
}

function priceBaseOut(state: AmmV4State, reserveIn: bigint, reserveOut: bigint, amountOut: bigint): Priced {
  const kept = state.feeDenominator - state.feeNumerator;
  if (amountOut < 0n || amountOut >= reserveOut || kept <= 0n) return panicked();
  const net = divideUp(reserveIn * amountOut, reserveOut - amountOut);
  const amountIn = divideUp(net * state.feeDenominator, kept);
  if (amountIn > U64_MAX) return panicked();
  return amountIn === 0n || amountOut === 0n ? refuse("invalidInput") : ok({ amountIn, amountOut });
}

function settle(state: AmmV4State, input: 0 | 1, amountIn: bigint, amountOut: bigint): Swapped {
  const [coin, pc] = state.vaultAmounts;
  const vaultAmounts: readonly [bigint, bigint] =
    input === 0 ? [coin + amountIn, pc - amountOut] : [coin - amountOut, pc + amountIn];
  if (vaultAmounts[input] > U64_MAX) return tokenOverflow();
  const status = state.status === AMM_STATUS.waitingTrade ? AMM_STATUS.swapOnly : state.status;
  return ok({ amountIn, amountOut, after: { ...state, status, vaultAmounts } });
}

const refuse = (name: keyof typeof AMM_V4_REFUSAL): Refused => err(AMM_V4_REFUSAL[name]);
