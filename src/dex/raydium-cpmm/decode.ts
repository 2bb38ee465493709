/**
 * Raydium CP-Swap's accounts and event as values. Foreign bytes are checked whole here; what comes out can be relied on.
 * Nothing throws: a refusal is a typed result.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  AMM_CONFIG,
  AMM_CONFIG_BYTES,
  CPMM_DISCRIMINATOR,
  POOL_STATE,
  POOL_STATE_BYTES,
  SWAP_ACCOUNT,
  SWAP_ACCOUNTS,
  SWAP_DATA,
  SWAP_DATA_BYTES,
  SWAP_EVENT,
  SWAP_EVENT_BYTES_MIN,
  TOKEN_ACCOUNT,
  TOKEN_ACCOUNT_BYTES,
} from "./layout.ts";

export type CpmmPoolState = {
  readonly ammConfig: Address;
  readonly vaults: readonly [Address, Address];
  readonly mints: readonly [Address, Address];
  readonly tokenPrograms: readonly [Address, Address];
  readonly observationState: Address;
  readonly decimals: readonly [number, number];
  readonly status: number;
  readonly openTime: bigint;
  /** What lies in each vault and belongs to protocol, fund and creator: no reserve. `feesOwed` is their sum. */
  readonly protocolFees: readonly [bigint, bigint];
  readonly fundFees: readonly [bigint, bigint];
  readonly creatorFees: readonly [bigint, bigint];
  readonly feesOwed: readonly [bigint, bigint];
  /** The pool's creator_fee_on, whether there is such a fee or not. */
  readonly creatorFeeMode: number;
  /** Which token pays the creator's fee: 0 the input, 1 token 0, 2 token 1; undefined when there is no such fee. */
  readonly creatorFeeOn: number | undefined;
};

export type CpmmAmmConfig = {
  /** Millionths of the input. */
  readonly tradeFeeRate: bigint;
  /** Millionths, in pools that pay their creator. */
  readonly creatorFeeRate: bigint;
  /** Millionths of the trade fee. */
  readonly protocolFeeRate: bigint;
  readonly fundFeeRate: bigint;
};

