/** The swap instruction of any pool in the catalogue: exact input, least output. Plain bytes, no derivation, no I/O. */
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { DEX_ERROR } from "./errors.ts";
import type { AccountUse, Instruction } from "./instruction.ts";
import {
  RAYDIUM_AMM_V4_PROGRAM,
  RAYDIUM_CLMM_PROGRAM,
  RAYDIUM_CPMM_PROGRAM,
  TOKEN_PROGRAM,
} from "./program-addresses.ts";
import { AMM_V4_SWAP_BASE_IN, AMM_V4_SWAP_DATA_BYTES } from "./raydium-amm-v4/layout.ts";
import {
  CLMM_DISCRIMINATOR,
  SWAP_DATA as CLMM_SWAP_DATA,
  SWAP_DATA_BYTES as CLMM_SWAP_DATA_BYTES,
} from "./raydium-clmm/layout.ts";
import { CPMM_DISCRIMINATOR, SWAP_DATA, SWAP_DATA_BYTES } from "./raydium-cpmm/layout.ts";

export type SwapRequest = {
  /** Signs, and owns the input account. */
  readonly owner: Address;
  /** The side of the pool that comes in. */
  readonly inputSide: 0 | 1;
  readonly inputAccount: Address;
  readonly outputAccount: Address;
  readonly amountIn: bigint;
  /** The program refuses when it would pay less. */
  readonly minimumOut: bigint;
  /** Only for pools of concentrated liquidity: the tick arrays of the swap's walk in its order, then the bitmaps it needs. */
  readonly tickArrays?: readonly Address[];
};

export function swapInstruction(pool: PoolFacts, request: SwapRequest): Instruction {
  switch (pool.dex) {
    case "raydium-cpmm":
      return cpmmSwap(pool, request);
    case "raydium-amm-v4":
      return ammV4Swap(pool, request);
    case "raydium-clmm":
      return clmmSwap(pool, request);
  }
}

/**
 * `swap` without a price limit: pools of the first token program only, and 200 bytes of a transaction less than
 * `swap_v2` takes for a cycle of three. The first account behind the fixed ones must be a tick array.
 */
function clmmSwap(pool: PoolFacts, request: SwapRequest): Instruction {
  const input = request.inputSide;
  const output = input === 0 ? 1 : 0;
  const data = new Uint8Array(CLMM_SWAP_DATA_BYTES);
  data.set(CLMM_DISCRIMINATOR.swap);
  const view = new DataView(data.buffer);
  view.setBigUint64(CLMM_SWAP_DATA.amount, request.amountIn, true);
  view.setBigUint64(CLMM_SWAP_DATA.otherAmountThreshold, request.minimumOut, true);
  data[CLMM_SWAP_DATA.isBaseInput] = 1;
  return {
    programAddress: RAYDIUM_CLMM_PROGRAM,
    accounts: [
      { address: request.owner, signer: true, writable: false },
      readonly(account(pool, "ammConfig")),
      writable(pool.address),
      writable(request.inputAccount),
      writable(request.outputAccount),
      writable(pool.vaults[input]),
      writable(pool.vaults[output]),
      writable(account(pool, "observationState")),
      readonly(TOKEN_PROGRAM),
      ...(request.tickArrays ?? []).map(writable),
    ],
    data,
  };
}

function cpmmSwap(pool: PoolFacts, request: SwapRequest): Instruction {
  const input = request.inputSide;
  const output = input === 0 ? 1 : 0;
  const data = new Uint8Array(SWAP_DATA_BYTES);
  data.set(CPMM_DISCRIMINATOR.swapBaseInput);
  const view = new DataView(data.buffer);
  view.setBigUint64(SWAP_DATA.first, request.amountIn, true);
  view.setBigUint64(SWAP_DATA.second, request.minimumOut, true);
  return {
    programAddress: RAYDIUM_CPMM_PROGRAM,
    accounts: [
      { address: request.owner, signer: true, writable: false },
      readonly(account(pool, "authority")),
      readonly(account(pool, "ammConfig")),
      writable(pool.address),
      writable(request.inputAccount),
      writable(request.outputAccount),
      writable(pool.vaults[input]),
      writable(pool.vaults[output]),
      readonly(pool.tokenPrograms[input]),
      readonly(pool.tokenPrograms[output]),
      readonly(pool.mints[input]),
      readonly(pool.mints[output]),
      writable(account(pool, "observationState")),
    ],
    data,
  };
}

/** The form with 17 accounts; which side comes in follows from the mint of the source account. */
function ammV4Swap(pool: PoolFacts, request: SwapRequest): Instruction {
  const data = new Uint8Array(AMM_V4_SWAP_DATA_BYTES);
  data[0] = AMM_V4_SWAP_BASE_IN;
  const view = new DataView(data.buffer);
  view.setBigUint64(1, request.amountIn, true);
  view.setBigUint64(9, request.minimumOut, true);
  return {
    programAddress: RAYDIUM_AMM_V4_PROGRAM,
    accounts: [
      readonly(TOKEN_PROGRAM),
      writable(pool.address),
      readonly(account(pool, "authority")),
      writable(account(pool, "openOrders")),
      writable(pool.vaults[0]),
      writable(pool.vaults[1]),
      readonly(account(pool, "marketProgram")),
      writable(account(pool, "market")),
      writable(account(pool, "marketBids")),
      writable(account(pool, "marketAsks")),
      writable(account(pool, "marketEventQueue")),
      writable(account(pool, "marketCoinVault")),
      writable(account(pool, "marketPcVault")),
      readonly(account(pool, "marketVaultSigner")),
      writable(request.inputAccount),
      writable(request.outputAccount),
      { address: request.owner, signer: true, writable: false },
    ],
    data,
  };
}

const readonly = (address: Address): AccountUse => ({ address, signer: false, writable: false });
const writable = (address: Address): AccountUse => ({ address, signer: false, writable: true });

function account(pool: PoolFacts, name: string): Address {
  const address = pool.accounts[name];
  if (address === undefined)
    throw new SandpiperError(
      DEX_ERROR.facts,
      `Cannot build a swap on ${pool.address}: its facts with the account ${name}, was only ${Object.keys(pool.accounts).join(", ") || "none"}`,
    );
  return address;
}
