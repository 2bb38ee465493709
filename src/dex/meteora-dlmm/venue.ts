/** Meteora DLMM (`LBUZ…`, program lb_clmm) as a venue. Side 0 is token X. */
import { METEORA_DLMM_PROGRAM } from "#dex/program-addresses.ts";
import type { Venue } from "#dex/venue.ts";
import { type DlmmState, loadDlmm } from "./state.ts";
import { swapDlmm } from "./swap.ts";

export const meteoraDlmmVenue: Venue<DlmmState> = {
  name: "meteora-dlmm",
  program: METEORA_DLMM_PROGRAM,
  load: loadDlmm,
  swap: swapDlmm,
  figures: (state) => ({
    active_id: BigInt(state.activeId),
    volatility_accumulator: BigInt(state.volatilityAccumulator),
    volatility_reference: BigInt(state.volatilityReference),
    index_reference: BigInt(state.indexReference),
    protocol_fee_x: state.protocolFees[0],
    protocol_fee_y: state.protocolFees[1],
    reserve_x: state.reserves[0],
    reserve_y: state.reserves[1],
  }),
};
