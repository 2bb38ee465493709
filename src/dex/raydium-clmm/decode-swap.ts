/** Raydium CLMM's swaps as they stand in transactions: the instructions, top-level or inner, and the event in the logs. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64, readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  CLMM_DISCRIMINATOR,
  SWAP_ACCOUNT,
  SWAP_ACCOUNTS_MIN,
  SWAP_DATA,
  SWAP_DATA_BYTES,
  SWAP_EVENT,
  SWAP_EVENT_BYTES_MIN,
  SWAP_EVENT_WITH_FEES_BYTES,
  SWAP_V2_ACCOUNT,
} from "./layout.ts";
import { readI32, readU128 } from "./read.ts";

export type ClmmSwap = {
  readonly kind: "swap" | "swap-v2";
  readonly mode: "exact-in" | "exact-out";
  readonly amount: bigint;
  /** The least output, or the most input. */
  readonly otherAmountThreshold: bigint;
  /** 0 for none. */
  readonly sqrtPriceLimitX64: bigint;
  readonly payer: Address;
  readonly ammConfig: Address;
  readonly pool: Address;
  readonly inputAccount: Address;
  readonly outputAccount: Address;
  readonly inputVault: Address;
  readonly outputVault: Address;
  readonly observationState: Address;
  /** Only `swap_v2` names the mints. */
  readonly mints: { readonly input: Address; readonly output: Address } | undefined;
  /** Tick arrays, and the bitmap extension where it is needed. */
  readonly remaining: readonly Address[];
};

export type ClmmSwapEvent = {
  readonly pool: Address;
  readonly sender: Address;
  /** The trader's accounts, by the side of the pool. */
  readonly tokenAccounts: readonly [Address, Address];
  /** What the pool took in, and what arrived at the trader: transfer fees are in neither. */
  readonly amounts: readonly [bigint, bigint];
  readonly transferFees: readonly [bigint, bigint];
  readonly zeroForOne: boolean;
  /** After the swap, as are the next two. */
  readonly sqrtPriceX64: bigint;
  readonly liquidity: bigint;
  readonly tick: number;
  /** Of the pool, in each token; builds before 2026 do not tell. */
  readonly tradeFees: readonly [bigint, bigint] | undefined;
};

/** The swap of an instruction of this program; undefined when it is another instruction. */
export function decodeSwap(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<ClmmSwap | undefined, SandpiperError> {
  const second = startsWith(data, CLMM_DISCRIMINATOR.swapV2);
  if (!second && !startsWith(data, CLMM_DISCRIMINATOR.swap)) return ok(undefined);
  const accountsMin = second ? SWAP_V2_ACCOUNT.remaining : SWAP_ACCOUNTS_MIN;
  if (data.length < SWAP_DATA_BYTES || accounts.length < accountsMin || (data[SWAP_DATA.isBaseInput] as number) > 1)
    return malformedSwap(accountsMin, data, accounts);
  const account = (at: number) => accounts[at] as Address;
  return ok({
    kind: second ? "swap-v2" : "swap",
    mode: data[SWAP_DATA.isBaseInput] === 1 ? "exact-in" : "exact-out",
    amount: readU64(data, SWAP_DATA.amount),
    otherAmountThreshold: readU64(data, SWAP_DATA.otherAmountThreshold),
    sqrtPriceLimitX64: readU128(data, SWAP_DATA.sqrtPriceLimitX64),
    payer: account(SWAP_ACCOUNT.payer),
    ammConfig: account(SWAP_ACCOUNT.ammConfig),
    pool: account(SWAP_ACCOUNT.poolState),
    inputAccount: account(SWAP_ACCOUNT.inputTokenAccount),
    outputAccount: account(SWAP_ACCOUNT.outputTokenAccount),
    inputVault: account(SWAP_ACCOUNT.inputVault),
    outputVault: account(SWAP_ACCOUNT.outputVault),
    observationState: account(SWAP_ACCOUNT.observationState),
    mints: second
      ? { input: account(SWAP_V2_ACCOUNT.inputVaultMint), output: account(SWAP_V2_ACCOUNT.outputVaultMint) }
      : undefined,
    remaining: accounts.slice(second ? SWAP_V2_ACCOUNT.remaining : SWAP_ACCOUNT.tickArray),
  });
}

function malformedSwap(want: number, data: Uint8Array, accounts: readonly Address[]): Result<never, SandpiperError> {
  const text = `Cannot decode a CLMM swap: ${SWAP_DATA_BYTES} bytes with a flag of 0 or 1 and ${want} accounts, was ${data.length} bytes and ${accounts.length} accounts`;
  return err(new SandpiperError(DEX_ERROR.instruction, text));
}

const PROGRAM_DATA = "Program data: ";

/**
 * The swap event of a log line; undefined when it is another line. CP-Swap's event has the same marks: the caller knows
 * from the lines around it which program speaks.
 */
export function decodeSwapEventLine(line: string): Result<ClmmSwapEvent | undefined, SandpiperError> {
  if (!line.startsWith(PROGRAM_DATA)) return ok(undefined);
  const data = decodeBase64(line.slice(PROGRAM_DATA.length));
  if (data === undefined || !startsWith(data, CLMM_DISCRIMINATOR.swapEvent)) return ok(undefined);
  return decodeSwapEvent(data);
}

export function decodeSwapEvent(data: Uint8Array): Result<ClmmSwapEvent, SandpiperError> {
  if (data.length < SWAP_EVENT_BYTES_MIN || !startsWith(data, CLMM_DISCRIMINATOR.swapEvent)) {
    const text = `Cannot decode a CLMM SwapEvent: ${SWAP_EVENT_BYTES_MIN} bytes with its marks, was ${data.length} bytes`;
    return err(new SandpiperError(DEX_ERROR.logLine, text));
  }
  const pair = (first: number, second: number) => [readU64(data, first), readU64(data, second)] as const;
  return ok({
    pool: readAddress(data, SWAP_EVENT.poolState),
    sender: readAddress(data, SWAP_EVENT.sender),
    tokenAccounts: [readAddress(data, SWAP_EVENT.tokenAccount0), readAddress(data, SWAP_EVENT.tokenAccount1)],
    amounts: pair(SWAP_EVENT.amount0, SWAP_EVENT.amount1),
    transferFees: pair(SWAP_EVENT.transferFee0, SWAP_EVENT.transferFee1),
    zeroForOne: data[SWAP_EVENT.zeroForOne] !== 0,
    sqrtPriceX64: readU128(data, SWAP_EVENT.sqrtPriceX64),
    liquidity: readU128(data, SWAP_EVENT.liquidity),
    tick: readI32(data, SWAP_EVENT.tick),
    tradeFees: data.length < SWAP_EVENT_WITH_FEES_BYTES ? undefined : pair(SWAP_EVENT.tradeFee0, SWAP_EVENT.tradeFee1),
  });
}
