/** From decoded accounts of Raydium CP-Swap to the fixed facts that every room knows a pool by, and to its reserves. */
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import type { CpmmAmmConfig, CpmmPoolState } from "./decode.ts";
import { FEE_RATE_DENOMINATOR, POOL_STATUS_NO_SWAP } from "./layout.ts";

/** The facts without the number, which the catalogue gives. */
export function cpmmPoolFacts(
  address: Address,
  state: CpmmPoolState,
  config: CpmmAmmConfig,
  authority: Address,
): Result<Omit<PoolFacts, "index">, SandpiperError> {
  // A creator's fee on whichever token comes in is part of the input fee; on one fixed token it would also be taken
  // from the output in one direction, which the facts of a pool have no words for.
  if (state.creatorFeeOn !== undefined && state.creatorFeeOn !== 0)
    return unsupported(address, "a creator fee on the input", `one on token ${state.creatorFeeOn - 1}`);
  const feeRate = config.tradeFeeRate + (state.creatorFeeOn === undefined ? 0n : config.creatorFeeRate);
  if (feeRate >= BigInt(FEE_RATE_DENOMINATOR))
    return unsupported(address, `a fee below ${FEE_RATE_DENOMINATOR} millionths`, `${feeRate}`);
  return ok({
    dex: "raydium-cpmm",
    address,
    mints: state.mints,
    decimals: state.decimals,
    vaults: state.vaults,
    tokenPrograms: state.tokenPrograms,
    feeNumerator: Number(feeRate),
    feeDenominator: FEE_RATE_DENOMINATOR,
    accounts: { authority, ammConfig: state.ammConfig, observationState: state.observationState },
  });
}

/** What of a vault is reserve; 0n when the owed fees exceed it. */
export function cpmmReserve(state: CpmmPoolState, side: 0 | 1, vaultAmount: bigint): bigint {
  const reserve = vaultAmount - state.feesOwed[side];
  return reserve < 0n ? 0n : reserve;
}

/** Whether the program lets anybody swap at that time. */
export function cpmmSwaps(state: CpmmPoolState, unixSeconds: number): boolean {
  return (state.status & POOL_STATUS_NO_SWAP) === 0 && BigInt(Math.floor(unixSeconds)) >= state.openTime;
}

function unsupported(address: Address, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.unsupported, `Cannot follow pool ${address}: ${want}, was ${was}`));
}
