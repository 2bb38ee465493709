/** The `swap_v2` instruction of a CLMM pool, with the tick arrays that its walk may need. Plain data, no I/O. */
import type { Address } from "#core/units.ts";
import type { AccountUse, Instruction } from "#dex/instruction.ts";
import { MEMO_PROGRAM, RAYDIUM_CLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { CLMM_DISCRIMINATOR, SWAP_DATA, SWAP_DATA_BYTES } from "./layout.ts";
import type { ClmmState } from "./state.ts";
import { arraysAhead } from "./tick-map.ts";

/** More would crowd a route out of its transaction; the price seldom leaves the first of them. */
const TICK_ARRAYS_MAX = 3;

export type ClmmSwapRequest = {
  /** Signs, and owns the input account. */
  readonly owner: Address;
  readonly inputSide: 0 | 1;
  readonly inputAccount: Address;
  readonly outputAccount: Address;
  readonly mode: "exact-in" | "exact-out";
  readonly amount: bigint;
  /** The least output, or the most input: the program refuses beyond it. */
  readonly otherAmountThreshold: bigint;
};

export function clmmSwapInstruction(state: ClmmState, request: ClmmSwapRequest): Instruction {
  const { facts, ticks, tickCurrent } = state;
  const [input, output] = request.inputSide === 0 ? facts.sides : [facts.sides[1], facts.sides[0]];
  const ahead = arraysAhead(ticks, tickCurrent, request.inputSide === 0, TICK_ARRAYS_MAX);
  const arrays = ahead.flatMap((array) => facts.tickArrays.get(array) ?? []);
  return {
    programAddress: RAYDIUM_CLMM_PROGRAM,
    accounts: [
      { address: request.owner, signer: true, writable: false },
      readonly(facts.ammConfig),
      ...[
        facts.address,
        request.inputAccount,
        request.outputAccount,
        input.vault,
        output.vault,
        facts.observationState,
      ].map(writable),
      ...[TOKEN_PROGRAM, TOKEN_2022_PROGRAM, MEMO_PROGRAM, input.mint, output.mint].map(readonly),
      ...(facts.bitmapExtension === undefined ? arrays : [facts.bitmapExtension, ...arrays]).map(writable),
    ],
    data: swapData(request),
  };
}

function swapData(request: ClmmSwapRequest): Uint8Array {
  const data = new Uint8Array(SWAP_DATA_BYTES);
  data.set(CLMM_DISCRIMINATOR.swapV2);
  const view = new DataView(data.buffer);
  view.setBigUint64(SWAP_DATA.amount, request.amount, true);
  view.setBigUint64(SWAP_DATA.otherAmountThreshold, request.otherAmountThreshold, true);
  data[SWAP_DATA.isBaseInput] = request.mode === "exact-in" ? 1 : 0;
  return data;
}

const readonly = (address: Address): AccountUse => ({ address, signer: false, writable: false });
const writable = (address: Address): AccountUse => ({ address, signer: false, writable: true });
