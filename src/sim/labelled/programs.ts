/** Programs and accounts of mainnet that the people of a labelled run use. */
import type { Random } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import {
  METEORA_DLMM_PROGRAM,
  ORCA_WHIRLPOOL_PROGRAM,
  PUMPSWAP_PROGRAM,
  RAYDIUM_AMM_V4_PROGRAM,
  RAYDIUM_CLMM_PROGRAM,
  RAYDIUM_CPMM_PROGRAM,
} from "#dex/program-addresses.ts";
import type { VenueName } from "#dex/venue.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";

/** Jupiter, version 6. */
export const AGGREGATOR = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4" as Address;

const PROGRAMS: Readonly<Record<VenueName, Address>> = {
  "raydium-amm-v4": RAYDIUM_AMM_V4_PROGRAM,
  "raydium-cpmm": RAYDIUM_CPMM_PROGRAM,
  "raydium-clmm": RAYDIUM_CLMM_PROGRAM,
  "orca-whirlpool": ORCA_WHIRLPOOL_PROGRAM,
  "meteora-dlmm": METEORA_DLMM_PROGRAM,
  pumpswap: PUMPSWAP_PROGRAM,
};

export const programOfVenue = (venue: VenueName): Address => PROGRAMS[venue];

export const tipTransfer = (random: Random, from: Address, lamports: bigint) => ({
  from,
  to: random.pick(TIP_ACCOUNTS),
  lamports,
});