export type CpmmSwapEvent = {
  readonly poolId: Address;
  /** Effective reserves before the swap. */
  readonly reserveInBefore: bigint;
  readonly reserveOutBefore: bigint;
  /** What the curve took in and paid out, without transfer fees of the tokens. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
};

/** Either amount is exact and the other a bound: the input is exact in "base-in". */
export type CpmmSwap = {
  readonly kind: "base-in" | "base-out";
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly accounts: Readonly<Record<keyof typeof SWAP_ACCOUNT, Address>>;
};

export function decodePoolState(data: Uint8Array): Result<CpmmPoolState, SandpiperError> {
  if (data.length !== POOL_STATE_BYTES || !startsWith(data, CPMM_DISCRIMINATOR.poolState))
    return refuse("PoolState", POOL_STATE_BYTES, data);
  const address = (offset: number) => readAddress(data, offset);
  const number = (offset: number) => readU64(data, offset);
  const byte = (offset: number) => data[offset] as number;
  const protocolFees = [number(POOL_STATE.protocolFeesToken0), number(POOL_STATE.protocolFeesToken1)] as const;
  const fundFees = [number(POOL_STATE.fundFeesToken0), number(POOL_STATE.fundFeesToken1)] as const;
  const creatorFees = [number(POOL_STATE.creatorFeesToken0), number(POOL_STATE.creatorFeesToken1)] as const;
  return ok({
    ammConfig: address(POOL_STATE.ammConfig),
    vaults: [address(POOL_STATE.token0Vault), address(POOL_STATE.token1Vault)],
    mints: [address(POOL_STATE.token0Mint), address(POOL_STATE.token1Mint)],
    tokenPrograms: [address(POOL_STATE.token0Program), address(POOL_STATE.token1Program)],
    observationState: address(POOL_STATE.observationKey),
    decimals: [byte(POOL_STATE.mint0Decimals), byte(POOL_STATE.mint1Decimals)],
    status: byte(POOL_STATE.status),
    openTime: number(POOL_STATE.openTime),
    protocolFees,
    fundFees,
    creatorFees,
    feesOwed: [protocolFees[0] + fundFees[0] + creatorFees[0], protocolFees[1] + fundFees[1] + creatorFees[1]],
    creatorFeeMode: byte(POOL_STATE.creatorFeeOn),
    creatorFeeOn: byte(POOL_STATE.enableCreatorFee) === 0 ? undefined : byte(POOL_STATE.creatorFeeOn),
  });
}

export function decodeAmmConfig(data: Uint8Array): Result<CpmmAmmConfig, SandpiperError> {
  if (data.length !== AMM_CONFIG_BYTES || !startsWith(data, CPMM_DISCRIMINATOR.ammConfig))
    return refuse("AmmConfig", AMM_CONFIG_BYTES, data);
  return ok({
    tradeFeeRate: readU64(data, AMM_CONFIG.tradeFeeRate),
    creatorFeeRate: readU64(data, AMM_CONFIG.creatorFeeRate),
    protocolFeeRate: readU64(data, AMM_CONFIG.protocolFeeRate),
    fundFeeRate: readU64(data, AMM_CONFIG.fundFeeRate),
  });
}

/** The swap of an instruction; undefined when it is another of the program's. */
export function decodeCpmmSwap(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<CpmmSwap | undefined, SandpiperError> {
  const baseIn = startsWith(data, CPMM_DISCRIMINATOR.swapBaseInput);
  if (!baseIn && !startsWith(data, CPMM_DISCRIMINATOR.swapBaseOutput)) return ok(undefined);
  if (data.length < SWAP_DATA_BYTES || accounts.length < SWAP_ACCOUNTS)
    return err(
      new SandpiperError(
        DEX_ERROR.instruction,
        `Cannot decode a CP-Swap swap: ${SWAP_DATA_BYTES} bytes and ${SWAP_ACCOUNTS} accounts, was ${data.length} and ${accounts.length}`,
      ),
    );
  const places = Object.entries(SWAP_ACCOUNT).map(([name, place]) => [name, accounts[place] as Address] as const);
  return ok({
    kind: baseIn ? "base-in" : "base-out",
    amountIn: readU64(data, SWAP_DATA.first),
    amountOut: readU64(data, SWAP_DATA.second),
    // The loop above names every key of the table, which the type of fromEntries cannot say.
    accounts: Object.fromEntries(places) as CpmmSwap["accounts"],
  });
}

/** The event inside a `Program data:` log line, already out of its base64. */
export function decodeSwapEvent(data: Uint8Array): Result<CpmmSwapEvent, SandpiperError> {
  if (data.length < SWAP_EVENT_BYTES_MIN || !startsWith(data, CPMM_DISCRIMINATOR.swapEvent))
    return refuse("SwapEvent", SWAP_EVENT_BYTES_MIN, data);
  return ok({
    poolId: readAddress(data, SWAP_EVENT.poolId),
    reserveInBefore: readU64(data, SWAP_EVENT.inputVaultBefore),
    reserveOutBefore: readU64(data, SWAP_EVENT.outputVaultBefore),
    amountIn: readU64(data, SWAP_EVENT.inputAmount),
    amountOut: readU64(data, SWAP_EVENT.outputAmount),
  });
}

/** The balance of an SPL token account, of either token program. */
export function decodeTokenAmount(data: Uint8Array): Result<bigint, SandpiperError> {
  if (data.length < TOKEN_ACCOUNT_BYTES || data[TOKEN_ACCOUNT.state] === 0)
    return refuse("token account", TOKEN_ACCOUNT_BYTES, data);
  return ok(readU64(data, TOKEN_ACCOUNT.amount));
}

function refuse(what: string, bytes: number, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  return err(
    new SandpiperError(
      DEX_ERROR.account,
      `Cannot decode a ${what}: ${bytes} bytes with its marks, was ${data.length} bytes starting ${start}`,
    ),
  );
}
