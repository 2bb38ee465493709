/**
 * The swap instruction on a pair at hand, in its newer form (swap2, swap_exact_out2), which takes both token programs and
 * no host. It names the bin arrays that the swap may reach, nearest first, as far as the state holds them.
 */
import type { Address } from "#core/units.ts";
import type { AccountUse, Instruction } from "#dex/instruction.ts";
import { MEMO_PROGRAM, METEORA_DLMM_PROGRAM } from "#dex/program-addresses.ts";
import { BINS_PER_ARRAY, SWAP_INSTRUCTIONS } from "./layout.ts";
import type { DlmmState } from "./state.ts";

export type DlmmSwapRequest = {
  /** Signs, and owns the input account. */
  readonly owner: Address;
  readonly inputSide: 0 | 1;
  readonly inputAccount: Address;
  readonly outputAccount: Address;
  readonly mode: "exact-in" | "exact-out";
  /** Of the input when exact-in, else of the output. */
  readonly amount: bigint;
  /** exact-in: the least that may arrive; exact-out: the most that may leave. */
  readonly limit: bigint;
};

/** Signs the events that the program sends to itself: the address of the seed `__event_authority`. */
const EVENT_AUTHORITY = "D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6" as Address;
/** Discriminator, two amounts, and the count of slices for transfer hooks: none. */
const SWAP2_DATA_BYTES = 28;
/** What fits beside the other accounts of a cycle; a swap that needs more is too large for a bundle. */
const BIN_ARRAYS_MAX = 4;

export function dlmmSwapInstruction(state: DlmmState, request: DlmmSwapRequest): Instruction {
  const { pair } = state;
  const exactIn = request.mode === "exact-in";
  const data = new Uint8Array(SWAP2_DATA_BYTES);
  data.set(exactIn ? SWAP_INSTRUCTIONS.swap2 : SWAP_INSTRUCTIONS.swapExactOut2);
  const view = new DataView(data.buffer);
  view.setBigUint64(8, exactIn ? request.amount : request.limit, true);
  view.setBigUint64(16, exactIn ? request.limit : request.amount, true);
  return {
    programAddress: METEORA_DLMM_PROGRAM,
    accounts: [
      writable(pair.address),
      pair.bitmapExtension === undefined ? readonly(METEORA_DLMM_PROGRAM) : writable(pair.bitmapExtension),
      writable(pair.reserves[0]),
      writable(pair.reserves[1]),
      writable(request.inputAccount),
      writable(request.outputAccount),
      readonly(pair.mints[0]),
      readonly(pair.mints[1]),
      writable(pair.oracle),
      readonly(METEORA_DLMM_PROGRAM),
      { address: request.owner, signer: true, writable: false },
      readonly(pair.tokenPrograms[0]),
      readonly(pair.tokenPrograms[1]),
      readonly(MEMO_PROGRAM),
      readonly(EVENT_AUTHORITY),
      readonly(METEORA_DLMM_PROGRAM),
      ...binArraysAhead(state, request.inputSide).map(writable),
    ],
    data,
  };
}

/** Arrays with liquidity from the active one on, in the order in which a swap meets them. */
function binArraysAhead(state: DlmmState, inputSide: 0 | 1): readonly Address[] {
  const active = Math.floor(state.activeId / BINS_PER_ARRAY);
  const { liveArrays } = state.pair;
  const ahead =
    inputSide === 0
      ? liveArrays.filter((index) => index <= active).reverse()
      : liveArrays.filter((index) => index >= active);
  const addresses: Address[] = [];
  for (const index of ahead.slice(0, BIN_ARRAYS_MAX)) {
    const array = state.arrays.find((candidate) => candidate.index === index);
    if (array === undefined) break;
    addresses.push(array.address);
  }
  return addresses;
}

const readonly = (address: Address): AccountUse => ({ address, signer: false, writable: false });
const writable = (address: Address): AccountUse => ({ address, signer: false, writable: true });
