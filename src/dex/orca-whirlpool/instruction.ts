/**
 * The `swap_v2` instruction of a Whirlpool, with the three tick arrays that the program looks for in that direction; an
 * array that was never made is named all the same, and counts as empty. The price limit is the end of all prices, as the
 * venue quotes: what bounds the trade is the threshold on its other amount.
 */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { programAddress } from "#dex/addresses.ts";
import type { AccountUse, Instruction } from "#dex/instruction.ts";
import { MEMO_PROGRAM, ORCA_WHIRLPOOL_PROGRAM } from "#dex/program-addresses.ts";
import type { SwapOrder } from "#dex/venue.ts";
import { SWAP_DATA, SWAP_DATA_BYTES, SWAP_V2_ACCOUNTS, WHIRLPOOL_DISCRIMINATOR, WHIRLPOOL_SEED } from "./layout.ts";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN } from "./limits.ts";
import type { Whirlpool } from "./state.ts";
import { startTickIndexes } from "./tick-arrays.ts";

/** The derived accounts of a swap in one direction from where the price is now. */
export type WhirlpoolSwapAddresses = {
  readonly tickArrays: readonly [Address, Address, Address];
  readonly oracle: Address;
};

export type WhirlpoolSwapRequest = SwapOrder & {
  /** Signs, and owns both token accounts. */
  readonly owner: Address;
  /** The owner's accounts of side 0 and side 1. */
  readonly ownerAccounts: readonly [Address, Address];
  readonly tokenPrograms: readonly [Address, Address];
  /** Exact-in: the least that must arrive; exact-out: the most that may leave. */
  readonly otherAmountThreshold: bigint;
};

/** Undefined where the program has no array to look at. */
export async function whirlpoolSwapAddresses(
  pool: Address,
  { tickCurrentIndex, tickSpacing }: Pick<Whirlpool, "tickCurrentIndex" | "tickSpacing">,
  inputSide: 0 | 1,
): Promise<WhirlpoolSwapAddresses | undefined> {
  const [first, second, third] = startTickIndexes(tickCurrentIndex, tickSpacing, inputSide === 0);
  if (first === undefined) return undefined;
  const seed = base58Decode(pool);
  const arrayAt = (start: number | undefined): Promise<Address> =>
    programAddress([WHIRLPOOL_SEED.tickArray, seed, String(start ?? first)], ORCA_WHIRLPOOL_PROGRAM);
  const [tickArray0, tickArray1, tickArray2, oracle] = await Promise.all([
    arrayAt(first),
    arrayAt(second),
    arrayAt(third),
    programAddress([WHIRLPOOL_SEED.oracle, seed], ORCA_WHIRLPOOL_PROGRAM),
  ]);
  return { tickArrays: [tickArray0, tickArray1, tickArray2], oracle };
}

export function whirlpoolSwapInstruction(
  pool: Address,
  whirlpool: Whirlpool,
  request: WhirlpoolSwapRequest,
  addresses: WhirlpoolSwapAddresses,
): Instruction {
  const places: Readonly<Record<(typeof SWAP_V2_ACCOUNTS)[number], AccountUse>> = {
    tokenProgramA: readonly(request.tokenPrograms[0]),
    tokenProgramB: readonly(request.tokenPrograms[1]),
    memoProgram: readonly(MEMO_PROGRAM),
    tokenAuthority: { address: request.owner, signer: true, writable: false },
    whirlpool: writable(pool),
    tokenMintA: readonly(whirlpool.tokenMintA),
    tokenMintB: readonly(whirlpool.tokenMintB),
    tokenOwnerAccountA: writable(request.ownerAccounts[0]),
    tokenVaultA: writable(whirlpool.tokenVaultA),
    tokenOwnerAccountB: writable(request.ownerAccounts[1]),
    tokenVaultB: writable(whirlpool.tokenVaultB),
    tickArray0: writable(addresses.tickArrays[0]),
    tickArray1: writable(addresses.tickArrays[1]),
    tickArray2: writable(addresses.tickArrays[2]),
    oracle: writable(addresses.oracle),
  };
  return {
    programAddress: ORCA_WHIRLPOOL_PROGRAM,
    accounts: SWAP_V2_ACCOUNTS.map((name) => places[name]),
    data: swapData(request),
  };
}

/** The data of swap_v2, without word on further accounts. */
function swapData({ inputSide, mode, amount, otherAmountThreshold }: WhirlpoolSwapRequest): Uint8Array {
  const data = new Uint8Array(SWAP_DATA_BYTES + 1);
  data.set(WHIRLPOOL_DISCRIMINATOR.swapV2);
  const view = new DataView(data.buffer);
  const limit = inputSide === 0 ? SQRT_PRICE_MIN : SQRT_PRICE_MAX;
  view.setBigUint64(SWAP_DATA.amount, amount, true);
  view.setBigUint64(SWAP_DATA.otherAmountThreshold, otherAmountThreshold, true);
  view.setBigUint64(SWAP_DATA.sqrtPriceLimit, BigInt.asUintN(64, limit), true);
  view.setBigUint64(SWAP_DATA.sqrtPriceLimit + 8, limit >> 64n, true);
  data[SWAP_DATA.amountSpecifiedIsInput] = mode === "exact-in" ? 1 : 0;
  data[SWAP_DATA.aToB] = inputSide === 0 ? 1 : 0;
  return data;
}

const readonly = (address: Address): AccountUse => ({ address, signer: false, writable: false });
const writable = (address: Address): AccountUse => ({ address, signer: false, writable: true });
