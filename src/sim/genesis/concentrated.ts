/**
 * Writes the concentrated pools of a plan into a new cluster: their program, fee configs, pools with vaults, tick arrays and
 * bitmaps. There are no position accounts: nobody here takes liquidity away.
 */
import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";
import { clmmConfigAddress, clmmPoolAddresses, clmmTickArrayAddress } from "#dex/raydium-clmm/addresses.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { startOf } from "#dex/raydium-clmm/tick-map.ts";
import { tickAtSqrtPrice } from "#dex/raydium-clmm/tick-math.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import type { AccountState, Cluster } from "#sim/cluster/cluster.ts";
import { SIM_ERROR } from "#sim/errors.ts";
import { mintAccount, tokenAccount } from "./accounts.ts";
import {
  bitmapExtensionAccount,
  concentratedConfigAccount,
  concentratedObservationAccount,
  concentratedPoolAccount,
  tickArrayAccount,
} from "./concentrated-accounts.ts";
import { CONCENTRATED_TIERS, type ConcentratedPlan } from "./concentrated-plan.ts";
import { type Position, placePositions } from "./concentrated-ticks.ts";
import type { SimToken } from "./genesis.ts";
import { FUND_FEE_RATE, PROTOCOL_FEE_RATE } from "./market-plan.ts";

export type SimConcentratedPool = {
  /** The pool as genesis left it. */
  readonly state: ClmmState;
  /** Places in `tokens` of side 0 and side 1. */
  readonly tokens: readonly [number, number];
  readonly depthSol: number;
  readonly positions: readonly Position[];
};

export type ConcentratedOptions = {
  readonly plans: readonly ConcentratedPlan[];
  /** The exchange: programs/clmm.so. */
  readonly program: Uint8Array;
  readonly feeOwner: Address;
};

/** Adds what the vaults hold to each token's supply. */
export async function writeConcentratedPools(
  cluster: Cluster,
  options: ConcentratedOptions,
  tokens: readonly SimToken[],
  supply: bigint[],
): Promise<readonly SimConcentratedPool[]> {
  const { plans, program, feeOwner } = options;
  cluster.addProgram(RAYDIUM_CLMM_PROGRAM, program);
  const configs = await Promise.all(CONCENTRATED_TIERS.map((_, index) => clmmConfigAddress(index)));
  const accounts = new Map<Address, AccountState>();
  for (const [index, { address, bump }] of configs.entries()) {
    const { tradeFeeRate, tickSpacing } = CONCENTRATED_TIERS[index] as (typeof CONCENTRATED_TIERS)[number];
    const rates = { tradeFeeRate, protocolFeeRate: PROTOCOL_FEE_RATE, fundFeeRate: FUND_FEE_RATE };
    accounts.set(address, concentratedConfigAccount({ bump, index, tickSpacing, ...rates, feeOwner }));
  }
  const laidOut = await Promise.all(
    plans.map((plan) => layOut(plan, tokens, configs[plan.tier]?.address as Address, feeOwner, accounts)),
  );
  const pools = laidOut.map(({ address, ...pool }) => ({ ...pool, state: stateOf(address, accounts, tokens) }));
  for (const [address, state] of accounts) cluster.setAccount(address, state);
  for (const { tokens: sides, state } of pools)
    for (const side of [0, 1] as const) supply[sides[side]] = (supply[sides[side]] as bigint) + state.vaults[side];
  return pools;
}

type LaidOut = Omit<SimConcentratedPool, "state"> & { readonly address: Address };

/** Adds the accounts of one pool. */
async function layOut(
  plan: ConcentratedPlan,
  tokens: readonly SimToken[],
  ammConfig: Address,
  creator: Address,
  accounts: Map<Address, AccountState>,
): Promise<LaidOut> {
  const tokenOf = (place: number) => tokens[place] as SimToken;
  const [left, right] = plan.tokens;
  const inOrder = Buffer.compare(base58Decode(tokenOf(left).mint), base58Decode(tokenOf(right).mint)) < 0;
  const sides = inOrder ? ([left, right] as const) : ([right, left] as const);
  const [token0, token1] = [tokenOf(sides[0]), tokenOf(sides[1])];
  const mints = [token0.mint, token1.mint] as const;
  const { tickSpacing, gridTicks } = CONCENTRATED_TIERS[plan.tier] as (typeof CONCENTRATED_TIERS)[number];
  // The price only has to be near the plan's: 53 bits of it are enough.
  const sqrtPriceX64 = BigInt(Math.floor(Math.sqrt(token1.unitsPerSol / token0.unitsPerSol) * 2 ** 64));
  const tickCurrent = tickAtSqrtPrice(sqrtPriceX64);
  const reference = plan.depthSol * Math.sqrt(token0.unitsPerSol * token1.unitsPerSol);
  const positions = positionsOf(plan, tickCurrent, gridTicks, reference);
  const { arrays, liquidity, amounts } = placePositions(positions, sqrtPriceX64, tickCurrent, tickSpacing);

  const { pool, bump, vaults, observation, bitmapExtension } = await clmmPoolAddresses(ammConfig, ...mints);
  const numbers = [...arrays.keys()];
  const decimals = [token0.decimals, token1.decimals] as const;
  const fields = { bump, ammConfig, creator, mints, vaults, observation, decimals, tickSpacing, liquidity };
  accounts.set(pool, concentratedPoolAccount({ ...fields, sqrtPriceX64, tickCurrent, arrays: numbers }));
  accounts.set(observation, concentratedObservationAccount(pool));
  accounts.set(bitmapExtension, bitmapExtensionAccount(pool, numbers));
  for (const [array, ticks] of arrays)
    accounts.set(
      await clmmTickArrayAddress(pool, startOf(array, tickSpacing)),
      tickArrayAccount(pool, array, tickSpacing, ticks),
    );
  for (const side of [0, 1] as const) accounts.set(vaults[side], tokenAccount(mints[side], pool, amounts[side]));
  return { address: pool, tokens: sides, depthSol: plan.depthSol, positions };
}

/** The planned positions, their ends on the grid; `reference` is the liquidity of a share of 1. */
function positionsOf(plan: ConcentratedPlan, tick: number, gridTicks: number, reference: number): readonly Position[] {
  return plan.positions.map(({ lower, upper, share }) => {
    const low = Math.floor((tick + lower) / gridTicks) * gridTicks;
    const high = Math.ceil((tick + upper) / gridTicks) * gridTicks;
    return { lower: low, upper: high, liquidity: BigInt(Math.floor(reference * share)) };
  });
}

/** Reads a pool back as everybody else will; mints are written later, when their supply is known. */
function stateOf(pool: Address, accounts: ReadonlyMap<Address, AccountState>, tokens: readonly SimToken[]): ClmmState {
  const mints = tokens.map(({ mint, decimals }) => [mint, mintAccount(decimals, 0n)] as const);
  const state = raydiumClmmVenue.load(pool, new Map([...accounts, ...mints]));
  if (state.ok) return state.value;
  throw new SandpiperError(SIM_ERROR.genesis, `Cannot write genesis: ${state.error.message}`, "never", {
    cause: state.error,
  });
}
